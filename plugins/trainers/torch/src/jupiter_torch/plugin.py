"""The plugin's program."""

from __future__ import annotations

import jupiter_sdk as sdk
from jupiter_trainers import VERSION

from .exporter import torch_exporter
from .trainer import TorchTrainer

PLUGIN = sdk.Plugin("torch", VERSION, [TorchTrainer, torch_exporter])


def main() -> None:
    """Serves the plugin."""
    sdk.serve(PLUGIN)


if __name__ == "__main__":
    main()
