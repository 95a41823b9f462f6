"""The stage."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import jupiter_sdk as sdk
from jupiter_trainers.loop import About
from jupiter_trainers.start import Start, begin
from jupiter_trainers.trainer import Supervisor

from .config import CPU, Config

if TYPE_CHECKING:
    from .engine import TorchEngine


@sdk.trainer(
    "torch",
    Config,
    description="Fine-tunes a model with transformers and peft: adapters, or all of it. On CUDA, MPS, and processors.",
    revision=1,
    # GPUs sum in an order of their own, and how far a micro-batch was halved depends on the machine.
    deterministic=False,
    resumable=True,
    produces=[sdk.CHECKPOINT_MEDIA_TYPE],
)
class TorchTrainer(Supervisor[Config]):
    """torch is imported by the first call that computes: what the host asks before is answered at once."""

    name = "torch"

    def train(self, call: sdk.Call, config: Config, request: sdk.TrainRequest) -> Iterator[sdk.Checkpoint]:
        if config.processes == 1:
            return self.alone(call, config, request)
        begin(self.name, config, request)  # what is wrong with a request is said before any process is started
        self.about(config)
        from . import launch

        return launch.train(call, request, config.processes)

    @classmethod
    def alone(cls, call: sdk.Call, config: Config, request: sdk.TrainRequest) -> Iterator[sdk.Checkpoint]:
        """Trains in this process: all of it, or its share."""
        return Supervisor.train(cls(), call, config, request)

    def about(self, config: Config) -> About:
        from . import devices, errors

        errors.leave_if_lost()
        versions = {name: metadata.version(name) for name in ("torch", "transformers", "peft")}
        return About(self.name, devices.dtype_of(config, devices.choose(config)), versions)

    def open(self, call: sdk.Call, config: Config, start: Start) -> TorchEngine:
        from . import devices
        from .engine import TorchEngine

        return TorchEngine(config, start, call.seed, devices.choose(config))

    def inspect(self, directory: Path) -> None:
        from . import model

        model.load(directory, Config(dtype="bf16"), CPU)
