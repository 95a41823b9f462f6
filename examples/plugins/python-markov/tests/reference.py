"""Modified Kneser-Ney straight from the formulas: slow, and obvious. Texts are lists of sequences, each drawn once."""

from __future__ import annotations

from functools import cache

from jupiter_markov.text import BEGIN, VOCABULARY


class Reference:
    """Counts by looking through all texts, each time."""

    def __init__(self, order: int, sequences: list[str]) -> None:
        self.n = order
        self.sequences = sequences
        self.symbols = sorted({c for s in sequences for c in s})

    @cache  # noqa: B019 - one instance a test
    def c(self, gram: str) -> int:
        """How often an n-gram occurs."""
        return sum(s.startswith(gram, i) for s in self.sequences for i in range(len(s)))

    @cache  # noqa: B019
    def a(self, gram: str) -> int:
        """The adjusted count."""
        if len(gram) == self.n or gram[0] == BEGIN:
            return self.c(gram)
        return sum(self.c(v + gram) > 0 for v in self.symbols)

    @cache  # noqa: B019
    def grams(self, length: int) -> list[str]:
        """The different n-grams of a length; BEGIN alone predicts nothing."""
        found = {s[i : i + length] for s in self.sequences for i in range(len(s) - length + 1)}
        return sorted(found - {BEGIN})

    @cache  # noqa: B019
    def discounts(self, length: int) -> list[float]:
        """D of n-grams of a length, by their adjusted count, 3 standing for more."""
        n1, n2, n3, n4 = (sum(self.a(g) == i for g in self.grams(length)) for i in (1, 2, 3, 4))
        if 0 in (n1, n2, n3, n4):
            return [0, 0.5, 1, 1.5]
        y = n1 / (n1 + 2 * n2)
        d = [0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
        return d if all(0 <= x <= i for i, x in enumerate(d)) else [0, 0.5, 1, 1.5]

    def p(self, token: str, context: str) -> float:
        """p(token | context)."""
        context = context[max(0, len(context) - self.n + 1) :]
        lower = self.p(token, context[1:]) if context else 1 / VOCABULARY
        after = {w: self.a(context + w) for w in self.symbols if w != BEGIN and self.c(context + w)}
        if not after:
            return lower
        d = self.discounts(len(context) + 1)
        total = sum(after.values())
        gamma = sum(d[min(a, 3)] for a in after.values()) / total
        mine = after.get(token, 0)
        return max(mine - d[min(mine, 3)], 0) / total + gamma * lower
