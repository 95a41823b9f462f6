"""Adapters on disk, in PEFT's form: what a library writes here, the others and the exporters read.

adapter_config.json         rank, alpha, dropout, and the names of the layers
adapter_model.safetensors   base_model.model.LAYER.lora_A.weight [rank, in] and .lora_B.weight [out, rank]
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jupiter_sdk as sdk

from .checkpoint import ADAPTER_CONFIG
from .config import Adapter

_PREFIX = "base_model.model."
_A, _B = ".lora_A.weight", ".lora_B.weight"


def names(layer: str) -> tuple[str, str]:
    """What the two matrices of a layer are called."""
    return f"{_PREFIX}{layer}{_A}", f"{_PREFIX}{layer}{_B}"


def chosen(linear: Iterable[str], output: str, targets: Iterable[str]) -> list[str]:
    """The layers that get an adapter, of all linear ones; without targets all but the output layer's."""
    there, wanted = list(linear), tuple(targets)
    if not wanted:
        found = [n for n in there if n != output]
        if not found:
            raise sdk.StageError('the model has no linear layers for adapters: method = "full" trains it')
        return found
    for t in wanted:
        if not any(_meant(n, t) for n in there):
            last = ", ".join(sorted({n.rsplit(".", 1)[-1] for n in there}))
            raise sdk.StageError(
                f"lora.targets names {t}, and no linear layer of the model is called so; there are {last}"
            )
    return [n for n in there if any(_meant(n, t) for t in wanted)]


def _meant(layer: str, target: str) -> bool:
    return layer == target or layer.endswith("." + target)


def write_config(directory: Path, adapter: Adapter, layers: Iterable[str]) -> None:
    """Writes what PEFT has to know."""
    value = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": adapter.rank,
        "lora_alpha": adapter.alpha,
        "lora_dropout": adapter.dropout,
        "target_modules": list(adapter.targets) or sorted({n.rsplit(".", 1)[-1] for n in layers}),
        "base_model_name_or_path": None,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
    }
    (directory / ADAPTER_CONFIG).write_text(json.dumps(value, sort_keys=True, indent=1) + "\n", encoding="utf-8")


def check_config(directory: Path, adapter: Adapter) -> None:
    """Refuses adapters of another shape than the configuration asks for."""
    value = read_config(directory)
    for key, attribute, want in (("r", "rank", adapter.rank), ("lora_alpha", "alpha", adapter.alpha)):
        if value.get(key) != want:
            raise sdk.StageError(
                f"the checkpoint's adapters have {attribute} {value.get(key)}, and the configuration says {want:g}: "
                "a student keeps the adapters that it began with"
            )


def read_config(directory: Path) -> dict[str, Any]:
    """What adapter_config.json says."""
    file = directory / ADAPTER_CONFIG
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise sdk.StageError(f"{file} cannot be read: {e}") from e
    if not isinstance(value, dict) or value.get("peft_type") != "LORA":
        raise sdk.StageError(f"{file} is not about LoRA")
    return value


def check_names(file: Path, there: Iterable[str], layers: Iterable[str]) -> None:
    """Refuses adapters beside other layers than the configuration asks for."""
    have, want = set(there), {n for layer in layers for n in names(layer)}
    kept = "a student keeps the adapters that it began with (lora.targets)"
    if want - have:
        raise sdk.StageError(f"{file} has no {min(want - have)}, which the configuration asks for: {kept}")
    if have - want:
        raise sdk.StageError(f"{file} has {min(have - want)}, which the configuration does not ask for: {kept}")
