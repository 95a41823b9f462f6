"""The steps of a call: data in order, micro-batches, checkpoints, and what is done when something fails."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jupiter_sdk as sdk

from . import checkpoint
from .checkpoint import Info
from .config import FULL, Config
from .engine import Engine, NotFinite, OutOfMemory
from .feed import Feed, Row
from .meter import Meter
from .schedule import Schedule
from .start import Start

# States of a step, of which the highest counts where several processes train together.
_GATHERED, _NO_MEMORY, _STOPPED = 0, 1, 2


@dataclass(frozen=True)
class About:
    """What a checkpoint says of the trainer that made it."""

    trainer: str
    dtype: str
    versions: dict[str, str]


class Loop:
    """One call under way."""

    def __init__(
        self,
        call: sdk.Call,
        config: Config,
        request: sdk.TrainRequest,
        start: Start,
        engine: Engine,
        feed: Feed,
        about: About,
    ) -> None:
        self._call, self._config, self._request = call, config, request
        self._start, self._engine, self._feed, self._about = start, engine, feed, about
        self._micro = start.micro_batch
        self._warned = False
        self._schedule = Schedule(
            config.peak, config.min_lr_ratio, config.warmup_steps, request.window_end - request.window_start
        )

    def run(self) -> Iterator[sdk.Checkpoint]:
        """Trains, and saves on the way, at the end, and when asked to stop."""
        request, saved = self._request, self._request.from_step
        with Meter(self._call, request.to_step - request.from_step) as meter:
            for step in range(request.from_step, request.to_step):
                meter.pause()
                try:
                    rows = self._feed.next()
                except sdk.StageError:
                    if step > saved:  # what was learned up to here is kept
                        yield from self._save(step)
                    raise
                done = self._step(step, rows, meter)
                stopped = not done or self._engine.agree(_STOPPED if self._call.stopped.is_set() else 0) == _STOPPED
                reached = step + done
                if reached > saved and (stopped or self._due(reached)):
                    meter.report()
                    yield from self._save(reached)
                    saved = reached
                if stopped:
                    break
        self._warn()

    def _step(self, step: int, rows: list[Row], meter: Meter) -> bool:
        """Takes a step; False: the call was stopped in its middle, and nothing has changed."""
        total = sum(sum(r.weights) for r in rows)
        metrics: dict[str, float] = {}
        if total > 0:
            try:
                found = self._learn(step, rows, total)
            except NotFinite as e:
                raise self._diverged(step, e) from e
            if found is None:
                return False
            loss, norm = found
            metrics = {"loss": loss, "grad_norm": norm}
        counts = self._feed.counts
        metrics |= {
            "learning_rate": self._rate(step),
            "micro_batch": self._micro,
            "memory_bytes": self._engine.memory(),
            "records_cut": counts.cut,
            "records_untrained": counts.untrained,
        }
        meter.step(sum(len(r.tokens) for r in rows), {k: v for k, v in metrics.items() if math.isfinite(v)})
        return True

    def _learn(self, step: int, rows: list[Row], total: float) -> tuple[float, float] | None:
        """Gathers the batch's gradient, with smaller micro-batches where memory runs out, and applies it."""
        while True:
            state, loss = self._gather(step, rows, total)
            state = self._engine.agree(state)
            if state == _GATHERED:
                break
            self._engine.discard()
            if state == _STOPPED:
                return None
            self._halve(step)
        try:
            return self._engine.apply(self._rate(step), loss)
        except OutOfMemory as e:
            raise sdk.StageError(
                f"step {step}: no memory is left for the optimizer, which a smaller micro_batch does not change: "
                f'train adapters (method = "lora"), or on a device with more memory ({e})'
            ) from e

    def _gather(self, step: int, rows: list[Row], total: float) -> tuple[int, float]:
        loss = 0.0
        mine = rows[self._engine.rank :: self._engine.processes]
        try:
            for i in range(0, len(mine), self._micro):
                if self._call.stopped.is_set():
                    return _STOPPED, loss
                seed = _seed(self._call.seed, step, self._engine.rank, i)
                loss += self._engine.gradients(mine[i : i + self._micro], total, seed)
        except OutOfMemory:
            return _NO_MEMORY, loss
        return _GATHERED, loss

    def _halve(self, step: int) -> None:
        before, self._micro = self._micro, self._micro // 2
        if self._micro == 0:
            lower = f"max_seq_length, which is {self._config.max_seq_length}"
            more = "" if self._config.gradient_checkpointing else ", or say gradient_checkpointing = true"
            raise sdk.StageError(f"step {step}: memory ran out with a single row in work: lower {lower}{more}")
        if self._warned:
            return
        self._warned = True
        detail = (
            f"Step {step} had no room for {before} rows at once, and is taken with {self._micro}. A step still reads "
            f"{self._config.batch_size} records, so results change by rounding alone. Checkpoints keep the smaller number."
        )
        self._call.warn("Memory ran out", detail, "micro_batch")

    def _rate(self, step: int) -> float:
        return self._schedule.at(step - self._request.window_start)

    def _due(self, done: int) -> bool:
        request = self._request
        if done in (request.to_step, request.window_end):
            return True
        return request.save_every_steps > 0 and (done - request.window_start) % request.save_every_steps == 0

    def _save(self, step: int) -> Iterator[sdk.Checkpoint]:
        if self._engine.rank > 0:
            return  # the first process has all that the others have
        name = f"step-{step}"
        checkpoint.write(self._call.work_dir / name, self._info(step), self._fill)
        output = sdk.Output(name=name, media_type=sdk.CHECKPOINT_MEDIA_TYPE, path=name)
        yield sdk.Checkpoint(step=step, output=output)

    def _fill(self, directory: Path) -> None:
        full = self._config.method == FULL
        for part in (checkpoint.MODEL if full else checkpoint.ADAPTER, checkpoint.STATE):
            (directory / part).mkdir()
        self._engine.save(directory)
        if full:  # also over a config.json of the library's: its readers know the one that the model came with
            checkpoint.copy_beside(self._start.model, directory / checkpoint.MODEL)

    def _info(self, step: int) -> Info:
        request, counts = self._request, self._feed.counts
        before = [w for w in self._start.info.windows if w["start"] < request.window_start]
        this = {"start": request.window_start, "end": step, "dataset": request.dataset.digest}
        return Info(
            trainer=self._about.trainer,
            method=self._config.method,
            step=step,
            dtype=self._about.dtype,
            seed=self._call.seed,
            batch_size=self._config.batch_size,
            micro_batch={"configured": self._config.micro_batch, "used": self._micro},
            records={"read": counts.read, "cut": counts.cut, "untrained": counts.untrained},
            windows=[*before, this],
            base=self._base(),
            versions=self._about.versions,
        )

    def _base(self) -> str:
        if self._config.method == FULL:
            return ""
        request, info = self._request, self._start.info
        return request.base.digest or (request.checkpoint.digest if info.imported else info.base)

    def _diverged(self, step: int, why: NotFinite) -> sdk.StageError:
        return sdk.StageError(
            f"step {step}: {why}; checkpoints that were saved before are kept: try a lower learning_rate than "
            f"{self._config.peak:g}, a longer warmup_steps, or clip = 1"
        )

    def _warn(self) -> None:
        counts, limit = self._feed.counts, self._config.max_seq_length
        if counts.cut:
            detail = (
                f"{counts.cut} of {counts.read} records had more tokens than max_seq_length, which is {limit}, and were "
                "cut: the model did not see how they end."
            )
            self._call.warn("Records cut", detail, "max_seq_length")
        if counts.untrained:
            detail = (
                f"{counts.untrained} of {counts.read} records had no token to learn: no message says train, or what "
                f"is learned lies behind the first {limit} tokens."
            )
            self._call.warn("Records without effect", detail, "max_seq_length")


def _seed(seed: int, *place: int) -> int:
    """The randomness of a micro-batch: it depends on its place alone, so nothing has to be kept of it."""
    text = ":".join(map(str, (seed, *place))).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1
