"""The numbers: the model against the reference, sums to one, and a case computed by hand."""

from __future__ import annotations

import math
import random

import pytest
from reference import Reference

from jupiter_markov.counts import Counts
from jupiter_markov.kneser_ney import FALLBACK, Model, discounts_of, estimate
from jupiter_markov.sampling import Sampling, choose, draw, keep, sample_seed, score
from jupiter_markov.text import BEGIN, END, VOCABULARY, decode, encode


def model_of(order: int, texts: list[str], draws: int = 1) -> Model:
    counts = Counts(order)
    for _ in range(draws):
        for t in texts:
            counts.add(BEGIN + encode(t) + END)
    return estimate(counts)


def some_texts(n: int, seed: int = 1) -> list[str]:
    """Texts that differ: the reference knows no repeated draws. Early letters are frequent."""
    rng = random.Random(seed)
    texts: dict[str, None] = {}
    while len(texts) < n:
        letters = [chr(ord("a") + int(20 * rng.random() ** 3)) for _ in range(rng.randrange(1, 12))]
        texts["".join(letters)] = None
    return list(texts)


def test_by_hand() -> None:
    """Bigrams of "ab", "ac". Everything here occurs once or twice, so D is KenLM's: 0.5, 1.

    Bigram types: <a 2, ab, ac, b>, c> 1 each. So unigrams have a(a) = 1, a(b) = 1, a(c) = 1, a(>) = 2, together 5:
    gamma = (3·0.5 + 1·1)/5 = 0.5, p(b) = 0.5/5 + 0.5/257, p(>) = (2-1)/5 + 0.5/257.
    After a: total 2, gamma = (0.5 + 0.5)/2 = 0.5, p(b|a) = 0.5/2 + 0.5 p(b). After b: p(>|b) = 0.5/1 + 0.5 p(>).
    After <: total 2, gamma = 1/2, p(a|<) = (2-1)/2 + 0.5 p(a).
    """
    m = model_of(2, ["ab", "ac"])
    uniform = 1 / 257
    pb, pend = 0.1 + uniform / 2, 0.2 + uniform / 2
    assert m.discounts == [FALLBACK, FALLBACK]
    for token, context, want in (
        ("b", BEGIN + "a", 0.25 + pb / 2),
        (END, BEGIN + "ab", 0.5 + pend / 2),
        ("a", BEGIN, 0.5 + pb / 2),
        ("z", BEGIN + "a", uniform / 4),
        ("b", BEGIN + "z", pb),
    ):
        assert m.probability(token, context) == pytest.approx(want, rel=1e-14), (token, context)


@pytest.mark.parametrize("order", [2, 3, 5])
@pytest.mark.parametrize("n", [1, 12, 150])
def test_against_the_reference(order: int, n: int) -> None:
    texts = some_texts(n)
    m = model_of(order, texts)
    ref = Reference(order, [BEGIN + t + END for t in texts])
    if n == 150:
        assert any(d != FALLBACK for d in m.discounts[1:])  # the formulas are used, not what stands in for them
    rng = random.Random(2)
    contexts = ["", "a", "zzz", *(t[: rng.randrange(len(t) + 1)] for t in rng.sample(texts, min(n, 10)))]
    for context in contexts:
        for token in ["a", "b", "d", "z", END]:
            got, want = m.probability(token, BEGIN + context), ref.p(token, BEGIN + context)
            assert got == pytest.approx(want, rel=1e-12), (context, token)


@pytest.mark.parametrize("draws", [1, 3, 80])
def test_probabilities_add_up_to_one(draws: int) -> None:
    m = model_of(4, some_texts(40), draws)
    for context in ["", "a", "ab", "abcd", "dcba", "zz", "a" * 20]:
        p = m.distribution(BEGIN + context)
        assert len(p) == VOCABULARY and min(p) > 0
        assert sum(p) == pytest.approx(1, abs=1e-12)
        for token in (0, ord("a"), ord("d"), ord(END)):
            assert p[token] == pytest.approx(m.probability(chr(token), BEGIN + context), rel=1e-12)


def test_repeated_draws_leave_as_much_for_what_is_new() -> None:
    """The same texts eighty times are the same model: proportions have not changed, and nothing new was seen."""
    texts = some_texts(60)
    once, often = model_of(3, texts), model_of(3, texts, 80)
    assert often.discounts == once.discounts
    for context in ("", "a", "ab", "ca"):
        assert often.distribution(BEGIN + context) == pytest.approx(once.distribution(BEGIN + context), rel=1e-12)


def test_draws_weigh() -> None:
    counts = Counts(3)
    for t in ["ax"] * 9 + ["ay"]:
        counts.add(BEGIN + t + END)
    m = estimate(counts)
    # One different text each: half of either share goes to shorter contexts, where they are equal.
    more = m.probability("x", BEGIN + "a") - m.probability("y", BEGIN + "a")
    assert more == pytest.approx((9 - 1) / 10 / 2)


def test_discounts() -> None:
    assert discounts_of([1] * 8 + [2] * 4 + [3] * 2 + [4]) == pytest.approx((0.5, 1.25, 2.0))
    assert discounts_of([5, 5, 5]) == FALLBACK
    assert discounts_of([1] * 9 + [2] * 3 + [3] * 9 + [4]) == FALLBACK  # D2 would be negative


def test_score() -> None:
    m = model_of(3, some_texts(30))
    total, n = score(m, "ab", "cd", True)
    steps = [("c", "ab"), ("d", "abc"), (END, "abcd")]
    assert n == 3 and total == pytest.approx(sum(math.log(m.probability(t, BEGIN + c)) for t, c in steps))
    assert score(m, "ab", "", False) == (0.0, 0)
    assert score(m, "ab", "cd", False)[0] > total


def test_draws_follow_the_distribution() -> None:
    """Of 4,000 first tokens, the share of each is within 5 standard deviations of its probability."""
    m = model_of(3, some_texts(30))
    p = m.distribution(BEGIN)
    n = 4000
    rng = random.Random(3)
    got = [choose(p, Sampling(), rng) for _ in range(n)]
    for token in map(ord, "abcd"):
        assert abs(got.count(token) / n - p[token]) < 5 * math.sqrt(p[token] * (1 - p[token]) / n)


def test_filters() -> None:
    p = [0.4, 0.1, 0.3, 0.2]
    assert keep(p, Sampling(top_k=2)) == [0, 2]
    assert keep(p, Sampling(top_p=0.5)) == [0, 2]
    assert keep(p, Sampling(top_p=1e-9)) == [0]
    assert keep(p, Sampling(min_p=0.5)) == [0, 2, 3]
    assert keep(p, Sampling(top_k=3, top_p=0.5)) == [0, 2]
    assert keep([0.25] * 4, Sampling(top_k=2)) == [0, 1]
    assert choose([0.3, 0.4, 0.4], Sampling(temperature=0), random.Random(0)) == 1
    cold = [choose(p, Sampling(temperature=0.05), random.Random(i)) for i in range(200)]
    assert cold.count(0) > 190
    hot = [choose(p, Sampling(temperature=50), random.Random(i)) for i in range(400)]
    assert min(hot.count(i) for i in range(4)) > 60


def test_ends_of_a_text() -> None:
    m = model_of(5, ["abcabd"])

    def text(**how: object) -> tuple[str, int, str]:
        d = draw(m, "a", Sampling(temperature=0, **how), 1, lambda: False)  # type: ignore[arg-type]
        assert d is not None and len(d.logprobs) == d.count
        return d.tokens, d.count, d.finish

    assert text() == ("bcabd", 6, "stop")
    assert text(max_tokens=2) == ("bc", 2, "length")
    assert text(stop=("ab", "ca")) == ("b", 3, "stop")
    assert text(stop=("abc",)) == ("bcabd", 6, "stop")  # the prompt's bytes are no part of the text
    assert draw(m, "a", Sampling(), 1, lambda: True) is None


def test_seeds_and_bytes() -> None:
    assert sample_seed(7, "t", 3) == sample_seed(7, "t", 3)
    assert len({sample_seed(s, t, i) for s in (0, 2**64 - 1) for t in ("", "t") for i in (0, 1)}) == 8
    assert decode(encode("año €")) == "año €" and decode(encode("€")[:2]) == "\ufffd"
