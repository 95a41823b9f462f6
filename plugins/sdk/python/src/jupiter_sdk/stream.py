"""The two directions of a call.

A stage runs in a thread of its own and hands messages to the thread that gRPC pulls responses from: so it can report
progress at any time and from any thread, waits while the host is busy, and ends as soon as the host gives up.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

import grpc
from google.protobuf.message import Message

from ._pb.plugin_pb2 import Diagnostic, Progress
from .call import Call
from .channel import Channel
from .errors import Abort, Cancelled, invalid, status_of
from .limits import check_finite, check_several, check_size

E = TypeVar("E", bound=Message)
R = TypeVar("R")
T = TypeVar("T")


class Outlet(Generic[E]):
    """What a call sends. After its end it takes nothing more, so a thread that outlives its call cannot disturb."""

    def __init__(self) -> None:
        self._channel: Channel[E] = Channel(1)

    def put(self, message: E, what: str) -> None:
        """Sends a message; what names it in errors. Cancelled: the host takes nothing more.

        It returns when gRPC has sent it: where the process dies in what comes next, the host has what came before, and
        its report names the item that was in work.
        """
        check_finite(message, what)
        check_size(message, what)
        if not self._channel.put(message):
            raise Cancelled
        self._channel.settle()

    def report(
        self,
        call: Call,
        progress: Callable[[Progress], E] | None,
        diagnostic: Callable[[Diagnostic], E] | None,
    ) -> None:
        """Connects a call's progress and warnings to the stream. None: the stream has no place for it."""
        if progress is not None:
            make = progress
            call._progress = lambda p: self.put(make(p), "progress")
        if diagnostic is not None:
            wrap = diagnostic

            def warn(d: Diagnostic) -> None:
                try:
                    self.put(wrap(d), "a diagnostic")
                except (Abort, Cancelled):
                    print(f"warning: {d.summary}: {d.detail}", file=sys.stderr, flush=True)

            call._diagnostic = warn

    def events(self, context: grpc.ServicerContext, call: Call, method: str, work: Callable[[], None]) -> Iterator[E]:
        """Runs work in a thread of its own, and gives what it puts. Its error becomes the call's."""
        failure: list[Abort] = []

        def run() -> None:
            try:
                work()
            except BaseException as e:
                if not isinstance(e, Cancelled):
                    failure.append(Abort(*status_of(e, method)))
            finally:
                self._channel.finish()

        def give_up() -> None:
            self._channel.abandon()
            call.stop()

        thread = threading.Thread(target=run, name=method, daemon=True)
        thread.start()
        if not context.add_callback(give_up):
            give_up()
        while (event := self._channel.get()) is not None:
            yield event
        if failure:
            raise failure[0]


def drain(results: Iterable[T], put: Callable[[T], None]) -> None:
    """Hands over what a stage yields. Where the host has given up, the stage's generator is closed at its yield."""
    try:
        for r in check_several(results, "what the stage gave"):
            put(r)
    finally:
        close = getattr(results, "close", None)
        if close is not None:
            close()


def receive(requests: Iterator[R], call: Call) -> Iterator[R]:
    """What the host sends, until it has sent all, or the call is stopped."""
    channel: Channel[R] = Channel(1)

    def read() -> None:
        # A request that cannot be read is one of a call that is over.
        with contextlib.suppress(grpc.RpcError):
            for r in requests:
                if not channel.put(r):
                    return
        channel.finish()

    call._on_stop.append(channel.abandon)
    if call.stopped.is_set():
        channel.abandon()
    threading.Thread(target=read, name="requests", daemon=True).start()
    try:
        while (request := channel.get()) is not None:
            yield request
    finally:
        channel.abandon()


def first_of(requests: Iterator[R]) -> R:
    """The first message of a stream, which has the Call."""
    for r in requests:
        return r
    raise invalid("the stream ended before its first message")
