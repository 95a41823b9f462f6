"""What a library does for a trainer, and how it fails."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from .feed import Row


class OutOfMemory(Exception):
    """The device has no memory left for a micro-batch. Nothing was changed by it."""


class NotFinite(Exception):
    """A loss or a gradient is no number. Nothing was changed by it."""


class Engine(Protocol):
    """A model with its optimizer. A step gathers gradients of some micro-batches, and applies their sum."""

    rank: int  # of the processes that train together, each of which has its share of a step's rows
    processes: int

    def gradients(self, rows: Sequence[Row], total: float, seed: int) -> float:
        """Adds the gradient of rows, and gives their loss: both are the weighted sum over their tokens, by total.

        All the randomness that there is comes of seed.
        """

    def apply(self, rate: float, loss: float) -> tuple[float, float]:
        """Takes the optimizer's step, and forgets the gradients: the loss of all processes, and the gradient's norm."""

    def discard(self) -> None:
        """Forgets the gradients that were gathered."""

    def agree(self, state: int) -> int:
        """The highest state of all processes that train together. Alone: the state itself."""

    def save(self, directory: Path) -> None:
        """Writes what was learned below directory, and the optimizer to its state/."""

    def memory(self) -> float:
        """The most bytes of the device's memory that were in use so far; 0 where that is not known."""

    def close(self) -> None:
        """Gives the memory back."""
