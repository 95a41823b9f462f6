"""Makes the virtual environment that tests of Python plugins run in, and prints its directory.

It lies in the user's cache, under a name made of what it depends on, so that it is made once and made anew when a
dependency changes. The packages of this repository are in it as they stand in the working tree. It needs Python 3.10 or
later with venv, and, the first time, the package index.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent.parent
PACKAGES = ("plugins/sdk/python", "examples/plugins/python-markov")


def main() -> None:
    if sys.version_info < (3, 10):  # noqa: UP036 - whatever Python there is runs this
        sys.exit(f"Python 3.10 or later is needed, and {sys.executable} is {sys.version.split()[0]}")
    packages = [ROOT / p for p in PACKAGES if (ROOT / p / "pyproject.toml").exists()]
    key = hashlib.sha256(f"{sys.version}\0{ROOT}".encode())
    for p in packages:
        key.update((p / "pyproject.toml").read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jupiter"
    directory = cache / f"python-{key.hexdigest()[:16]}"
    cache.mkdir(parents=True, exist_ok=True)
    with open(f"{directory}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests of several packages want it at once
        if not (directory / "complete").exists():
            venv.create(directory, clear=True, with_pip=True)
            install = [directory / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            for p in packages:
                install += ["--editable", f"{p}[dev]"]
            subprocess.run(install, check=True, stdout=sys.stderr)
            (directory / "complete").touch()
    print(directory)


if __name__ == "__main__":
    main()
