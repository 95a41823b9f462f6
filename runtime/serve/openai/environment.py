"""Makes the virtual environment with OpenAI's own client library, and prints its directory.

It lies in the user's cache, under a name made of what it depends on. It needs Python 3.10 or later with venv, and, the
first time, the package index.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

PACKAGES = ["openai==3.57.0"]


def main() -> None:
    if sys.version_info < (3, 10):  # noqa: UP036 - whatever Python there is runs this
        sys.exit(f"Python 3.10 or later is needed, and {sys.executable} is {sys.version.split()[0]}")
    key = hashlib.sha256(f"{sys.version}\0{PACKAGES}".encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jupiter"
    directory = cache / f"openai-{key}"
    cache.mkdir(parents=True, exist_ok=True)
    with open(f"{directory}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "made").exists():
            venv.create(directory, clear=True, with_pip=True)
            pip = [directory / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, *PACKAGES], check=True, stdout=sys.stderr)
            (directory / "made").touch()
    print(directory)


if __name__ == "__main__":
    main()
