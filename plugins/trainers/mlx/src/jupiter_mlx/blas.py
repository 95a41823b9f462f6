"""Who computes mlx's matrix products on a Linux processor.

mlx's wheel for Linux brings the reference BLAS, netlib's, which has one thread and no SIMD. A library that is loaded before
mlx, with its names visible to all, takes its place: OpenBLAS of the system, or MKL where pip has put it beside this
package. On Apple silicon mlx has its own.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from pathlib import Path

REFERENCE = "the reference BLAS of mlx's wheel"

# What OpenBLAS is told to take the processor for. A release that is older than the processor takes it for one without AVX.
_CORES = (
    ("SkylakeX", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
    ("Haswell", {"avx2", "fma"}),
)


def prefer() -> str:
    """Loads the first that is there, and says which; "" where mlx is left as it is."""
    if sys.platform != "linux":
        return ""
    name = core(Path("/proc/cpuinfo"))
    if name and platform.machine() == "x86_64":
        os.environ.setdefault("OPENBLAS_CORETYPE", name)
    mkl = sorted(Path(sys.prefix, "lib").glob("libmkl_rt.so*"))
    for library in ("libopenblas.so.0", *map(str, mkl)):
        try:
            loaded = ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
            loaded.cblas_sgemm  # noqa: B018 - a build without C's interface is of no use
        except (OSError, AttributeError):
            continue
        return _name(loaded, library)
    return REFERENCE


def core(cpuinfo: Path) -> str:
    """What OpenBLAS calls the newest processor that this one can do all of; "" where none is known."""
    try:
        lines = cpuinfo.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    flags = next((set(line.split(":", 1)[1].split()) for line in lines if line.startswith("flags")), set[str]())
    return next((name for name, needs in _CORES if needs <= flags), "")


def _name(loaded: ctypes.CDLL, library: str) -> str:
    if "mkl" in library:
        return "MKL"
    loaded.openblas_get_config.restype = ctypes.c_char_p
    loaded.openblas_get_corename.restype = ctypes.c_char_p
    version = " ".join(loaded.openblas_get_config().decode().split()[:2])
    return f"{version}, {loaded.openblas_get_corename().decode()}"


used = prefer()
