"""Rows that several records share, none of which sees another.

mlx-lm's models ask the cache of a layer for the mask of attention and for what is there to attend to. So a cache that
remembers nothing, and has the mask that such rows need, is all it takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jupiter_sdk as sdk
import mlx.core as mx
from jupiter_trainers.feed import Row


class Shared:
    """The cache of every layer, for the rows of a micro-batch."""

    offset = 0

    def __init__(self, rows: Sequence[Row], width: int) -> None:
        record = [[i for i, n in enumerate(r.lengths) for _ in range(n)] for r in rows]
        padded = mx.array([(r + [-1] * width)[:width] for r in record])
        at = mx.arange(width)
        self._behind = at[:, None] - at[None]
        self._mask = (padded[:, None, :, None] == padded[:, None, None, :]) & (self._behind >= 0)

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> tuple[mx.array, mx.array]:
        return keys, values

    def make_mask(self, n: int, return_array: bool = False, window_size: int | None = None) -> mx.array:
        return self._mask & (self._behind < window_size) if window_size else self._mask


def caches(model: Any, rows: Sequence[Row], width: int) -> list[Shared] | None:
    """What to give a model with rows; None where each has one record alone, and none follows it."""
    if all(len(r.lengths) == 1 for r in rows):
        return None
    return [Shared(rows, width)] * len(model.layers)


def check(model: Any) -> None:
    """Refuses a model whose layers remember otherwise than by attention: records in a row would run into each other."""
    from mlx_lm.models.cache import KVCache, RotatingKVCache, make_prompt_cache

    if not all(isinstance(c, (KVCache, RotatingKVCache)) for c in make_prompt_cache(model)):
        raise sdk.StageError("the model has layers that are no attention, and rows cannot be shared: packing = false")
