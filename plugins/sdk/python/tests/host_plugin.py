"""The plugin that the host's own tests start as a process: a filter, a generator and a trainer that can misbehave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import jupiter_sdk as sdk


@dataclass(frozen=True, kw_only=True)
class Config:
    mode: str = sdk.attribute(default="good", description="What to do.")
    share: float = sdk.attribute(default=0.5, effect="none")

    def validate(self) -> Iterable[sdk.Diagnostic]:
        if self.share > 1:
            yield sdk.error("Share out of range", "share is at most 1.", "share")


@sdk.filter("python", Config, description="Keeps what is long.", revision=2, deterministic=True, concurrent=True)
class Filter(sdk.Judge):
    def __init__(self, call: sdk.Call, config: Config) -> None:
        self.config = config

    def judge(self, records: Sequence[sdk.Record]) -> Sequence[sdk.Verdict]:
        if any(r.text == "poison" for r in records):
            print("about to leave", flush=True)
            os._exit(3)
        if self.config.mode == "exception":
            raise KeyError("moon")
        return [sdk.Verdict(keep=len(r.text) > 3, score=len(r.text)) for r in records]


@sdk.generator("python", Config, revision=1, concurrent=True)
class Generator(sdk.Generator[Config]):
    def generate(self, call: sdk.Call, config: Config, request: sdk.GenerateRequest) -> Iterable[sdk.RecordBatch]:
        child = subprocess.Popen(["sleep", "60"]) if config.mode == "child" else None
        texts = [str(child.pid)] if child else [f"{s.template} {len(s.prompts)}" for s in request.sets]
        yield sdk.RecordBatch(records=[sdk.Record(text=t) for t in texts])
        if config.mode == "endless":
            try:
                while True:
                    yield sdk.RecordBatch(records=[sdk.Record(text="again")])
                    time.sleep(0.001)
            finally:
                (call.work_dir / "closed").touch()
        while config.mode in ("child", "stuck"):
            time.sleep(1)

    def complete(
        self,
        call: sdk.Call,
        config: Config,
        model: sdk.Artifact | None,
        sampling: sdk.Sampling | None,
        prompts: Sequence[sdk.Prompt],
    ) -> Iterable[sdk.Completion]:
        for p in prompts:
            if p.text == "poison":
                signal.raise_signal(signal.SIGSEGV)
            yield sdk.Completion(text=p.text)


@sdk.trainer("python", Config, revision=1, resumable=True, produces=[sdk.CHECKPOINT_MEDIA_TYPE])
class Trainer(sdk.Trainer[Config]):
    def train(self, call: sdk.Call, config: Config, request: sdk.TrainRequest) -> Iterable[sdk.Checkpoint]:
        records = list(sdk.open_records(request.dataset.path))
        for step in range(request.from_step, request.to_step):
            call.progress(step, request.to_step, "steps", {"loss": 1 / (step + 1)})
            time.sleep(0.002)
            done = step + 1
            if done == request.to_step or call.stopped.is_set():
                (call.work_dir / "cp").write_text(" ".join(r.text for r in records))
                output = sdk.Output(name="cp", path="cp", media_type=sdk.CHECKPOINT_MEDIA_TYPE)
                yield sdk.Checkpoint(step=done, output=output)
                return

    def estimate(self, config: Config, request: sdk.EstimateRequest) -> sdk.EstimateResponse:
        return sdk.EstimateResponse(records=8 * request.items)


if __name__ == "__main__":
    print("started with", *sys.argv[1:], file=sys.stderr)
    sdk.serve(sdk.Plugin("python", "1.2.3", [Filter, Generator, Trainer]))
