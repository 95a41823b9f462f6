"""Writes the data of the domain, the same bytes each time.

It is run by a Python that has jupiter_markov installed: python plan/remainders/make.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from jupiter_markov.remainders import Question, questions

REAL = 600
SPLITS = {"validation": 200, "dev": 500, "gate": 1000}


def files() -> dict[str, str]:
    """The texts of the files. No question is in two of them."""
    left = iter(questions())
    out = {"real.jsonl": lines([{"prompt": q.text, "text": q.answer} for q in take(left, REAL)])}
    for name, n in SPLITS.items():
        out[f"{name}.jsonl"] = lines(
            [
                {"prompt": q.text, "reference": q.answer, "distractors": q.distractors(), "key": q.text}
                for q in take(left, n)
            ]
        )
    return out


def take(questions: Iterator[Question], n: int) -> list[Question]:
    return [next(questions) for _ in range(n)]


def lines(values: list[dict[str, object]]) -> str:
    return "".join(json.dumps(v, separators=(",", ":")) + "\n" for v in values)


if __name__ == "__main__":
    for name, text in files().items():
        (Path(__file__).parent / name).write_text(text, encoding="ascii")
