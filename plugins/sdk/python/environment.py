"""Makes the virtual environment that tests of Python plugins run in, and prints its directory.

It lies in the user's cache, under a name made of what it depends on, so that it is made once and made anew when a
dependency changes. The packages of this repository are installed in it as a user's would be, and again whenever their
sources change: the host takes no plugin whose files lie elsewhere. It needs Python 3.10 or later with venv, and, the
first time, the package index.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent.parent
PACKAGES = [ROOT / "plugins/sdk/python", ROOT / "examples/plugins/python-markov"]
BACKEND = "hatchling==1.27.0"  # builds the packages without asking the index again


def main() -> None:
    if sys.version_info < (3, 10):  # noqa: UP036 - whatever Python there is runs this
        sys.exit(f"Python 3.10 or later is needed, and {sys.executable} is {sys.version.split()[0]}")
    projects = b"".join((p / "pyproject.toml").read_bytes() for p in PACKAGES)
    key = digest(f"{sys.version}\0{ROOT}\0{BACKEND}".encode() + projects)[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jupiter"
    directory = cache / f"python-{key}"
    cache.mkdir(parents=True, exist_ok=True)
    with open(f"{directory}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests of several packages want it at once
        stamp, sources = directory / "sources", digest(*map(Path.read_bytes, source_files()))
        if not stamp.exists():
            venv.create(directory, clear=True, with_pip=True)
            install(directory, BACKEND, *(f"{p}[dev]" for p in PACKAGES))
        elif stamp.read_text() != sources:
            install(directory, "--no-deps", "--no-build-isolation", "--force-reinstall", *map(str, PACKAGES))
        stamp.write_text(sources)
    print(directory)


def digest(*parts: bytes) -> str:
    h = hashlib.sha256()
    for p in parts:
        h.update(hashlib.sha256(p).digest())
    return h.hexdigest()


def source_files() -> list[Path]:
    return sorted(f for p in PACKAGES for f in (p / "src").rglob("*") if f.suffix in (".py", ".pyi", ".typed"))


def install(directory: Path, *what: str) -> None:
    pip = [directory / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *what], check=True, stdout=sys.stderr)


if __name__ == "__main__":
    main()
