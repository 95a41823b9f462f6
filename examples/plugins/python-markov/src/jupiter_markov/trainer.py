"""The trainer: it counts the n-grams of a window's draws."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import jupiter_sdk as sdk

from .checkpoint import read_counts, write_counts
from .counts import Counts
from .kneser_ney import estimate
from .sampling import score
from .text import BEGIN, END, sequence

MAX_ORDER = 64
_REPORT_EVERY = 0.5  # seconds
_TYPICAL = 48  # tokens of a record; it only shapes the first forecast


@dataclass(frozen=True, kw_only=True)
class TrainerConfig:
    """The attributes of a trainer "markov" block, beside the core's own."""

    order: int = sdk.attribute(
        default=8, description="Bytes of the longest n-gram: a byte depends on order - 1 before it."
    )
    batch_size: int = sdk.attribute(default=32, description="Records that a step reads.")

    def validate(self) -> Iterable[sdk.Diagnostic]:
        if not 2 <= self.order <= MAX_ORDER:
            yield sdk.error("Number out of range", f"order is {self.order}; it must be from 2 to {MAX_ORDER}.", "order")
        if not 1 <= self.batch_size <= 1 << 20:
            detail = f"batch_size is {self.batch_size}; it must be from 1 to {1 << 20}."
            yield sdk.error("Number out of range", detail, "batch_size")


@sdk.trainer(
    "markov",
    TrainerConfig,
    description="Counts n-grams of bytes, for a model with modified Kneser-Ney smoothing.",
    revision=1,
    deterministic=True,
    resumable=True,
    produces=[sdk.CHECKPOINT_MEDIA_TYPE],
)
class MarkovTrainer(sdk.Trainer[TrainerConfig]):
    """Training reads each record once. Steps are there so that a window has checkpoints to choose from and can resume."""

    def train(self, call: sdk.Call, config: TrainerConfig, request: sdk.TrainRequest) -> Iterator[sdk.Checkpoint]:
        _check(request)
        counts = _begin(config, request)
        draws = sdk.open_records(request.dataset.path)
        for _ in range((request.from_step - request.window_start) * config.batch_size):
            _next(draws)
        reported = time.monotonic()
        for step in range(request.from_step, request.to_step):
            batch = [sequence(_next(draws)) for _ in range(config.batch_size)]
            for text in batch:
                counts.add(text)
            call.spend(sum(map(len, batch)) - len(batch), 0)
            done, stopped = step + 1, call.stopped.is_set()
            if stopped or _due(request, done):
                metrics = _metrics(counts, batch)
                call.progress(done - request.from_step, request.to_step - request.from_step, "steps", metrics)
                yield _save(call, counts, done)
                reported = time.monotonic()
            elif time.monotonic() - reported >= _REPORT_EVERY:
                call.progress(done - request.from_step, request.to_step - request.from_step, "steps")
                reported = time.monotonic()
            if stopped:
                return

    def estimate(self, config: TrainerConfig, request: sdk.EstimateRequest) -> sdk.EstimateResponse:
        records = request.items * config.batch_size
        tokens = records * _TYPICAL
        size = 30.0 * tokens  # of a checkpoint, where no n-gram repeats
        return sdk.EstimateResponse(
            records=records,
            prompt_tokens=tokens,
            bytes_written=size * max(1, request.checkpoints),
            peak_memory_bytes=10 * size,
        )


def _check(request: sdk.TrainRequest) -> None:
    if len(request.topology.peers) > 1:
        raise sdk.StageError(f'trainer "markov" runs on one machine, and has {len(request.topology.peers)} peers')
    if not request.window_start <= request.from_step <= request.to_step <= request.window_end:
        raise sdk.StageError(
            f"steps {request.from_step} to {request.to_step} do not lie in the window "
            f"from {request.window_start} to {request.window_end}"
        )
    if not request.dataset.path:
        raise sdk.StageError("there is no dataset to train on")


def _begin(config: TrainerConfig, request: sdk.TrainRequest) -> Counts:
    resumed = request.from_step > request.window_start
    if not request.HasField("checkpoint"):
        if resumed:
            raise sdk.StageError(f"step {request.from_step} lies within a window: going on needs its checkpoint")
        return Counts(config.order)
    counts, step = read_counts(request.checkpoint.path)
    if resumed and step != request.from_step:
        raise sdk.StageError(f"going on from step {request.from_step} needs its checkpoint, and this is of step {step}")
    if counts.order != config.order:
        raise sdk.StageError(f"the checkpoint is of order {counts.order}; the configuration asks for {config.order}")
    return counts


def _next(draws: Iterator[sdk.Record]) -> sdk.Record:
    for r in draws:
        return r
    raise sdk.StageError("the dataset has fewer records than the steps read")


def _due(request: sdk.TrainRequest, done: int) -> bool:
    if done in (request.to_step, request.window_end):
        return True
    return request.save_every_steps > 0 and (done - request.window_start) % request.save_every_steps == 0


def _metrics(counts: Counts, batch: list[str]) -> dict[str, float]:
    """The loss on the last batch, in nats a token, of the model that has seen it."""
    model = estimate(counts)
    total = tokens = 0.0
    for text in batch:
        logprob, n = score(model, "", text.removeprefix(BEGIN).removesuffix(END), True)
        total, tokens = total - logprob, tokens + n
    distinct = len(counts.seen)
    return {
        "loss": total / tokens,
        "ngrams": len(counts.grams),
        "texts": distinct,
        "perplexity": math.exp(total / tokens),
    }


def _save(call: sdk.Call, counts: Counts, step: int) -> sdk.Checkpoint:
    name = f"step-{step}.json"
    write_counts(call.work_dir / name, counts, step)
    output = sdk.Output(name=f"step-{step}", media_type=sdk.CHECKPOINT_MEDIA_TYPE, path=name)
    return sdk.Checkpoint(step=step, output=output)
