"""What this machine computes on, and with which numbers."""

from __future__ import annotations

import os
from importlib import util
from typing import Any

import jupiter_sdk as sdk
import torch
from jupiter_trainers.config import AUTO

from .config import CPU, CUDA, MPS, Config

_DTYPES = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}


def choose(config: Config) -> str:
    """The device of a configuration. StageError: it is not there, or cannot do what is asked of it."""
    there = [name for name, has in ((CUDA, torch.cuda.is_available()), (MPS, torch.backends.mps.is_available())) if has]
    device = config.device if config.device != AUTO else (there or [CPU])[0]
    if device not in (*there, CPU):
        raise sdk.StageError(f'device = "{device}", and torch {torch.__version__} finds none on this machine')
    if config.processes > 1 and device == CUDA and config.processes > torch.cuda.device_count():
        raise sdk.StageError(f"processes = {config.processes}, and there are {torch.cuda.device_count()} GPUs")
    if config.processes > 1 and device == MPS:
        raise sdk.StageError("there is one MPS device, for one process: take processes out")
    if config.dtype == "f16" and device == CPU:
        raise sdk.StageError('dtype = "f16" needs a GPU, and there is none: say "bf16", or "f32"')
    if config.quantize is not None:
        if device != CUDA:
            raise sdk.StageError(f'quantize = "{config.quantize}" needs CUDA, and the device is {device}')
        if util.find_spec("bitsandbytes") is None:
            raise sdk.StageError(f'quantize = "{config.quantize}" needs bitsandbytes, which is not installed')
    return device


def dtype_of(config: Config, device: str) -> str:
    """What the model computes with: on processors bf16 is slower than f32."""
    if config.dtype != AUTO:
        return config.dtype
    return "f32" if device == CPU else "bf16"


def numbers(name: str) -> torch.dtype:
    return _DTYPES[name]


def place(device: str) -> torch.device:
    """The device of this process: of several GPUs the one with its number, as torchrun counts."""
    return torch.device(CUDA, int(os.environ.get("LOCAL_RANK", "0"))) if device == CUDA else torch.device(device)


def peak(device: str) -> float:
    """The most bytes in use so far; 0 where that is not known."""
    if device == CUDA:
        return float(torch.cuda.max_memory_allocated())
    if device == MPS:
        return float(torch.mps.driver_allocated_memory())
    return _resident()


def _resident() -> float:
    import resource
    import sys

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(most if sys.platform == "darwin" else most << 10)


def describe(device: str) -> str:
    if device == CUDA:
        names: dict[str, Any] = {}
        for i in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(i)
            names[f"{i}"] = (
                f"{torch.cuda.get_device_name(i)}, {free / (1 << 30):.1f} of {total / (1 << 30):.1f} GiB free"
            )
        return "cuda: " + "; ".join(names.values())
    return f"{device}: {torch.get_num_threads()} threads" if device == CPU else device


def collect(device: str) -> None:
    """Gives memory that nothing uses back to the device."""
    if device == CUDA:
        torch.cuda.empty_cache()
    elif device == MPS:
        torch.mps.empty_cache()
