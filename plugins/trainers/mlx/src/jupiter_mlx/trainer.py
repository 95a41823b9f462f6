"""The stage."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import jupiter_sdk as sdk
from jupiter_trainers.loop import About
from jupiter_trainers.start import Start
from jupiter_trainers.trainer import Supervisor

from . import blas
from .config import Config

if TYPE_CHECKING:
    from .engine import MlxEngine


@sdk.trainer(
    "mlx",
    Config,
    description="Fine-tunes a model with mlx-lm: adapters, or all of it. On Apple silicon, and on processors.",
    revision=1,
    # How far a micro-batch was halved depends on the machine, and with it the rounding.
    deterministic=False,
    resumable=True,
    produces=[sdk.CHECKPOINT_MEDIA_TYPE],
)
class MlxTrainer(Supervisor[Config]):
    """mlx is imported by the first call that computes: what the host asks before is answered at once."""

    name = "mlx"

    def about(self, config: Config) -> About:
        from . import model

        versions = {name: metadata.version(name) for name in ("mlx", "mlx-lm", "transformers")}
        if blas.used:
            versions["BLAS"] = blas.used
        return About(self.name, model.dtype_of(config), versions)

    def open(self, call: sdk.Call, config: Config, start: Start) -> MlxEngine:
        from .engine import MlxEngine

        return MlxEngine(config, start, call.seed)

    def inspect(self, directory: Path) -> None:
        from . import model

        loaded, _ = model.load(directory, Config())
        model.check_names(loaded, directory)
