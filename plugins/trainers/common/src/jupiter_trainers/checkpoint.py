"""Checkpoints on disk.

trainer.json   what it is: see `Info`
model/         of a whole model and of an import: a directory of Hugging Face's
adapter/       of adapters: PEFT's adapter_config.json and adapter_model.safetensors
state/         the optimizer's moments, in the form of the library that wrote them

The random state is Info's seed, and the place in the draws its step: what a step draws depends on these two alone.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import jupiter_sdk as sdk

from .config import FULL, LORA

FORMAT = 1
INFO = "trainer.json"
MODEL, ADAPTER, STATE = "model", "adapter", "state"
ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


@dataclass(frozen=True)
class Info:
    """What trainer.json says."""

    trainer: str
    method: str
    step: int
    dtype: str = ""
    seed: int = 0
    batch_size: int = 0  # 0: an import
    micro_batch: dict[str, int] = field(default_factory=dict)  # configured, and used
    records: dict[str, int] = field(default_factory=dict)  # of the last call: read, cut, untrained
    windows: list[dict[str, Any]] = field(default_factory=list)  # start, end, dataset
    base: str = ""  # digest of the model that adapters build on
    versions: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def imported(self) -> bool:
        return self.batch_size == 0


def write(directory: Path, info: Info, fill: Callable[[Path], None]) -> None:
    """Writes a checkpoint: whole, or not at all."""
    partial = directory.with_name(directory.name + ".partial")
    try:
        for old in (partial, directory):
            shutil.rmtree(old, ignore_errors=True)
        partial.mkdir(parents=True)
        fill(partial)
        text = json.dumps(asdict(info), sort_keys=True, indent=1, allow_nan=False)
        (partial / INFO).write_text(text + "\n", encoding="utf-8")
        partial.rename(directory)
    except OSError as e:
        raise sdk.StageError(f"the checkpoint of step {info.step} cannot be written: {e}") from e


def read(path: str) -> Info:
    """What a checkpoint says of itself."""
    file = Path(path) / INFO
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise sdk.StageError(f"{path} is no checkpoint of this trainer: {e}") from e
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise sdk.StageError(f"{file} is no checkpoint of format {FORMAT}")
    try:
        info = Info(**value)
    except TypeError as e:
        raise sdk.StageError(f"{file} is no checkpoint of format {FORMAT}: {e}") from e
    if info.method not in (FULL, LORA) or not isinstance(info.step, int) or not isinstance(info.batch_size, int):
        raise sdk.StageError(f"{file} is no checkpoint of format {FORMAT}")
    return info


def copy_beside(source: Path, target: Path) -> None:
    """Copies what a model's directory holds beside its weights, links by what they lead to."""
    target.mkdir(parents=True, exist_ok=True)
    for file in sorted(source.iterdir()):
        weights = file.name.endswith((".safetensors", ".safetensors.index.json"))
        if file.is_file() and not weights and file.suffix in (".json", ".jinja", ".model", ".txt"):
            shutil.copyfile(file, target / file.name)
