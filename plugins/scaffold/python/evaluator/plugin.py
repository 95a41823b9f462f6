"""An evaluator: it reads the splits of a benchmark, and an answer is right where it is the reference."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import jupiter_sdk as sdk


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a plan can say. effect is what a change of an attribute does to work that is done."""

    ignore_case: bool = sdk.attribute(default=True, description="Capital and small letters are the same.")
    max_chars: int = sdk.attribute(default=500, description="A longer answer is not coherent.")
    report: bool = sdk.attribute(default=True, effect="none", description="Show each split as it is read.")

    def validate(self) -> Iterable[sdk.Diagnostic]:
        """Finds what the schema cannot."""
        if self.max_chars < 1:
            yield sdk.error("No room for an answer", "max_chars is at least 1.", "max_chars")

    def same(self, answer: str, reference: str) -> bool:
        a, b = answer.strip(), reference.strip()
        return a == b or (self.ignore_case and a.casefold() == b.casefold())


def read(split: str, path: str) -> list[sdk.Question]:
    """The questions of a file, in an order that does not depend on that of its lines."""
    out = []
    with open(path, encoding="utf-8") as file:
        for n, line in enumerate(file, 1):
            try:
                q = json.loads(line)
                key = q.get("key") or " ".join(q["prompt"].lower().split())
                out.append(
                    sdk.Question(
                        prompt=sdk.Prompt(id=hashlib.sha256(key.encode()).hexdigest()[:16], text=q["prompt"]),
                        reference=q["reference"],
                        distractors=q.get("distractors", []),
                        key=key,
                        cluster=q.get("cluster", ""),
                        split=split,
                    )
                )
            except (ValueError, KeyError, TypeError, AttributeError) as e:
                raise sdk.StageError(f"{path}:{n}: a question has a prompt and a reference ({e!r})") from e
    return sorted(out, key=lambda q: q.prompt.id)


# revision rises when the same inputs give other outputs. Equal calls give equal bytes, and several run at once: true of
# what is below.
@sdk.evaluator(
    "starter",
    Config,
    description="Reads splits, and compares answers with references.",
    revision=1,
    deterministic=True,
    concurrent=True,
)
class Evaluator(sdk.Evaluator[Config]):
    def prepare(self, call: sdk.Call, config: Config, request: sdk.PrepareRequest) -> Iterable[sdk.Question]:
        """Reads the files of the splits. samples bounds the split "gate"."""
        if request.HasField("custom") or request.benchmarks:
            raise sdk.StageError("this evaluator reads splits alone: no benchmarks, no custom evaluation file")
        for n, split in enumerate(sorted(request.splits), 1):
            if call.stopped.is_set():
                return
            questions = read(split, request.splits[split].path)
            if split == "gate" and request.samples:
                questions = questions[: request.samples]
            if config.report:
                call.progress(n, len(request.splits), "splits")
            yield from questions

    def score(self, call: sdk.Call, config: Config, answers: Sequence[sdk.Answer]) -> list[sdk.QuestionScore]:
        """Judges answers. It depends on them and on the configuration alone, and loads no model."""
        return [self.judge(config, a) for a in answers]

    def judge(self, config: Config, a: sdk.Answer) -> sdk.QuestionScore:
        """What cannot be measured is left out: domain, here, which needs likelihoods."""
        score = sdk.QuestionScore(prompt_id=a.question.prompt.id)
        if not a.HasField("completion"):
            return score
        right = config.same(a.completion.text, a.question.reference)
        formed = a.completion.finish_reason != "length" and len(a.completion.text) <= config.max_chars
        if a.HasField("judgement"):  # the domain's verifier knows better
            right = a.judgement.answer_ok
            formed = a.judgement.well_formed and a.judgement.consistent
        score.accuracy, score.coherence = float(right), float(formed)
        return score


PLUGIN = sdk.Plugin("starter", "0.1.0", [Evaluator])


def main() -> None:
    sdk.serve(PLUGIN)
