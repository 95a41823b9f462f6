"""Draws texts from a model."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from .kneser_ney import Model
from .text import BEGIN, END


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen and where a text ends.

    The steps come in the order of the fields: the temperature changes probabilities, and top-k, top-p and min-p each
    leave out tokens of what is left; then one is drawn in proportion to its probability.
    """

    temperature: float = 1.0  # p ** (1 / temperature); 0 takes the likeliest token, of equals the first
    top_k: int = 0  # the k likeliest tokens; 0: all
    top_p: float = 1.0  # the fewest likeliest tokens that have this much probability together (Holtzman et al. 2020)
    min_p: float = 0.0  # tokens with at least this part of the likeliest one's probability
    max_tokens: int = 256  # a text is cut here
    stop: tuple[str, ...] = ()  # tokens; a text ends before the first of these


@dataclass(frozen=True)
class Drawn:
    """A text: its tokens without marks, their number as the model drew them, and their natural log-probabilities."""

    tokens: str
    count: int
    logprobs: list[float]  # under the model itself, before temperature and filters
    finish: str  # stop, length


def sample_seed(seed: int, name: str, i: int) -> int:
    """The seed of sample i of a template: it depends on these three alone, so that a resumed call draws the same."""
    digest = hashlib.sha256(seed.to_bytes(8, "little") + i.to_bytes(8, "little") + name.encode("utf-8")).digest()
    return int.from_bytes(digest[:8], "little")


def draw(model: Model, prompt: str, sampling: Sampling, seed: int, stopped: Callable[[], bool]) -> Drawn | None:
    """Continues a prompt, or begins a text where it is empty. None: it was stopped before the text was over."""
    rng = random.Random(seed)
    start = BEGIN + prompt
    text = start
    logprobs: list[float] = []
    while len(logprobs) < sampling.max_tokens:
        if stopped():
            return None
        p = model.distribution(text)
        token = choose(p, sampling, rng)
        logprobs.append(math.log(p[token]))
        if chr(token) == END:
            return Drawn(text[len(start) :], len(logprobs), logprobs, "stop")
        text += chr(token)
        for s in sampling.stop:
            if text.endswith(s, len(start)):
                return Drawn(text[len(start) : len(text) - len(s)], len(logprobs), logprobs, "stop")
    return Drawn(text[len(start) :], len(logprobs), logprobs, "length")


def choose(p: list[float], sampling: Sampling, rng: random.Random) -> int:
    """A token's number, drawn from probabilities by number."""
    if sampling.temperature == 0:
        return max(range(len(p)), key=lambda i: (p[i], -i))
    if sampling.temperature != 1:
        top = max(p)
        p = [(x / top) ** (1 / sampling.temperature) for x in p]
    kept = list(range(len(p)))
    if sampling.top_k > 0 or sampling.top_p < 1 or sampling.min_p > 0:
        kept = keep(p, sampling)
    at = rng.random() * sum(p[i] for i in kept)
    run = 0.0
    for i in kept:
        run += p[i]
        if run > at:
            return i
    return kept[-1]  # rounding


def keep(p: list[float], sampling: Sampling) -> list[int]:
    """The tokens that the filters leave, likeliest first, of equals the lower number first."""
    kept = sorted(range(len(p)), key=lambda i: (-p[i], i))
    if sampling.top_k > 0:
        kept = kept[: sampling.top_k]
    if sampling.top_p < 1:
        want = sampling.top_p * sum(p[i] for i in kept)
        run, n = 0.0, 0
        while n < len(kept) and run < want:
            run += p[kept[n]]
            n += 1
        kept = kept[: max(1, n)]
    least = sampling.min_p * p[kept[0]]
    return [i for i in kept if p[i] >= least]


def score(model: Model, prompt: str, continuation: str, end: bool) -> tuple[float, int]:
    """The natural log-likelihood of a continuation after a prompt, and its number of tokens; end adds END to both."""
    text = BEGIN + prompt
    total = 0.0
    tokens = continuation + (END if end else "")
    for t in tokens:
        total += math.log(model.probability(t, text))
        text += t
    return total, len(tokens)
