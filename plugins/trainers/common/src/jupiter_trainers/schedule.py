"""The learning rate of a window's steps."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """Linear warm-up, and a cosine from the peak to a share of it."""

    peak: float
    floor: float  # share of the peak
    warmup: int
    steps: int  # of the window

    def at(self, i: int) -> float:
        """The rate of step i of the window: warm-up · peak · (floor + (1-floor)·½(1+cos(π·i/steps)))."""
        warm = min(1.0, (i + 1) / self.warmup) if self.warmup else 1.0
        cosine = 0.5 * (1 + math.cos(math.pi * i / max(1, self.steps)))
        return self.peak * warm * (self.floor + (1 - self.floor) * cosine)
