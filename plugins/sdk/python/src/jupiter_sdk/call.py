"""What every call of a stage gets."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ._pb.plugin_pb2 import Artifact, Diagnostic, Domain, Limit, Progress, Usage
from .diagnostics import warning


@dataclass
class Call:
    """One call of a stage. The default one is usable: it reports to nobody and is never stopped."""

    id: str = ""
    work_dir: Path = Path()  # private to this call, empty at first; outputs are written below it
    seed: int = 0  # all the randomness that there is
    cursor: bytes = b""  # of the last batch that the host kept; empty on a fresh start
    domain: Domain | None = None  # None where the call is about none
    inputs: Mapping[str, Artifact] = field(default_factory=dict)  # by attribute
    # Of an export: what training began with, where that was imported; else None. A TrainRequest has its own.
    base: Artifact | None = None

    # Set when the host asks the call to save what it has and return, and when it gives up on the call. In the second
    # case nobody takes what is saved: `progress`, and the next yield, end the stage.
    stopped: threading.Event = field(default_factory=threading.Event)

    _limit: Limit = field(default_factory=Limit)
    _progress: Callable[[Progress], None] | None = None
    _diagnostic: Callable[[Diagnostic], None] | None = None
    _on_stop: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._prompt = 0
        self._completion = 0
        self._last = Progress()
        self._reported = True  # _last has all tokens

    def progress(self, done: int, total: int = 0, unit: str = "", metrics: Mapping[str, float] | None = None) -> None:
        """Tells the host how far the call is: done of total (0: unknown) units, and figures worth showing.

        The host takes a call that sends nothing for long for stalled, so report at least every few seconds; more than a
        few times a second is waste. `score` of evaluators and generators has no place for progress: there it does
        nothing. Figures that are not finite are refused. It may be called from any thread, and raises `Cancelled` once
        the host has given up on the call.
        """
        p = Progress(done=done, total=total, unit=unit, metrics=metrics or {})
        for name, value in p.metrics.items():
            if not math.isfinite(value):
                raise ValueError(f"metric {name} is {value}: leave out what cannot be measured")
        if self._progress is None:
            return
        with self._lock:
            if self._prompt + self._completion > 0:
                p.usage.CopyFrom(Usage(prompt_tokens=self._prompt, completion_tokens=self._completion))
            self._last, self._reported = p, True
        self._progress(p)

    def warn(self, summary: str, detail: str, *path: str | int) -> None:
        """Shows the user a warning. path leads to the attribute that it is about, as in `warning`.

        Where a stream has no place for warnings it goes to standard error.
        """
        if self._diagnostic is not None:
            self._diagnostic(warning(summary, detail, *path))
        else:
            print(f"warning: {summary}: {detail}", file=sys.stderr, flush=True)

    def spend(self, prompt: int, completion: int) -> None:
        """Counts tokens that a model has read and written, whatever becomes of them.

        At the limit that the host has set, `stopped` is set. A stage that never calls it is counted by what its records
        and completions say of themselves. It may be called from any thread.
        """
        with self._lock:
            self._prompt += prompt
            self._completion += completion
            self._reported = False
            over = _exceeds(self._limit, self._prompt, self._completion)
        if over:
            self.stop()

    def stop(self) -> None:
        """Asks the call to save and return."""
        self.stopped.set()
        for hook in self._on_stop:
            hook()

    def settle(self) -> None:
        """Tells the host what was used since the last progress."""
        with self._lock:
            p, silent = self._last, self._reported or self._prompt + self._completion == 0
        if not silent:
            self.progress(p.done, p.total, p.unit, dict(p.metrics))


def _exceeds(limit: Limit, prompt: int, completion: int) -> bool:
    usd = prompt * limit.usd_per_prompt_token + completion * limit.usd_per_completion_token
    return 0 < limit.tokens <= prompt + completion or 0 < limit.usd <= usd
