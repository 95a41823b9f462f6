"""A model of mlx-lm's, with adapters or without, and its parameters' names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jupiter_sdk as sdk
import mlx.core as mx
import mlx.nn as nn
import numpy as np
from jupiter_trainers import adapter, source
from jupiter_trainers.checkpoint import ADAPTER_WEIGHTS
from jupiter_trainers.config import AUTO, FULL
from jupiter_trainers.config import Config as Common
from mlx.utils import tree_flatten, tree_unflatten
from mlx_lm import utils
from mlx_lm.tuner.utils import linear_to_lora_layers
from safetensors.numpy import save_file

from .config import Config

_DTYPES = {"bf16": mx.bfloat16, "f32": mx.float32}
_QUANTISED_GROUP = 64


def dtype_of(config: Common) -> str:
    """What the model computes with: on processors bf16 is slower than f32."""
    if config.dtype != AUTO:
        return config.dtype
    return "bf16" if mx.default_device().type == mx.DeviceType.gpu else "f32"


def load(directory: Path, config: Config) -> tuple[Any, dict[str, Any]]:
    """The frozen model of a directory, and its config.json."""
    try:
        model, about = utils.load_model(directory, lazy=True)
    except Exception as e:  # of the library's many parsers
        raise sdk.StageError(f"mlx-lm cannot load {directory}: {e}") from e
    model.set_dtype(_DTYPES[dtype_of(config)])
    model.freeze()
    return model, about


def numbers(config: Common) -> Any:
    return _DTYPES[dtype_of(config)]


def check_names(model: Any, directory: Path) -> None:
    """Refuses a model whose tensors mlx-lm calls or shapes otherwise than the file does: it could not be written back."""
    there: dict[str, tuple[int, ...]] = {}
    for name in source.shards(directory):
        there |= source.header(directory / name)
    for name, value in tree_flatten(model.parameters()):
        if there.get(name) != tuple(value.shape):
            raise sdk.StageError(
                f"mlx-lm keeps {name} otherwise than the model's files do, so that it could not be written back: "
                'this architecture is for trainer "torch"'
            )


def quantise(model: Any, about: dict[str, Any], bits: int) -> None:
    """Quantises the frozen weights, where their width allows it."""
    utils.quantize_model(model, about, group_size=_QUANTISED_GROUP, bits=bits)


def adapt(model: Any, config: Config, seed: int) -> list[str]:
    """Puts fresh adapters beside linear layers, and gives those layers' names."""
    a = config.adapter
    linear = [n for n, m in model.named_modules() if isinstance(m, (nn.Linear, nn.QuantizedLinear))]
    layers = adapter.chosen(sorted(linear), "lm_head", a.targets)
    mx.random.seed(seed & ((1 << 63) - 1))
    scale = a.alpha / a.rank
    linear_to_lora_layers(
        model, len(model.layers), {"rank": a.rank, "scale": scale, "dropout": a.dropout, "keys": set(layers)}
    )
    return layers


def read_adapters(directory: Path, config: Config, layers: list[str]) -> Any:
    """The parameters of adapters that were trained before, as a tree."""
    adapter.check_config(directory, config.adapter)
    file = directory / ADAPTER_WEIGHTS
    adapter.check_names(file, source.header(file), layers)
    there = mx.load(str(file))
    out = []
    for layer in layers:
        a, b = adapter.names(layer)
        out += [(f"{layer}.lora_a", there[a].T), (f"{layer}.lora_b", there[b].T)]
    return tree_unflatten([(k, mx.contiguous(v.astype(mx.float32))) for k, v in out])


def write_adapters(directory: Path, config: Config, layers: list[str], parameters: Any) -> None:
    """Writes adapters as PEFT has them: its matrices are those of mlx, transposed."""
    there = dict(tree_flatten(parameters))
    tensors = {}
    for layer in layers:
        a, b = adapter.names(layer)
        tensors[a] = there[f"{layer}.lora_a"].T
        tensors[b] = there[f"{layer}.lora_b"].T
    write(directory / ADAPTER_WEIGHTS, tensors)
    adapter.write_config(directory, config.adapter, layers)


def write(file: Path, tensors: dict[str, mx.array]) -> None:
    """Writes tensors in the order of their names. mlx's own writer has another one each time."""
    save_file({k: np.array(v, order="C") for k, v in tensors.items()}, str(file), {"format": "pt"})


def is_full(config: Common) -> bool:
    return config.method == FULL
