"""What torch raises, and what it means."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import jupiter_sdk as sdk
import torch
from jupiter_trainers.engine import OutOfMemory

_MEMORY = ("out of memory", "can't allocate memory", "alloc_failed", "not enough memory")
_LOST = ("cuda error", "cudnn error", "cublas_status", "hip error", "nccl error", "command buffer exited with error")
_OWN_FAULT = ("device-side assert", "no kernel image", "invalid device ordinal", "driver version is insufficient")

_lost = False


@contextmanager
def translated() -> Iterator[None]:
    """Raises OutOfMemory and TransientError in the place of torch's own."""
    try:
        yield
    except torch.OutOfMemoryError as e:
        raise OutOfMemory(_line(e)) from e
    except MemoryError as e:
        raise OutOfMemory(_line(e) or "no memory is left") from e
    except RuntimeError as e:
        text = str(e).lower()
        if any(t in text for t in _MEMORY):
            raise OutOfMemory(_line(e)) from e
        if any(t in text for t in _LOST) and not any(t in text for t in _OWN_FAULT):
            global _lost
            _lost = True
            raise sdk.TransientError(f"the device was lost in the middle of the work: {_line(e)}") from e
        raise


def leave_if_lost() -> None:
    """Ends the process if it has lost a device: CUDA answers it with errors for as long as it lives. The host, which tries
    again, starts another one."""
    if _lost:
        print("this process has lost its device, and ends for another one to go on", file=sys.stderr, flush=True)
        os._exit(1)


def _line(e: BaseException) -> str:
    return (str(e).splitlines() or [""])[0]
