"""The verifier of the example's domain."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jupiter_sdk as sdk

from .remainders import is_answer, parse


@sdk.verifier(
    "remainders",
    sdk.NoConfig,
    description="Checks remainders by dividing.",
    revision=1,
    deterministic=True,
    concurrent=True,
)
def remainders(call: sdk.Call, config: sdk.NoConfig) -> Callable[[Sequence[sdk.VerifyItem]], list[sdk.Judgement]]:
    return lambda items: [judge(item) for item in items]


def judge(item: sdk.VerifyItem) -> sdk.Judgement:
    """What is right in an answer, or in a whole text, which is split behind its equals sign."""
    question, answer = item.prompt, item.text
    j = sdk.Judgement()
    if not question:
        before, sign, answer = item.text.partition("=")
        question = before + sign
        j.question, j.answer = question, answer
    q = parse(question)
    if q is None:
        j.reason = "no_question"
        return j
    j.key, j.family = q.text, f"by_{q.divisor}"
    if not is_answer(answer):
        j.reason = "shape"
        return j
    j.well_formed = j.consistent = True
    j.steps_ok = j.answer_ok = answer == q.answer
    if not j.answer_ok:
        j.reason = "wrong_answer"
    return j
