"""The attributes of a trainer "mlx" block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata

import jupiter_sdk as sdk
from jupiter_trainers.config import FULL
from jupiter_trainers.config import Config as Common

from . import blas

_OK, _ABSENT, _PROBLEM = sdk.Finding.LEVEL_OK, sdk.Finding.LEVEL_ABSENT, sdk.Finding.LEVEL_PROBLEM

_SLOW = (
    "no fast BLAS is installed, and that of mlx's wheel for Linux takes 40 times as long: install libopenblas.so.0 "
    "(Debian: libopenblas0-pthread; Fedora: openblas), or mkl with pip beside this plugin"
)


@dataclass(frozen=True, kw_only=True)
class Config(Common):
    """What mlx can do beside the rest."""

    quantize: int | None = sdk.attribute(
        default=None, description="Bits, 4 or 8, that the weights of the frozen model below adapters are quantised to."
    )

    def validate(self) -> Iterable[sdk.Diagnostic]:
        yield from super().validate()
        if self.dtype == "f16":
            detail = "mlx trains without the scaling of losses that f16 needs: say bf16, or f32."
            yield sdk.error("Unusable numbers", detail, "dtype")
        if self.quantize not in (None, 4, 8):
            yield sdk.error("Unusable number of bits", f"quantize is {self.quantize}; it is 4 or 8.", "quantize")
        if self.quantize is not None and self.method == FULL:
            detail = 'Quantised weights cannot be trained: take quantize out, or say method = "lora".'
            yield sdk.error("Nothing to quantise", detail, "quantize")
        if self.gradient_checkpointing and self.adapter.dropout > 0:
            detail = "Layers that are computed again would drop other numbers than before: take lora.dropout out."
            yield sdk.error("Two that exclude each other", detail, "gradient_checkpointing")

    def check(self) -> list[sdk.Finding]:
        """Libraries, device and memory."""
        out = []
        for name in ("mlx", "mlx-lm", "transformers"):
            try:
                out.append(sdk.Finding(subject=name, level=_OK, detail=metadata.version(name)))
            except metadata.PackageNotFoundError:
                out.append(sdk.Finding(subject=name, level=_PROBLEM, detail=f"{name} is not installed"))
        if any(f.level == _PROBLEM for f in out):
            return out
        try:
            import mlx.core as mx

            info = mx.device_info()
            mx.eval(mx.zeros(1) + 1)
        except Exception as e:
            return [*out, sdk.Finding(subject="device", level=_PROBLEM, detail=f"mlx computes nothing here: {e}")]
        name = f"{mx.default_device().type.name}: {info.get('device_name', 'unknown')}"
        memory = info.get("max_recommended_working_set_size") or info.get("memory_size")
        more = f", {int(memory) / (1 << 30):.1f} GiB for one program" if memory else ""
        out.append(sdk.Finding(subject="device", level=_OK, detail=name + more))
        if blas.used == blas.REFERENCE:
            out.append(sdk.Finding(subject="BLAS", level=_ABSENT, detail=_SLOW))
        elif blas.used:
            out.append(sdk.Finding(subject="BLAS", level=_OK, detail=blas.used))
        return out
