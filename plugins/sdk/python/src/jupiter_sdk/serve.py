"""The life of a plugin's process."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from concurrent import futures

import grpc

from . import goplugin, tls
from .server import Server
from .services import Services
from .stage import Plugin

SOCKET_DIR_KEY = "PLUGIN_UNIX_SOCKET_DIR"
WATCH_KEY = "JUPITER_PLUGIN_WATCH"

# Threads for requests. Each call holds one while it runs, and a request to stop must always find one free.
_THREADS = 256


def serve(plugin: Plugin) -> None:
    """Runs the process as a plugin until the host ends it.

    It writes the handshake to standard output, which belongs to the protocol: what a stage prints goes to standard
    error, where the host keeps it for its crash reports. Started by hand it explains itself and exits with status 1. It
    is to be called from the main thread.
    """
    if os.environ.get(goplugin.COOKIE_KEY) != goplugin.COOKIE_VALUE:
        print(
            f"{plugin.name} is a plugin of Jupiter: it is started by jupiter, not by hand "
            f"(magic cookie {goplugin.COOKIE_KEY} is missing or wrong).",
            file=sys.stderr,
        )
        sys.exit(1)
    faulthandler.enable()  # a crash of an extension module leaves its stack in the host's report
    _take_signals()
    handshake = _protect_stdout()
    if os.environ.get(WATCH_KEY) == "1":
        threading.Thread(target=_watch, name="watch", daemon=True).start()
    credentials = tls.take_credentials(os.environ)
    path = _socket_path()
    if credentials is None and tls.wants_auto(os.environ):
        with _listen(path) as listener:
            _announce(handshake, path)
            tls.refuse(listener, plugin.name)
        sys.exit(1)
    services = goplugin.Services()
    server = grpc.server(
        futures.ThreadPoolExecutor(_THREADS), handlers=[Services(Server(plugin)), services], options=OPTIONS
    )
    if credentials is None:
        server.add_insecure_port(f"unix:{path}")  # the host wants none: the directory is this user's alone
    else:
        server.add_secure_port(f"unix:{path}", credentials)
    server.start()
    _announce(handshake, path)
    services.ended.wait()
    server.stop(grace=0.1).wait()


# The protocol's limit for messages is gRPC's default, said here so that a later default changes nothing.
OPTIONS = [("grpc.max_receive_message_length", 4 << 20), ("grpc.max_send_message_length", 4 << 20)]


def _take_signals() -> None:
    """Ctrl-C is for the host to decide on, and a hang-up says what the end of standard input says.

    The signals are taken and dropped, not ignored: what the plugin starts would inherit that.
    """
    for s in (signal.SIGINT, signal.SIGHUP) if os.environ.get(WATCH_KEY) == "1" else (signal.SIGINT,):
        signal.signal(s, lambda *_: None)


def _protect_stdout() -> int:
    """Sends standard output to standard error, and gives a descriptor of the real one, for the handshake."""
    real = os.dup(1)
    os.dup2(2, 1)
    # What was printed before, and is still in the buffer, must not end up in the handshake either.
    sys.stdout.flush()
    sys.stdout = sys.stderr
    return real


def _announce(descriptor: int, path: str) -> None:
    line = goplugin.handshake(path)
    while line:
        line = line[os.write(descriptor, line) :]
    os.close(descriptor)


def _socket_path() -> str:
    """Where to listen: in the directory that the host has made for this process, or in a new one for this user alone.

    The name is short, since a Unix socket's path has room for a hundred bytes.
    """
    directory = os.environ.get(SOCKET_DIR_KEY) or tempfile.mkdtemp(prefix="plugin")
    return os.path.join(directory, f"plugin{os.getpid()}")


def _listen(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    return listener


def _watch() -> None:
    """Ends the process, and all that it has started, when standard input ends: the host is gone."""
    # An error means that there is nobody at the other end either.
    with contextlib.suppress(OSError):
        while os.read(0, 1 << 16):
            pass
    directory = os.environ.get(SOCKET_DIR_KEY)
    if directory:
        shutil.rmtree(directory, ignore_errors=True)
    # The host makes every plugin the leader of a process group; one that leads none ends alone.
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
