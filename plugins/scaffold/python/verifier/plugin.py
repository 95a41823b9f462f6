"""A verifier: it judges sums such as "2+3:" with the answer "5"."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import jupiter_sdk as sdk


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a plan can say. effect is what a change of an attribute does to work that is done."""

    max_digits: int = sdk.attribute(default=6, description="Digits of the longest number that is judged, up to 18.")
    report: bool = sdk.attribute(default=True, effect="none", description="Show how many are right while it runs.")

    def validate(self) -> Iterable[sdk.Diagnostic]:
        """Finds what the schema cannot."""
        if not 1 <= self.max_digits <= 18:
            yield sdk.error("Digits out of range", "max_digits is between 1 and 18.", "max_digits")


# revision rises when the same inputs give other outputs. Equal calls give equal bytes, and several run at once: true of
# what is below.
@sdk.verifier("starter", Config, description="Judges sums.", revision=1, deterministic=True, concurrent=True)
class Verifier:
    """Serves one call."""

    def __init__(self, call: sdk.Call, config: Config) -> None:
        self.call, self.config = call, config
        self.seen = self.right = 0

    def __call__(self, items: Sequence[sdk.VerifyItem]) -> list[sdk.Judgement]:
        """One judgement an item, in order. A call that is stopped has nothing to save: it answers what it was asked."""
        out = [self.judge(i.prompt, i.text) for i in items]
        self.seen += len(items)
        self.right += sum(j.answer_ok for j in out)
        if self.config.report and not self.call.stopped.is_set():
            self.call.progress(self.seen, unit="items", metrics={"right": self.right})
        return out

    def judge(self, prompt: str, text: str) -> sdk.Judgement:
        """Looks at a question and an answer. What no person wrote may be anything: it is judged, and never an error."""
        j = sdk.Judgement()
        if not prompt:  # a sample that states its own question
            colon = text.find(":") + 1
            prompt, text = text[:colon], text[colon:]
            j.question, j.answer = prompt, text
        m = re.fullmatch(r"([0-9]+)\+([0-9]+):", prompt)
        if not m or max(map(len, m.groups())) > self.config.max_digits:
            j.reason = "no_question"
            return j
        a, b = int(m[1]), int(m[2])
        j.family = "sum"
        j.key = f"{min(a, b)}+{max(a, b)}"  # one question has one key, whichever way round it is asked
        if not re.fullmatch(r"\s*[0-9]{1,19}\s*", text):
            j.reason = "no_number"
            return j
        j.well_formed = j.consistent = True
        j.answer_ok = j.steps_ok = int(text) == a + b  # there are no steps to look at
        if not j.answer_ok:
            j.reason = "wrong_answer"  # a short stable word: dropped samples are counted by it
        return j


PLUGIN = sdk.Plugin("starter", "0.1.0", [Verifier])


def main() -> None:
    sdk.serve(PLUGIN)
