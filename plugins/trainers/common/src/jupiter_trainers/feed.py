"""A window's records in the order of the draws, and the rows of a step.

A step reads batch_size records, no more and no fewer, so a step's place in the draws follows from its number. Rows are
made of the records of one step alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import jupiter_sdk as sdk

from .encode import Encoder
from .encode import Sequence as Encoded


@dataclass
class Row:
    """What the model reads at once: the sequences of one record, or of several that do not see each other."""

    tokens: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)  # of the sequences

    def add(self, s: Encoded) -> None:
        self.tokens += s.tokens
        self.weights += s.weights
        self.lengths.append(len(s.tokens))


@dataclass
class Counts:
    """Records so far, and those that were not learned whole."""

    read: int = 0
    cut: int = 0
    untrained: int = 0  # without a single token that is learned


class Feed:
    """Reads the draws of a window, after the first skip records."""

    def __init__(self, encoder: Encoder, path: str, batch: int, skip: int, row: int) -> None:
        self.counts = Counts()
        self._encoder = encoder
        self._batch = batch
        self._row = row  # tokens of a row that sequences share; 0: each has its own
        self._at = 0
        self._records = self._open(path, skip)

    def next(self) -> list[Row]:
        """The rows of the next step, the longest first."""
        found = []
        for _ in range(self._batch):
            s = self._encode(next(self._records))
            self.counts.read += 1
            self.counts.cut += s.cut
            if s.weight > 0:
                found.append(s)
            else:
                self.counts.untrained += 1
        return pack(found, self._row)

    def _open(self, path: str, skip: int) -> Iterator[sdk.Record]:
        try:
            for record in sdk.open_records(path):
                self._at += 1
                if self._at > skip:
                    yield record
        except ValueError as e:
            raise sdk.StageError(f"the dataset cannot be read: {e}") from e
        raise sdk.StageError(f"the dataset ends after {self._at} records, and a step reads {self._batch}")

    def _encode(self, record: sdk.Record) -> Encoded:
        try:
            return self._encoder.encode(record)
        except sdk.StageError as e:
            raise sdk.StageError(f"record {self._at} of the dataset: {e}") from e


def pack(sequences: Sequence[Encoded], row: int) -> list[Row]:
    """Sequences in rows of so many tokens, each where it fits first, the longest first; row 0: one in each."""
    rows: list[Row] = []
    for s in sorted(sequences, key=lambda s: -len(s.tokens)):
        for r in rows if row else ():
            if len(r.tokens) + len(s.tokens) <= row:
                r.add(s)
                break
        else:
            rows.append(Row())
            rows[-1].add(s)
    return rows
