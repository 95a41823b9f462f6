"""The plugin's program."""

from __future__ import annotations

import jupiter_sdk as sdk

from .exporter import markov_exporter
from .generator import MarkovGenerator
from .trainer import MarkovTrainer
from .verifier import remainders

PLUGIN = sdk.Plugin("markov", "0.1.0", [MarkovTrainer, markov_exporter, MarkovGenerator, remainders])


def main() -> None:
    """Serves the plugin."""
    sdk.serve(PLUGIN)


if __name__ == "__main__":
    main()
