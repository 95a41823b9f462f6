"""Texts within what a sampling allows."""

from __future__ import annotations

from itertools import product

import pytest

from jupiter_sdk import Draft, Prompt, Sampling


def written(sampling: Sampling | None, tokens: list[str]) -> Draft:
    d = Draft(sampling)
    for token in tokens:
        if not d.add(token):
            assert not d.add("more")
            break
    return d


@pytest.mark.parametrize(
    ("sampling", "tokens", "text", "n", "finish"),
    [
        (None, ["a", "b"], "ab", 2, "stop"),
        (Sampling(max_tokens=1), [], "", 0, "stop"),
        (Sampling(max_tokens=2), ["a", "b", "c"], "ab", 2, "length"),
        (Sampling(max_tokens=2), ["a", "b"], "ab", 2, "stop"),
        (Sampling(stop=["cde"]), ["ab", "c", "d", "ef", "g"], "ab", 4, "stop"),
        (Sampling(stop=["c", "bc"]), ["a", "b", "c"], "a", 3, "stop"),
        (Sampling(max_tokens=2, stop=["b"]), ["a", "b", "c"], "a", 2, "stop"),
        (Sampling(stop=["a"]), ["a", "b"], "", 1, "stop"),
        (Sampling(stop=[""]), ["a", "", "b"], "ab", 3, "stop"),
        (Sampling(stop=["ñ"]), ["a", "ñu"], "a", 2, "stop"),
    ],
)
def test_bounds(sampling: Sampling | None, tokens: list[str], text: str, n: int, finish: str) -> None:
    d = written(sampling, tokens)
    assert (d.text, d.tokens, d.finish_reason) == (text, n, finish)
    c = d.completion()
    assert (c.text, c.completion_tokens, c.finish_reason) == (text, n, finish)
    r = d.record(Prompt(text="p", bucket="b"))
    assert (r.prompt, r.bucket, r.text, r.completion_tokens) == ("p", "b", text, n)
    assert dict(r.meta) == ({"finish": "length"} if finish == "length" else {})
    assert d.record().prompt == ""


@pytest.mark.parametrize(
    ("stop", "tokens", "pieces"),
    [
        ([], ["a", "bc", ""], ["a", "bc", ""]),
        (["xy"], ["a", "x", "b"], ["a", "", "xb"]),
        (["xy"], ["ax", "y"], ["a", ""]),
        (["xyz", "yb"], ["ax", "y", "b"], ["a", "", "x"]),
        (["aab"], ["a", "a", "a", "b"], ["", "", "a", ""]),
        ([""], ["a"], ["a"]),
    ],
)
def test_pieces(stop: list[str], tokens: list[str], pieces: list[str]) -> None:
    d = Draft(Sampling(stop=stop))
    got = []
    for token in tokens:
        d.add(token)
        got.append(d.piece())
    assert got == pieces
    assert d.text.startswith("".join(got))


def test_finds_what_the_whole_text_has() -> None:
    """Compared with looking at the whole text after each token."""
    stops = ["aba", "bb", "caa"]
    for tokens in product(["a", "b", "c", "ab", "ca"], repeat=5):
        d, text = Draft(Sampling(stop=stops)), ""
        for token in tokens:
            text += token
            if not d.add(token):
                break
        assert d.text == text[: min((i for s in stops if (i := text.find(s)) >= 0), default=None)]
