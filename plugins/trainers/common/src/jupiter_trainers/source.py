"""A model directory of Hugging Face's: whether it is whole, and a copy of it.

Nothing of it is run: weights are read from safetensors alone, and code that a model brings is neither copied nor called.
Its chat template is a program, which transformers runs in a sandbox.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jupiter_sdk as sdk

from .checkpoint import copy_beside
from .encode import Encoder

_WEIGHTS, _INDEX = "model.safetensors", "model.safetensors.index.json"
_EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight")
_PROBE = [{"role": "user", "content": "What is 7 plus 5?"}, {"role": "assistant", "content": "It is 12."}]


def load_tokenizer(directory: Path) -> Any:
    """The tokenizer of a model directory."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(directory), local_files_only=True, trust_remote_code=False)
    except Exception as e:  # the library raises what its parsers raise
        raise sdk.StageError(f"the tokenizer in {directory} cannot be read: {e}") from e
    if not getattr(tokenizer, "is_fast", False):
        raise sdk.StageError(f"{directory} has no tokenizer.json, without which places in a text are not known")
    if tokenizer.eos_token_id is None:
        raise sdk.StageError(f"the tokenizer in {directory} has no token for the end of a text (eos_token)")
    return tokenizer


def check(path: str) -> dict[str, tuple[int, ...]]:
    """Refuses a directory that is no whole model, and gives its tensors' shapes."""
    directory = Path(path)
    if not directory.is_dir():
        hint = ": jupiter convert makes one of a GGUF file" if path.endswith(".gguf") else ""
        raise sdk.StageError(f"{path} is no directory; wanted is one of Hugging Face's{hint}")
    config = _json(directory / "config.json")
    if not config.get("model_type"):
        raise sdk.StageError(f"{directory / 'config.json'} names no model_type")
    for key in ("quantization_config", "quantization"):
        if config.get(key):
            raise sdk.StageError(
                f"the weights in {path} are quantised ({key} in config.json): take the model as it was before"
            )
    shapes = _shapes(directory)
    tokenizer = load_tokenizer(directory)
    rows = _rows(config, shapes)
    last = max(tokenizer.get_vocab().values(), default=0)
    if rows and last >= rows:
        raise sdk.StageError(
            f"the tokenizer in {path} does not belong to the model: its highest token is {last}, "
            f"and the model has embeddings for {rows}"
        )
    if tokenizer.chat_template:
        _probe(tokenizer)
    return shapes


def _probe(tokenizer: Any) -> None:
    """Renders a chat: one question, one answer."""
    encoder = Encoder(tokenizer, 1 << 20, 0)
    messages = [sdk.Message(role=t["role"], content=t["content"], train=t["role"] == "assistant") for t in _PROBE]
    if encoder.encode(sdk.Record(messages=messages)).weight <= 1:
        raise sdk.StageError("the model's chat template leaves the assistant's answer out of a chat")


def copy(path: str, target: Path) -> None:
    """Copies a model that was checked; links, such as those of a hub's cache, by what they lead to."""
    directory = Path(path)
    try:
        copy_beside(directory, target)
        for name in [*shards(directory), *([_INDEX] if (directory / _INDEX).exists() else [])]:
            shutil.copyfile(directory / name, target / name)
    except OSError as e:
        raise sdk.StageError(f"{path} cannot be copied: {e}") from e


def shards(directory: Path) -> list[str]:
    """The files of a model's weights."""
    if not (directory / _INDEX).exists():
        return [_WEIGHTS]
    found = _json(directory / _INDEX).get("weight_map")
    if not isinstance(found, dict) or not found or not all(isinstance(v, str) for v in found.values()):
        raise sdk.StageError(f"{directory / _INDEX} has no weight_map of file names")
    names = sorted(set(found.values()))
    for name in names:
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise sdk.StageError(f"{directory / _INDEX} names {name!r}, which is no safetensors file beside it")
    return names


def _shapes(directory: Path) -> dict[str, tuple[int, ...]]:
    names = shards(directory)
    missing = [n for n in names if not (directory / n).is_file()]
    if missing == [_WEIGHTS]:
        others = [p.name for p in _others(directory)]
        instead = f"; {others[0]} is of another format" if others else ""
        raise sdk.StageError(f"{directory} has no {_WEIGHTS}{instead}")
    if missing:
        raise sdk.StageError(
            f"{directory} is not whole: {len(missing)} of {len(names)} files of its weights are missing, first {missing[0]}"
        )
    shapes: dict[str, tuple[int, ...]] = {}
    where: dict[str, str] = {}
    for name in names:
        found = header(directory / name)
        shapes |= found
        where |= dict.fromkeys(found, name)
    if (directory / _INDEX).exists():
        for tensor, name in sorted(_json(directory / _INDEX)["weight_map"].items()):
            if where.get(tensor) != name:
                raise sdk.StageError(f"{directory} is not whole: {name} does not hold {tensor}, as {_INDEX} says")
    return shapes


def header(file: Path) -> dict[str, tuple[int, ...]]:
    """The tensors of a safetensors file with their shapes. A file that is cut short is refused."""
    from safetensors import safe_open

    try:
        with safe_open(str(file), framework="numpy") as f:
            return {k: tuple(f.get_slice(k).get_shape()) for k in f.keys()}  # noqa: SIM118 - it is no dict
    except Exception as e:  # the library's own error has no public base
        raise sdk.StageError(f"{file} cannot be read: {e}") from e


def _others(directory: Path) -> Iterable[Path]:
    return sorted(
        p for p in directory.iterdir() if p.suffix in (".bin", ".gguf", ".pt", ".pth", ".safetensors", ".npz")
    )


def _rows(config: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> int:
    """How many tokens the model has embeddings for; 0: that cannot be told."""
    found = [s[0] for n, s in shapes.items() if n.endswith(_EMBEDDINGS) and len(s) == 2]
    text = config.get("text_config")
    size = config.get("vocab_size") or (text.get("vocab_size") if isinstance(text, dict) else None)
    if found and isinstance(size, int) and found[0] != size:
        raise sdk.StageError(
            f"config.json says vocab_size {size}, and the weights have embeddings for {found[0]} tokens"
        )
    return found[0] if found else size if isinstance(size, int) else 0


def _json(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except OSError as e:
        raise sdk.StageError(f"{file} cannot be read: {e.strerror or e}") from e
    except ValueError as e:
        raise sdk.StageError(f"{file} is no JSON: {e}") from e
    if not isinstance(value, dict):
        raise sdk.StageError(f"{file} is no JSON object")
    return value
