"""Tells the host how far a call is, also while a long step is under way."""

from __future__ import annotations

import contextlib
import threading
import time
from types import TracebackType

import jupiter_sdk as sdk

_EVERY = 0.5  # seconds


class Meter:
    """Reports twice a second for as long as its block lasts, and once at the end."""

    def __init__(self, call: sdk.Call, total: int) -> None:
        self._call = call
        self._total = total
        self._lock = threading.Lock()
        self._done = 0
        self._metrics: dict[str, float] = {}
        self._since = time.monotonic()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="meter", daemon=True)

    def step(self, tokens: int, metrics: dict[str, float]) -> None:
        """Notes a step that has ended."""
        now = time.monotonic()
        with self._lock:
            rate = tokens / max(1e-9, now - self._since)
            self._since = now
            self._done += 1
            self._metrics = {**metrics, "tokens_per_second": rate}
        self._call.spend(tokens, 0)

    def pause(self) -> None:
        """The time up to now is none of the next step's."""
        with self._lock:
            self._since = time.monotonic()

    def report(self) -> None:
        """Sends the last figures."""
        with self._lock:
            done, metrics = self._done, dict(self._metrics)
        self._call.progress(done, self._total, "steps", metrics)

    def _run(self) -> None:
        # Once the host has given up on the call there is nobody to tell; the loop sees that by itself.
        with contextlib.suppress(sdk.Cancelled):
            while not self._end.wait(_EVERY):
                self.report()

    def __enter__(self) -> Meter:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end.set()
        self._thread.join()
        if kind is None:
            self.report()
