"""Makes a virtual environment for the peers of a benchmark, and prints its directory.

    python environment.py NAME PACKAGE …

It lies in the user's cache and is made once. What is installed is the newest there is; remove the directory to have it made
anew. Some peers are large: PyTorch has gigabytes where the package index has it with CUDA alone.
"""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path


def main() -> None:
    name, *packages = sys.argv[1:]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jupiter"
    directory = cache / f"{name}-{sys.version_info[0]}.{sys.version_info[1]}"
    made = directory / "made"
    if not made.exists():
        shutil.rmtree(directory, ignore_errors=True)
        venv.create(directory, with_pip=True)
        python = directory / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--disable-pip-version-check", *packages], check=True, stdout=sys.stderr)
        subprocess.run([python, "-c", f"import {', '.join(packages)}"], check=True, stdout=sys.stderr)
        made.touch()
    print(directory)


if __name__ == "__main__":
    main()
