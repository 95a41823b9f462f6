"""The example's domain: its questions, its files and its verifier."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import jupiter_sdk as sdk
import pytest
from jupiter_sdk import testing

from jupiter_markov.plugin import PLUGIN
from jupiter_markov.remainders import DIVISORS, NUMBERS, Question, parse, questions

DATA = Path(__file__).parent.parent / "plan" / "remainders"


def test_questions() -> None:
    every = questions()
    assert len(every) == len(set(every)) == len(NUMBERS) * len(DIVISORS)
    for q in every[:2000]:
        assert parse(q.text) == q
        wrong = q.distractors()
        assert len(set(wrong)) == 3 and q.answer not in wrong and all(0 <= int(w) < q.divisor for w in wrong)
    assert Question(7316, 8).answer == "4" and Question(7316, 25).answer == "16"
    for text in ("", "731%8=", "73160%8=", "0316%8=", "7316%7=", "7316%8", "7316%8=4", "7316 % 8=", "७316%8="):
        assert parse(text) is None, text


def test_files() -> None:
    """The files are what make.py writes, and no question is in two of them."""
    made = runpy.run_path(str(DATA / "make.py"))["files"]()
    assert {p.name for p in DATA.glob("*.jsonl")} == set(made)
    seen: set[str] = set()
    for name, text in made.items():
        assert (DATA / name).read_text(encoding="ascii") == text, name
        prompts = [json.loads(line)["prompt"] for line in text.splitlines()]
        assert len(prompts) == len(set(prompts)) and seen.isdisjoint(prompts), name
        seen.update(prompts)


@pytest.mark.parametrize(
    ("prompt", "text", "reason", "split"),
    [
        ("7316%8=", "4", "", ("", "")),
        ("7316%8=", "5", "wrong_answer", ("", "")),
        ("7316%8=", "04", "shape", ("", "")),
        ("7316%8=", "", "shape", ("", "")),
        ("7316%8=", "9" * 5000, "shape", ("", "")),
        ("", "7316%8=4", "", ("7316%8=", "4")),
        ("", "7316%8=4=", "shape", ("7316%8=", "4=")),
        ("", "7316%8", "no_question", ("7316%8", "")),
        ("", "", "no_question", ("", "")),
    ],
)
def test_verifier(prompt: str, text: str, reason: str, split: tuple[str, str]) -> None:
    with testing.connect(PLUGIN) as conn:
        (j,) = conn.verify(conn.call("verifier", "remainders"), [sdk.VerifyItem(id="a", prompt=prompt, text=text)])
    assert j.reason == reason and (j.question, j.answer) == split
    right = not reason
    assert (j.steps_ok, j.answer_ok) == (right, right)
    assert j.well_formed == j.consistent == (reason in ("", "wrong_answer"))
    if reason != "no_question":
        assert (j.key, j.family) == ("7316%8=", "by_8")
