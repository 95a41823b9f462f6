"""The stage that a library's package makes its own of."""

from __future__ import annotations

import abc
import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

import jupiter_sdk as sdk

from . import checkpoint, source
from .checkpoint import Info
from .config import CHAT, FULL, Config
from .encode import Encoder
from .engine import Engine, OutOfMemory
from .feed import Feed
from .loop import About, Loop
from .start import Start, begin

C = TypeVar("C", bound=Config)


class Supervisor(sdk.Trainer[C], Generic[C]):
    """Trains with a library."""

    name: str  # of the stage

    @abc.abstractmethod
    def about(self, config: C) -> About:
        """What checkpoints say of this trainer. StageError: this machine cannot do what the configuration asks for."""

    @abc.abstractmethod
    def open(self, call: sdk.Call, config: C, start: Start) -> Engine:
        """Loads the model and the optimizer."""

    @abc.abstractmethod
    def inspect(self, directory: Path) -> None:
        """Refuses a model, of which each file is whole, that the library cannot load."""

    def train(self, call: sdk.Call, config: C, request: sdk.TrainRequest) -> Iterator[sdk.Checkpoint]:
        start = begin(self.name, config, request)
        about = self.about(config)
        encoder = Encoder(
            source.load_tokenizer(start.model), config.max_seq_length, config.prompt_loss_weight, config.prompts == CHAT
        )
        skip = (request.from_step - request.window_start) * config.batch_size
        row = config.max_seq_length if config.packing else 0
        feed = Feed(encoder, request.dataset.path, config.batch_size, skip, row)
        try:
            engine = self.open(call, config, start)
        except OutOfMemory as e:
            raise sdk.StageError(f"the model does not fit into memory: {e}") from e
        with contextlib.closing(engine):
            yield from Loop(call, config, request, start, engine, feed, about).run()

    def estimate(self, config: C, request: sdk.EstimateRequest) -> sdk.EstimateResponse:
        return config.forecast(request)

    def import_model(self, call: sdk.Call, config: C, path: str) -> sdk.Output:
        shapes = source.check(path)
        call.progress(0, 0, "model")
        info = Info(trainer=self.name, method=FULL, step=0)
        checkpoint.write(call.work_dir / "checkpoint", info, lambda d: source.copy(path, d / checkpoint.MODEL))
        self.inspect(call.work_dir / "checkpoint" / checkpoint.MODEL)
        meta = {"format": "Hugging Face", "parameters": str(sum(math.prod(s) for s in shapes.values()))}
        return sdk.Output(name="checkpoint", media_type=sdk.CHECKPOINT_MEDIA_TYPE, path="checkpoint", meta=meta)
