"""Gradients, the optimizer, and what is saved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jupiter_sdk as sdk
import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
from jupiter_trainers import source
from jupiter_trainers.checkpoint import ADAPTER, MODEL, STATE
from jupiter_trainers.engine import NotFinite
from jupiter_trainers.feed import Row
from jupiter_trainers.start import Start
from mlx.utils import tree_flatten, tree_map, tree_unflatten
from mlx_lm.tuner.trainer import grad_checkpoint

from . import model as models
from . import packed
from .config import Config
from .errors import translated

_OPTIMIZER = "optimizer.safetensors"


class MlxEngine:
    """A model in mlx. What is trained is kept in float32, whatever the model computes with."""

    rank, processes = 0, 1

    def __init__(self, config: Config, start: Start, seed: int) -> None:
        self._config = config
        self._layers: list[str] = []
        self._patched: dict[type, Any] = {}
        self._gathered: Any = None
        with translated():
            self._model, about = models.load(start.model, config)
            models.check_names(self._model, start.model)
            if config.packing:
                packed.check(self._model)
            if models.is_full(config):
                self._model.unfreeze()
            else:
                if config.quantize is not None:
                    models.quantise(self._model, about, config.quantize)
                self._layers = models.adapt(self._model, config, seed)
            self._parameters = tree_map(lambda p: p.astype(mx.float32), self._model.trainable_parameters())
            if start.adapter is not None:
                self._parameters = models.read_adapters(start.adapter, config, self._layers)
            self._parameters = _ordered(self._parameters)
            self._optimizer = _optimizer(config)
            if start.state is not None:
                self._optimizer.state = _read_state(start.state / _OPTIMIZER)
            if config.gradient_checkpointing:
                self._checkpoint_layers()
            self._model.train()
            self._gradient = mx.value_and_grad(self._loss)
            mx.eval(self._model.parameters(), self._parameters, self._optimizer.state)
        mx.reset_peak_memory()

    def _checkpoint_layers(self) -> None:
        """mlx-lm does it to the class of a layer, for all of the process: `close` takes it back."""
        for layer in self._model.layers:
            kind = type(layer)
            if kind not in self._patched:
                self._patched[kind] = kind.__call__
                grad_checkpoint(layer)

    def _loss(self, parameters: Any, tokens: mx.array, weights: mx.array, total: float, caches: Any) -> mx.array:
        if models.is_full(self._config):
            dtype = models.numbers(self._config)
            parameters = tree_map(lambda p: p.astype(dtype), parameters)
        self._model.update(parameters)
        logits = self._model(tokens[:, :-1], cache=caches).astype(mx.float32)
        return nn.losses.cross_entropy(logits, tokens[:, 1:], weights=weights[:, 1:], reduction="sum") / total

    def gradients(self, rows: Sequence[Row], total: float, seed: int) -> float:
        width = max(len(r.tokens) for r in rows)
        tokens = mx.array([r.tokens + [0] * (width - len(r.tokens)) for r in rows])
        weights = mx.array([r.weights + [0.0] * (width - len(r.tokens)) for r in rows])
        with translated():
            mx.random.seed(seed)
            caches = packed.caches(self._model, rows, width - 1)
            loss, found = self._gradient(self._parameters, tokens, weights, total, caches)
            if self._gathered is not None:
                found = tree_map(mx.add, self._gathered, found)
            mx.eval(loss, found)
        self._gathered = found
        return float(loss.item())

    def apply(self, rate: float, loss: float) -> tuple[float, float]:
        gathered, self._gathered = self._gathered, None
        with translated():
            limit = self._config.clip if self._config.clip > 0 else math.inf
            gathered, norm = optim.clip_grad_norm(gathered, limit)
            mx.eval(gathered, norm)
            size = float(norm.item())
            if not math.isfinite(loss) or not math.isfinite(size):
                raise NotFinite(f"the loss is {loss:g} and the gradient's norm {size:g}")
            self._optimizer.learning_rate = rate
            self._parameters = _ordered(self._optimizer.apply_gradients(gathered, self._parameters))
            mx.eval(self._parameters, self._optimizer.state)
        return loss, size

    def discard(self) -> None:
        self._gathered = None
        mx.clear_cache()

    def agree(self, state: int) -> int:
        return state

    def save(self, directory: Path) -> None:
        models.write(directory / STATE / _OPTIMIZER, dict(tree_flatten(self._optimizer.state)))
        if self._layers:
            models.write_adapters(directory / ADAPTER, self._config, self._layers, self._parameters)
            return
        tensors = dict(tree_flatten(self._parameters))
        models.write(directory / MODEL / "model.safetensors", tensors)

    def memory(self) -> float:
        return float(mx.get_peak_memory())

    def close(self) -> None:
        for kind, call in self._patched.items():
            kind.__call__ = call  # type: ignore[method-assign]
        self._model = self._parameters = self._optimizer = self._gradient = self._gathered = None
        mx.clear_cache()


def _optimizer(config: Config) -> Any:
    """AdamW, which lets matrices decay and nothing else."""

    def adam(decay: float) -> Any:
        return optim.AdamW(
            learning_rate=config.peak, betas=list(config.betas), weight_decay=decay, bias_correction=True
        )

    return optim.MultiOptimizer([adam(config.weight_decay), adam(0.0)], [lambda _, value: value.ndim >= 2])


def _ordered(tree: Any) -> Any:
    """A tree by the names in it. An optimizer of several parts puts its tree together in an order that differs from one
    process to the next, and the gradient's norm is rounded as its parts are summed."""
    return tree_unflatten(sorted(tree_flatten(tree)))


def _read_state(file: Path) -> Any:
    source.header(file)  # an error that says what is wrong with it
    state = tree_unflatten(list(mx.load(str(file)).items()))
    if not isinstance(state, dict) or "states" not in state:
        raise sdk.StageError(f"{file} holds no state of this trainer's optimizer")
    return state
