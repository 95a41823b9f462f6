"""The example's domain: remainders of numbers of four digits, by 4, 5, 8 and 25.

    7316%8=4

An n-gram model can learn it, since the last digits decide: one of them by 5, two by 4 and by 25, three by 8. How many of
them a model sees is a matter of its order, so one that sees further is better, and can be shown to be. What it answers can
be checked by dividing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

DIVISORS = (4, 5, 8, 25)
NUMBERS = range(1000, 10_000)

_QUESTION = re.compile(r"([1-9][0-9]{3})%([1-9][0-9]?)=", re.ASCII)
_ANSWER = re.compile(r"0|[1-9][0-9]*", re.ASCII)


@dataclass(frozen=True)
class Question:
    """A number and what it is divided by."""

    number: int
    divisor: int

    @property
    def text(self) -> str:
        """The question as a prompt."""
        return f"{self.number}%{self.divisor}="

    @property
    def answer(self) -> str:
        """The right answer."""
        return str(self.number % self.divisor)

    def distractors(self) -> list[str]:
        """Three other remainders of the same divisor, always the same."""
        wrong = (str(r) for r in range(self.divisor))
        return sorted((w for w in wrong if w != self.answer), key=lambda w: _order(self.text + w))[:3]


def parse(text: str) -> Question | None:
    """The question that a prompt is, or None."""
    m = _QUESTION.fullmatch(text)
    if m is None or int(m[2]) not in DIVISORS:
        return None
    return Question(int(m[1]), int(m[2]))


def is_answer(text: str) -> bool:
    """Whether a text has the form of an answer: a number as it is written."""
    return len(text) <= 4 and _ANSWER.fullmatch(text) is not None


def questions() -> list[Question]:
    """All questions, well mixed, in an order that is always the same."""
    return sorted((Question(n, d) for n in NUMBERS for d in DIVISORS), key=lambda q: _order(q.text))


def _order(text: str) -> bytes:
    return sha256(text.encode()).digest()
