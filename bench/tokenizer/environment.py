"""Makes the virtual environment of the peer, and prints its directory: Hugging Face's tokenizers.

It lies in the user's cache and is made once. What is installed is the newest there is; remove the directory to have it made
anew.
"""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

WHAT = ["tokenizers"]


def main() -> None:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jupiter"
    directory = cache / f"bench-tokenizer-{sys.version_info[0]}.{sys.version_info[1]}"
    made = directory / "made"
    if not made.exists():
        shutil.rmtree(directory, ignore_errors=True)
        venv.create(directory, with_pip=True)
        python = directory / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--disable-pip-version-check", *WHAT], check=True, stdout=sys.stderr)
        subprocess.run([python, "-c", "import tokenizers"], check=True, stdout=sys.stderr)
        made.touch()
    print(directory)


if __name__ == "__main__":
    main()
