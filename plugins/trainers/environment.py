"""Makes the virtual environment that tests of a trainer run in, and prints its directory.

    environment.py mlx     with mlx's wheel for this machine. Prints nothing, and says so, where there can be none.
    environment.py torch   on top of the environment of $TRANSFORMERS_PYTHON, a Python that has torch and transformers:
                           those are gigabytes, and nothing of them is installed here. Prints nothing where it is not set.

It lies in the user's cache, as that of plugins/sdk/python/environment.py does. The packages of this repository are read
where they lie: they are tested as they are.
"""

import fcntl
import hashlib
import os
import platform
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PARTS = {"mlx": ["common", "mlx"], "torch": ["common", "torch"]}
NEEDS = {"mlx": [], "torch": ["torch", "transformers"]}
# What the packages need, without themselves; of torch what the environment below has already is left alone.
LIBRARIES = {
    "mlx": ["mlx==0.32.4" if sys.platform == "darwin" else "mlx[cpu]==0.32.4", "mlx-lm==0.32.2"],
    "torch": ["accelerate==1.15.0", "peft==0.21.2"],
}
WHEELS = {("darwin", "arm64"), ("linux", "x86_64"), ("linux", "aarch64")}
SDK = ["grpcio>=1.66.2,<2", "protobuf>=6.30,<8", "jinja2>=3.1", "zstandard>=0.22"]
TOOLS = [
    "mypy==2.4.1",
    "pytest==9.2.0",
    "ruff==0.17.6",
    "types-grpcio==1.85.0.20261028",
    "types-protobuf==7.35.1.20260906",
]


def main() -> None:
    part = sys.argv[1]
    if part == "mlx" and (sys.platform, platform.machine()) not in WHEELS:
        print(f"NOT TESTED: mlx has no wheel for {sys.platform} on {platform.machine()}", file=sys.stderr)
        return
    python = sys.executable if part == "mlx" else os.environ.get("TRANSFORMERS_PYTHON", "")
    if not python:
        print("NOT TESTED: TRANSFORMERS_PYTHON names no Python with torch and transformers", file=sys.stderr)
        return
    below = site_of(python, NEEDS[part])
    version = subprocess.run([python, "-VV"], capture_output=True, text=True, check=True).stdout
    key = hashlib.sha256(repr((version, below, LIBRARIES[part], SDK, TOOLS, str(ROOT))).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jupiter"
    directory, stamp = cache / f"trainer-{part}-{key}", cache / f"trainer-{part}-{key}" / "made"
    cache.mkdir(parents=True, exist_ok=True)
    with open(f"{directory}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists():
            make(part, python, below, directory)
            stamp.touch()
    print(directory)


def site_of(python: str, needs: list[str]) -> str:
    """Where a Python has its packages; "" where nothing of it is needed."""
    if not needs:
        return ""
    code = f"import {', '.join(needs)}, sysconfig; print(sysconfig.get_paths()['purelib'])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{python} has not what TRANSFORMERS_PYTHON promises: {done.stderr.strip()}")
    return done.stdout.strip()


def make(part: str, python: str, below: str, directory: Path) -> None:
    if python == sys.executable:
        venv.create(directory, clear=True, with_pip=True)
    else:
        subprocess.run([python, "-m", "venv", "--clear", str(directory)], check=True)
    site = next(directory.glob("lib/python*/site-packages"))
    sources = [ROOT / "plugins/sdk/python/src", *(HERE / p / "src" for p in PARTS[part])]
    (site / "jupiter.pth").write_text("".join(f"{p}\n" for p in [*sources, *([below] if below else [])]))
    pip = [directory / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *LIBRARIES[part], *SDK, *TOOLS], stdout=sys.stderr)
    if done.returncode != 0:
        sys.exit(f"the libraries of trainer {part} could not be installed")


if __name__ == "__main__":
    main()
