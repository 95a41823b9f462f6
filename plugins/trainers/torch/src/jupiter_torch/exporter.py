"""The exporter: a checkpoint as a directory of Hugging Face's, or as GGUF by a program of llama.cpp's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import jupiter_sdk as sdk
from jupiter_trainers import adapter, checkpoint, source
from jupiter_trainers.checkpoint import Info
from jupiter_trainers.config import LORA

HUGGING_FACE_MEDIA_TYPE = "application/vnd.huggingface.model"
_FORMATS = ("f32", "f16", "bf16", "q8_0")
_DTYPES = ("bf16", "f16", "f32")


@dataclass(frozen=True, kw_only=True)
class Config:
    """The attributes of an exporter "torch" block."""

    dtype: str = sdk.attribute(default="bf16", description='Numbers of the written weights: "bf16", "f16" or "f32".')
    gguf: str = sdk.attribute(
        default="",
        description="The path of llama.cpp's convert_hf_to_gguf.py, which then makes a GGUF file of the model. For "
        'architectures other than Llama\'s: exporter "llama" writes those.',
    )
    gguf_type: str = sdk.attribute(default="f16", description='Numbers of a GGUF file: "f32", "f16", "bf16", "q8_0".')

    def validate(self) -> Iterable[sdk.Diagnostic]:
        for name, value, there in (("dtype", self.dtype, _DTYPES), ("gguf_type", self.gguf_type, _FORMATS)):
            if value not in there:
                yield sdk.error("Unknown word", f"{name} is {value[:40]!r}; there are {', '.join(there)}.", name)

    def check(self) -> list[sdk.Finding]:
        """Whether the program of llama.cpp's is there."""
        if not self.gguf:
            return []
        there = Path(self.gguf).is_file()
        level = sdk.Finding.LEVEL_OK if there else sdk.Finding.LEVEL_PROBLEM
        return [
            sdk.Finding(subject="gguf", level=level, detail=self.gguf if there else f"there is no file {self.gguf}")
        ]


@sdk.exporter(
    "torch",
    Config,
    description="Puts adapters and model together, and writes a directory of Hugging Face's, or a GGUF file.",
    revision=1,
    deterministic=True,
    consumes=[sdk.CHECKPOINT_MEDIA_TYPE],
    produces=[HUGGING_FACE_MEDIA_TYPE, sdk.GGUF_MEDIA_TYPE],
)
def torch_exporter(call: sdk.Call, config: Config, artifact: sdk.Artifact) -> Iterator[sdk.Output]:
    info = checkpoint.read(artifact.path)
    model = call.work_dir / "hugging-face"
    _merge(Path(artifact.path), call.base, info, config.dtype, model)
    meta = {"step": str(info.step), "method": info.method, "dtype": config.dtype}
    if not config.gguf:
        yield sdk.Output(name="model", media_type=HUGGING_FACE_MEDIA_TYPE, path=model.name, meta=meta)
        return
    file = call.work_dir / "model.gguf"
    _convert(config, model, file)
    shutil.rmtree(model)
    yield sdk.Output(
        name="model", media_type=sdk.GGUF_MEDIA_TYPE, path=file.name, meta={**meta, "dtype": config.gguf_type}
    )


def _merge(path: Path, base: sdk.Artifact | None, info: Info, dtype: str, target: Path) -> None:
    """Writes the whole model, with what adapters have learned in its weights."""
    from peft import PeftModel

    from . import devices
    from . import model as models
    from .config import CPU
    from .config import Config as TrainerConfig

    directory = path / checkpoint.MODEL
    if info.method == LORA:
        if base is None:
            raise sdk.StageError("the checkpoint holds adapters, and the model that they build on did not come with it")
        directory = Path(base.path) / checkpoint.MODEL
    whole = TrainerConfig(method=LORA, dtype="f32", device=CPU)  # sums are made in float32, and rounded once
    model = models.load(directory, whole, CPU)
    if info.method == LORA:
        adapters = path / checkpoint.ADAPTER
        adapter.read_config(adapters)
        source.header(adapters / checkpoint.ADAPTER_WEIGHTS)
        model = PeftModel.from_pretrained(model, str(adapters)).merge_and_unload(safe_merge=True)
    model.to(devices.numbers(dtype)).save_pretrained(str(target))
    checkpoint.copy_beside(directory, target)


def _convert(config: Config, model: Path, file: Path) -> None:
    """Runs llama.cpp's program in this Python, which has the libraries that it needs beside gguf."""
    if not Path(config.gguf).is_file():
        raise sdk.StageError(f"gguf names {config.gguf}, and there is no such file")
    command = [sys.executable, config.gguf, str(model), "--outfile", str(file), "--outtype", config.gguf_type]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode != 0 or not file.is_file():
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise sdk.StageError(f"{config.gguf} ended with status {done.returncode}, and wrote no model: {last}")
