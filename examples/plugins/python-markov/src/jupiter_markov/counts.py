"""What training has seen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

Count = tuple[int, int]  # draws, and different texts among them


@dataclass
class Counts:
    """The n-grams of the texts that were drawn, in time and memory linear in their length.

    Kept are the n-grams of `order` tokens, and the shorter ones that a text begins with, BEGIN included: the counts of all
    others follow from these. Each has two: how often it was drawn, and how often it occurs in texts that differ. A window
    draws texts again and again, in proportions that the plan has chosen, so probabilities come from the first; what has
    not been seen yet is judged by the second, since a repeated text says nothing new about that.
    """

    order: int  # at least 2
    grams: dict[str, Count] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)  # hashes of the texts, 64 bits
    drawn: int = 0  # texts, repeated ones too
    tokens: int = 0  # that were predicted: BEGIN is not

    def add(self, sequence: str) -> None:
        """Counts one draw of a text between its marks."""
        key = int.from_bytes(hashlib.blake2b(sequence.encode("utf-8"), digest_size=8).digest(), "big")
        new = key not in self.seen
        self.seen.add(key)
        grams, n = self.grams, self.order
        for end in range(2, len(sequence) + 1):
            gram = sequence[max(0, end - n) : end]
            draws, texts = grams.get(gram, (0, 0))
            grams[gram] = (draws + 1, texts + new)
        self.drawn += 1
        self.tokens += len(sequence) - 1
