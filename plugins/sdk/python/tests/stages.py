"""A plugin with a stage of every kind, whose configuration tells it what to do, right or wrong."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import jupiter_sdk as sdk

CANCELLED: list[str] = []  # the modes of the calls that were closed at their yield


@dataclass(frozen=True, kw_only=True)
class Config:
    mode: str = sdk.attribute(default="good", description="What to do.")
    n: int = sdk.attribute(default=3, effect="advance")

    def validate(self) -> Iterable[sdk.Diagnostic]:
        if self.n > 5:
            yield sdk.warning("Many", "More than 5.", "n")
            yield sdk.error("Bad", "x", "list", 2, "key")

    def validate_models(self) -> Iterable[sdk.Diagnostic]:
        if self.mode == "served":
            yield sdk.error("No models", "a server runs none", "mode")

    def estimate(self, request: sdk.EstimateRequest) -> sdk.EstimateResponse:
        return sdk.EstimateResponse(prompt_tokens=self.n * request.items)

    def fingerprint(self) -> str:
        if self.mode == "error":
            raise sdk.StageError("unreachable")
        return self.mode

    def check(self) -> list[sdk.Finding]:
        return [sdk.Finding(subject="mode", level=sdk.Finding.LEVEL_OK, detail=self.mode)]


@sdk.collector("c", Config, revision=1, resumable=True)
def collect(call: sdk.Call, config: Config) -> Iterable[sdk.RecordBatch]:
    start = int(call.cursor or b"0")
    match config.mode:
        case "good":
            for i in range(start, config.n):
                yield sdk.RecordBatch(records=[sdk.Record(text=f"r{i}")], cursor=b"%d" % (i + 1))
            call.spend(3, 4)
            call.warn("Odd", "It is odd.", "n")
        case "big":
            records = [sdk.Record(text="x" * 100_000) for _ in range(30)]
            yield sdk.RecordBatch(records=records, cursor=b"end")
        case "huge":
            yield sdk.RecordBatch(records=[sdk.Record(text="x" * (3 << 20))])
        case "surrogate":
            yield sdk.RecordBatch(records=[sdk.Record(text="\ud800")])
        case "nan":
            call.progress(1, 2, "records", {"loss": math.nan})
        case "type":
            yield "text"  # type: ignore[misc]
        case "error":
            raise sdk.StageError("the source is closed on Mondays")
        case "exception":
            raise KeyError("moon")
        case "exit":
            raise SystemExit(3)
        case "transient":
            raise sdk.TransientError("the source is busy")
        case "forever":
            try:
                while True:
                    yield sdk.RecordBatch(records=[sdk.Record(text="again")])
                    time.sleep(0.001)
            finally:
                CANCELLED.append(config.mode)
        case "busy":  # yields nothing, as a long computation does
            try:
                yield sdk.RecordBatch(records=[sdk.Record(text="one")])
                while True:
                    call.progress(1)
                    time.sleep(0.001)
            finally:
                CANCELLED.append(config.mode)
        case "stop":
            yield sdk.RecordBatch(records=[sdk.Record(text="one")])
            call.stopped.wait()
            yield sdk.RecordBatch(records=[sdk.Record(text="saved")], cursor=b"saved")
        case "limit":
            call.spend(config.n, 0)
            yield sdk.RecordBatch(records=[sdk.Record(text=str(call.stopped.is_set()))])


@sdk.filter("f", Config, concurrent=True)
class Filter(sdk.Judge):
    def __init__(self, call: sdk.Call, config: Config) -> None:
        self.config = config
        self.seen = 0

    def refer(self, records: Sequence[sdk.Record]) -> None:
        self.seen += len(records)

    def judge(self, records: Sequence[sdk.Record]) -> Sequence[sdk.Verdict]:
        verdicts = [sdk.Verdict(keep=len(r.text) > 1, score=self.seen, reason=self.config.mode) for r in records]
        match self.config.mode:
            case "short":
                return verdicts[1:]
            case "nothing":
                return None  # type: ignore[return-value]
            case "text":
                return "no"  # type: ignore[return-value]
            case "swap":
                verdicts[0].id = "someone else"
            case "nan":
                verdicts[0].score = math.nan
            case "none":
                return [None for _ in records]  # type: ignore[misc]
        return verdicts

    def close(self) -> None:
        CANCELLED.append("closed")


@sdk.verifier("v", Config)
def verify(call: sdk.Call, config: Config) -> Callable[[Sequence[sdk.VerifyItem]], Sequence[sdk.Judgement]]:
    call.warn("Strict", "Very.")
    if config.mode == "none":
        return None  # type: ignore[return-value]
    return lambda items: [sdk.Judgement(answer_ok=i.text == "ok", reason="r" * config.n) for i in items]


@sdk.generator("g", Config, revision=3, concurrent=True)
class Generator(sdk.Generator[Config]):
    def generate(self, call: sdk.Call, config: Config, request: sdk.GenerateRequest) -> Iterable[sdk.RecordBatch]:
        texts = [f"{s.template}{s.start_index} {len(s.prompts)} {call.seed}" for s in request.sets]
        yield sdk.RecordBatch(records=[sdk.Record(text=t) for t in texts])

    def complete(
        self,
        call: sdk.Call,
        config: Config,
        model: sdk.Artifact | None,
        sampling: sdk.Sampling | None,
        prompts: Sequence[sdk.Prompt],
    ) -> Iterable[sdk.Completion]:
        wrong = {"short": prompts[:-1], "more": [*prompts, *prompts[:1]]}
        for _ in wrong.get(config.mode, prompts):
            size = 5 << 20 if config.mode == "huge" else 1
            yield sdk.Completion(text="t" * size, prompt_id="z" if config.mode == "swap" else "")

    def stream(
        self,
        call: sdk.Call,
        config: Config,
        model: sdk.Artifact | None,
        sampling: sdk.Sampling | None,
        prompts: Sequence[sdk.Prompt],
    ) -> Iterable[sdk.Piece | sdk.Completion]:
        for p in prompts:
            yield sdk.Piece(prompt_id=p.id, text="t", tokens=[sdk.Token(id=1, text=b"t", logprob=-1)])
        yield from self.complete(call, config, model, sampling, prompts)

    def score(
        self, call: sdk.Call, config: Config, model: sdk.Artifact | None, items: Sequence[sdk.LikelihoodItem]
    ) -> Iterable[sdk.LikelihoodEvent]:
        for i in items:
            logprob = -math.inf if config.mode == "inf" else -1
            likelihoods = [sdk.Likelihood(sum_logprob=logprob, tokens=1, bytes=len(c)) for c in i.continuations]
            yield sdk.LikelihoodEvent(likelihoods=likelihoods[1:] if config.mode == "short" else likelihoods)

    def import_model(self, call: sdk.Call, config: Config, path: str) -> sdk.Output:
        (call.work_dir / "m").write_text(path)
        return sdk.Output(name=config.mode, path="m", meta={"format": "test"})


@sdk.trainer("t", Config, resumable=True)
class Trainer(sdk.Trainer[Config]):
    def train(self, call: sdk.Call, config: Config, request: sdk.TrainRequest) -> Iterable[sdk.Checkpoint]:
        (call.work_dir / "cp").write_text("weights")
        output = sdk.Output(name="cp", path="cp")
        match config.mode:
            case "absolute":
                output.path = str(call.work_dir / "cp")
            case "escape":
                output.path = "../cp"
            case "missing":
                output.path = "other"
            case "nameless":
                output.name = ""
            case "past":
                yield sdk.Checkpoint(step=request.to_step + 1, output=output)
            case "back":
                yield sdk.Checkpoint(step=request.to_step, output=output)
                yield sdk.Checkpoint(step=request.to_step - 1, output=output)
        yield sdk.Checkpoint(step=request.to_step, output=output, cursor=b"c")

    def estimate(self, config: Config, request: sdk.EstimateRequest) -> sdk.EstimateResponse:
        if config.mode == "none":
            return None  # type: ignore[return-value]
        return sdk.EstimateResponse(records=config.n * request.items, flop=math.inf if config.mode == "inf" else 1)


@sdk.evaluator("e", Config)
class Evaluator(sdk.Evaluator[Config]):
    def prepare(self, call: sdk.Call, config: Config, request: Any) -> Iterable[sdk.Question]:
        for i in range(request.samples):
            yield sdk.Question(prompt=sdk.Prompt(id=str(i), text="q" * 10_000))

    def score(self, call: sdk.Call, config: Config, answers: Sequence[sdk.Answer]) -> Sequence[sdk.QuestionScore]:
        call.warn("Strict", "Very.")
        scores = [sdk.QuestionScore(prompt_id=a.completion.prompt_id, reasons=["r" * config.n]) for a in answers]
        if config.mode == "good":
            scores[0].accuracy = 1
        if config.mode == "nan":
            scores[0].sub_scores["x"] = math.nan
        return scores


@sdk.exporter("x", Config)
def export(call: sdk.Call, config: Config, checkpoint: sdk.Artifact) -> Iterable[sdk.Output]:
    (call.work_dir / "model.gguf").write_text(checkpoint.path + (" on " + call.base.path if call.base else ""))
    for _ in range(2 if config.mode == "twice" else 1):
        yield sdk.Output(name="model", path="model.gguf", media_type=sdk.GGUF_MEDIA_TYPE)


PLUGIN = sdk.Plugin("test", "0.1.0", [collect, Filter, verify, Generator, Trainer, Evaluator, export])
