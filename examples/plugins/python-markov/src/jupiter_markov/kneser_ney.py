"""Interpolated modified Kneser-Ney smoothing.

Kneser and Ney 1995, "Improved backing-off for m-gram language modeling"; Chen and Goodman 1999, "An empirical study of
smoothing techniques for language modeling", section 3 ("modified Kneser-Ney"). For a token w after a context h, whose
context one token shorter is h':

    p(w | h) = (a(h w) - D(h w)) / a(h .) + gamma(h) p(w | h')
    gamma(h) = sum over w of D(h w) / a(h .)

At the bottom stands the uniform distribution over the vocabulary, so no token ever has probability 0.

a is the count for the longest n-grams, and for all shorter ones the number of different tokens that were seen before
them: "Francisco" is frequent and follows one word, so it is unlikely anywhere else. An n-gram that begins with BEGIN has
nothing before it, and keeps its count (as in KenLM: Heafield et al. 2013, "Scalable modified Kneser-Ney language model
estimation", section 3).

D(g) is D1, D2 or D3+, for n-grams that occur once, twice and more often, estimated for each length from how many n-grams
occur once to four times, n1 to n4 (Chen and Goodman, equation 26):

    Y = n1 / (n1 + 2 n2),  D1 = 1 - 2 Y n2/n1,  D2 = 2 - 3 Y n3/n2,  D3+ = 3 - 4 Y n4/n3

Where that cannot be had, or leaves the interval from 0 to the count, D is 0.5, 1 and 1.5, KenLM's choice.

The formulas take each text for a sample of its own. A window draws the same text often: 600 examples may come eighty
times each, then nothing occurs once, and nothing would be left for what has not been seen. So D is computed from texts
that differ, and takes the same part of an n-gram's draws: with c draws and d occurrences in different texts, c D(d) / d.
Where no text repeats, c is d, and these are Chen and Goodman's formulas to the letter.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .counts import Count, Counts
from .text import VOCABULARY

Discounts = tuple[float, float, float]

FALLBACK: Discounts = (0.5, 1.0, 1.5)


@dataclass
class Model:
    """The smoothed model. tables[k] has, by context of k tokens, the adjusted counts of the tokens after it."""

    order: int
    discounts: list[Discounts]  # by length of the context
    tables: list[dict[str, dict[str, Count]]]
    _nodes: dict[str, Node | None] = field(default_factory=dict, repr=False)

    def node(self, context: str) -> Node | None:
        """What is known after a context, or None where it was never seen."""
        try:
            return self._nodes[context]
        except KeyError:
            after = self.tables[len(context)].get(context)
            made = None if after is None else Node.make(after, self.discounts[len(context)])
            self._nodes[context] = made
            return made

    def context(self, tokens: str) -> str:
        """The part of the tokens so far that the next one depends on."""
        return tokens[max(0, len(tokens) - self.order + 1) :]

    def probability(self, token: str, tokens: str) -> float:
        """p(token | tokens), where tokens begin with BEGIN."""
        p = 1 / VOCABULARY
        context = self.context(tokens)
        for k in range(len(context) + 1):
            node = self.node(context[len(context) - k :])
            if node is None:  # then no longer context was seen either
                break
            p = node.gamma * p + node.mass.get(token, 0.0)
        return p

    def distribution(self, tokens: str) -> list[float]:
        """p of every token, by its number, after tokens that begin with BEGIN. They add up to 1."""
        p = [1 / VOCABULARY] * VOCABULARY
        context = self.context(tokens)
        for k in range(len(context) + 1):
            node = self.node(context[len(context) - k :])
            if node is None:
                break
            gamma = node.gamma
            p = [gamma * x for x in p]
            for token, mass in node.mass.items():
                p[ord(token)] += mass
        return p


@dataclass(frozen=True)
class Node:
    """A context: the discounted probabilities of what was seen after it, and what is left for shorter contexts."""

    gamma: float
    mass: dict[str, float]

    @staticmethod
    def make(after: dict[str, Count], discounts: Discounts) -> Node:
        total = sum(c for c, _ in after.values())
        mass = {w: c * (1 - discounts[min(d, 3) - 1] / d) / total for w, (c, d) in after.items()}
        gamma = sum(c * discounts[min(d, 3) - 1] / d for c, d in after.values()) / total
        return Node(gamma, mass)


def estimate(counts: Counts) -> Model:
    """The model that follows from counts, of at least one text."""
    n = counts.order
    by_length: list[dict[str, Count]] = [{} for _ in range(n + 1)]
    for gram, count in counts.grams.items():
        by_length[len(gram)][gram] = count
    for k in range(n, 1, -1):
        before: dict[str, int] = {}
        for gram in by_length[k]:
            before[gram[1:]] = before.get(gram[1:], 0) + 1
        by_length[k - 1].update((gram, (c, c)) for gram, c in before.items())
    discounts, tables = [], []
    for k in range(1, n + 1):
        table: dict[str, dict[str, Count]] = {}
        for gram in sorted(by_length[k]):  # sums of floats depend on the order
            table.setdefault(gram[:-1], {})[gram[-1]] = by_length[k][gram]
        tables.append(table)
        discounts.append(discounts_of([d for _, d in by_length[k].values()]))
    return Model(n, discounts, tables)


def discounts_of(occurrences: list[int]) -> Discounts:
    """D1, D2 and D3+ of n-grams of one length that occur so often."""
    n1, n2, n3, n4 = (occurrences.count(i) for i in (1, 2, 3, 4))
    if not (n1 and n2 and n3 and n4):
        return FALLBACK
    y = n1 / (n1 + 2 * n2)
    d = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    return d if all(0 <= x <= i for i, x in enumerate(d, 1)) else FALLBACK
