"""The attributes of a trainer "torch" block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata, util

import jupiter_sdk as sdk
from jupiter_trainers.config import AUTO, FULL
from jupiter_trainers.config import Config as Common

CPU, CUDA, MPS = "cpu", "cuda", "mps"
NF4 = "nf4"

_OK, _ABSENT, _PROBLEM = sdk.Finding.LEVEL_OK, sdk.Finding.LEVEL_ABSENT, sdk.Finding.LEVEL_PROBLEM


@dataclass(frozen=True, kw_only=True)
class Config(Common):
    """What torch can do beside the rest."""

    device: str = sdk.attribute(
        default=AUTO, effect="none", description='"cuda", "mps" or "cpu"; "auto" is the first of them that there is.'
    )
    quantize: str | None = sdk.attribute(
        default=None,
        description='"nf4" has bitsandbytes keep the frozen model below adapters in 4 bits (QLoRA). CUDA alone.',
    )
    processes: int = sdk.attribute(
        default=1,
        effect="none",
        description="Processes that share each step's rows under torchrun: one for each GPU. But for rounding it "
        "changes no result.",
    )

    def validate(self) -> Iterable[sdk.Diagnostic]:
        yield from super().validate()
        if self.device not in (AUTO, CUDA, MPS, CPU):
            detail = f"There is no device {self.device[:40]!r}; there are {AUTO}, {CUDA}, {MPS}, {CPU}."
            yield sdk.error("Unknown word", detail, "device")
        if not 1 <= self.processes <= 1024:
            yield sdk.error("Number out of range", "processes must be from 1 to 1024.", "processes")
        if self.processes > 1 and self.device == MPS:
            yield sdk.error("One device", "There is one MPS device, for one process.", "processes")
        if self.device == CPU and self.dtype == "f16":
            yield sdk.error("Unusable numbers", "f16 needs a GPU: say bf16, or f32.", "dtype")
        if self.quantize is None:
            return
        if self.quantize != NF4:
            yield sdk.error("Unknown word", f"quantize is {self.quantize[:40]!r}; there is {NF4}.", "quantize")
        if self.method == FULL:
            detail = 'Quantised weights cannot be trained: take quantize out, or say method = "lora".'
            yield sdk.error("Nothing to quantise", detail, "quantize")
        if self.device in (CPU, MPS):
            yield sdk.error("No bitsandbytes", f"{NF4} needs CUDA, and device says {self.device}.", "quantize")

    def check(self) -> list[sdk.Finding]:
        """Libraries, device and memory."""
        out = []
        for name in ("torch", "transformers", "peft"):
            try:
                out.append(sdk.Finding(subject=name, level=_OK, detail=metadata.version(name)))
            except metadata.PackageNotFoundError:
                out.append(sdk.Finding(subject=name, level=_PROBLEM, detail=f"{name} is not installed"))
        out.append(self._bitsandbytes())
        if any(f.subject == "torch" and f.level == _PROBLEM for f in out):
            return out
        from . import devices

        try:
            device = devices.choose(self)
            out.append(sdk.Finding(subject="device", level=_OK, detail=devices.describe(device)))
        except sdk.StageError as e:
            out.append(sdk.Finding(subject="device", level=_PROBLEM, detail=str(e)))
        return out

    def _bitsandbytes(self) -> sdk.Finding:
        if util.find_spec("bitsandbytes"):
            return sdk.Finding(subject="bitsandbytes", level=_OK, detail=metadata.version("bitsandbytes"))
        level = _ABSENT if self.quantize is None else _PROBLEM
        return sdk.Finding(subject="bitsandbytes", level=level, detail="it is not installed; quantize needs it")
