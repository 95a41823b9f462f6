"""A plugin as a process: handshake, standard input and output, and the services that go-plugin wants."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from jupiter_sdk._pb import plugin_pb2 as pb
from jupiter_sdk.goplugin import COOKIE_KEY, COOKIE_VALUE

PLUGIN = """
    import os, subprocess, sys
    import jupiter_sdk as sdk

    print("printed before serve")

    @sdk.collector("c", sdk.NoConfig)
    def collect(call, config):
        child = subprocess.Popen(["sleep", "60"])
        print("printed by a stage")
        os.write(1, b"written to descriptor 1\\n")
        subprocess.run(["echo", "printed by a child"])
        key = os.environ.get("JUPITER_PLUGIN_TLS_KEY", "no key")
        yield sdk.RecordBatch(records=[sdk.Record(text=str(child.pid)), sdk.Record(text=key)])

    sdk.serve(sdk.Plugin("p", "1", [collect]))
"""


class Process:
    """A plugin that a host has started."""

    def __init__(self, directory: str, **env: str) -> None:
        program = Path(directory) / "plugin.py"
        program.write_text(textwrap.dedent(PLUGIN))
        keep = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME")}
        fixed = {COOKIE_KEY: COOKIE_VALUE, "JUPITER_PLUGIN_WATCH": "1", "PLUGIN_UNIX_SOCKET_DIR": directory}
        self.popen = subprocess.Popen(
            [sys.executable, str(program)],
            env={**keep, **fixed, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert self.popen.stdout is not None
        self.handshake = self.popen.stdout.readline().decode().rstrip("\n").split("|")

    def stderr(self) -> str:
        assert self.popen.stderr is not None
        return self.popen.stderr.read().decode()

    def end(self) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.close()
        self.popen.wait(10)


@contextmanager
def connect(p: Process) -> Iterator[Any]:
    """A channel whose messages are bytes, unless a call says otherwise."""
    with grpc.insecure_channel(f"unix:{p.handshake[3]}") as channel:
        yield channel


@pytest.fixture
def directory() -> Iterator[str]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as d:
        yield d


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def test_life(directory: str) -> None:
    p = Process(directory, JUPITER_PLUGIN_TLS_KEY="secret")
    assert p.handshake[:3] == ["1", "1", "unix"] and p.handshake[4:] == ["grpc", ""]
    assert p.handshake[3].startswith(directory)
    with connect(p) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert check(b"\n\x06plugin") == b"\x08\x01"
        with pytest.raises(grpc.RpcError, match="NOT_FOUND"):
            check(b"\n\x05other")
        stdio = channel.unary_stream("/plugin.GRPCStdio/StreamStdio")(b"", timeout=0.1)
        with pytest.raises(grpc.RpcError, match="DEADLINE_EXCEEDED"):  # it stays open, and says nothing
            next(stdio)
        collect = channel.unary_stream(
            "/jupiter.plugin.v1.Collector/Collect",
            request_serializer=pb.CollectRequest.SerializeToString,
            response_deserializer=pb.CollectEvent.FromString,
        )
        (event,) = collect(pb.CollectRequest(call=pb.Call(stage="c")))
        child = int(event.batch.records[0].text)
        assert event.batch.records[1].text == "no key"
        assert alive(child)
        os.kill(p.popen.pid, 2)  # Ctrl-C is for the host to decide on
        assert check(b"") == b"\x08\x01"
    p.end()  # the host is gone
    end = time.monotonic() + 5
    while alive(child):
        assert time.monotonic() < end, "what the plugin started lives on"
        time.sleep(0.01)
    assert not os.path.exists(directory)
    said = p.stderr()
    for words in ("printed before serve", "printed by a stage", "written to descriptor 1", "printed by a child"):
        assert words in said
    assert p.popen.stdout is not None and p.popen.stdout.read() == b""


def test_shutdown(directory: str) -> None:
    p = Process(directory)
    with connect(p) as channel:
        assert channel.unary_unary("/plugin.GRPCController/Shutdown")(b"") == b""
    assert p.popen.wait(5) == 0
    p.end()


def test_started_by_hand(directory: str) -> None:
    p = Process(directory, **{COOKIE_KEY: "another"})
    assert p.popen.wait(10) == 1
    assert p.handshake == ["printed before serve"]
    assert "started by jupiter, not by hand (magic cookie JUPITER_PLUGIN" in p.stderr()


def test_no_plaintext_for_a_host_that_wants_certificates(directory: str) -> None:
    p = Process(directory, PLUGIN_CLIENT_CERT="-----BEGIN CERTIFICATE-----")
    assert p.handshake[4:] == ["grpc", ""]
    with connect(p) as channel, pytest.raises(grpc.RpcError, match="UNAVAILABLE"):
        channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=5)
    assert p.popen.wait(5) == 1
    assert 'it needs tls = "given"' in p.stderr()
