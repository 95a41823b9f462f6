"""A trainer: its model is how often each word occurs. What a step does to a real model stands where learn is."""

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jupiter_sdk as sdk


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a plan can say. effect is what a change of an attribute does to work that is done."""

    batch_size: int = sdk.attribute(default=8, description="Records that a step reads.")
    decay: float = sdk.attribute(default=1, description="What is left of each count after a step, above 0 and up to 1.")
    log_every: int = sdk.attribute(default=10, effect="none", description="Steps between two reports.")

    def validate(self) -> Iterable[sdk.Diagnostic]:
        """Finds what the schema cannot."""
        for name, n in (("batch_size", self.batch_size), ("log_every", self.log_every)):
            if n < 1:
                yield sdk.error("Number too small", f"{name} is at least 1.", name)
        if not 0 < self.decay <= 1:
            yield sdk.error("Decay out of range", "decay is above 0, and 1 at most.", "decay")


def learn(words: dict[str, float], config: Config, records: Sequence[sdk.Record]) -> int:
    """One step. It gives the number of tokens that were read."""
    if config.decay < 1:
        for w in words:
            words[w] *= config.decay
    tokens = [w for r in records for w in f"{r.prompt} {r.text}".split()]
    for w in tokens:
        words[w] = words.get(w, 0) + 1
    return len(tokens)


def take(records: Iterator[sdk.Record], n: int) -> list[sdk.Record]:
    out = list(itertools.islice(records, n))
    if len(out) < n:
        raise sdk.StageError("the data set ends too early")
    return out


# revision rises when the same inputs give other outputs. Equal calls give equal bytes, and a window goes on from a
# checkpoint: true of what is below.
@sdk.trainer(
    "starter",
    Config,
    description="Counts words.",
    revision=1,
    deterministic=True,
    resumable=True,
    produces=[sdk.CHECKPOINT_MEDIA_TYPE],
)
class Trainer(sdk.Trainer[Config]):
    def estimate(self, config: Config, request: sdk.EstimateRequest) -> sdk.EstimateResponse:
        """How many records steps read: the host writes that many draws."""
        n = request.items * config.batch_size
        return sdk.EstimateResponse(records=n, prompt_tokens=10 * n)

    def train(self, call: sdk.Call, config: Config, request: sdk.TrainRequest) -> Iterable[sdk.Checkpoint]:
        """Goes from from_step to to_step.

        A window that is cut off goes on in another process, and must come to the same bytes: all that it depends on is
        in the checkpoint and in the order of the records.
        """
        words: dict[str, float] = {}
        if request.HasField("checkpoint"):
            words = json.loads(Path(request.checkpoint.path).read_text())["words"]
        records = sdk.open_records(request.dataset.path)
        take(records, (request.from_step - request.window_start) * config.batch_size)
        for step in range(request.from_step + 1, request.to_step + 1):
            call.spend(learn(words, config, take(records, config.batch_size)), 0)
            if step % config.log_every == 0:
                done, total = step - request.from_step, request.to_step - request.from_step
                call.progress(done, total, "steps", {"words": len(words)})
            every = request.save_every_steps
            due = (every and (step - request.window_start) % every == 0) or step == request.to_step
            stopped = call.stopped.is_set()
            if due or stopped:
                yield save(call.work_dir, step, words)
            if stopped:
                return  # the host goes on from the checkpoint


def save(work_dir: Path, step: int, words: dict[str, float]) -> sdk.Checkpoint:
    """Writes a checkpoint. Its keys are sorted, so that equal models are equal bytes."""
    name = f"step-{step}"
    (work_dir / f"{name}.json").write_text(json.dumps({"step": step, "words": words}, sort_keys=True))
    output = sdk.Output(name=name, path=f"{name}.json", media_type=sdk.CHECKPOINT_MEDIA_TYPE)
    return sdk.Checkpoint(step=step, output=output)


PLUGIN = sdk.Plugin("starter", "0.1.0", [Trainer])


def main() -> None:
    sdk.serve(PLUGIN)
