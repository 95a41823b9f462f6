"""Where a call begins: at an import, or at a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import jupiter_sdk as sdk

from . import checkpoint
from .checkpoint import Info
from .config import LORA, Config


@dataclass(frozen=True)
class Start:
    """What there is to go on from."""

    info: Info
    model: Path  # the model that is trained, or that adapters build on
    adapter: Path | None  # adapters that were trained before
    state: Path | None  # the optimizer's; None: it has seen nothing
    micro_batch: int


def begin(trainer: str, config: Config, request: sdk.TrainRequest) -> Start:
    """Reads the start checkpoint, and refuses what does not go with the configuration."""
    _check(trainer, request)
    resumed = request.from_step > request.window_start
    if not request.HasField("checkpoint"):
        what = "going on within a window needs its checkpoint" if resumed else "give it a model: start = PATH"
        raise sdk.StageError(f'trainer "{trainer}" trains a model that is there: {what}')
    path = Path(request.checkpoint.path)
    info = checkpoint.read(str(path))
    if resumed and info.step != request.from_step:
        raise sdk.StageError(
            f"going on from step {request.from_step} needs its checkpoint, and this is of step {info.step}"
        )
    if not info.imported:
        _fits(trainer, config, request, info, resumed)
    builds_on = path if info.imported or config.method != LORA else _base(request, info)
    state = path / checkpoint.STATE
    return Start(
        info=info,
        model=builds_on / checkpoint.MODEL,
        adapter=path / checkpoint.ADAPTER if config.method == LORA and not info.imported else None,
        state=state if info.trainer == trainer and state.is_dir() else None,
        micro_batch=_micro_batch(config, info),
    )


def _check(trainer: str, request: sdk.TrainRequest) -> None:
    if len(request.topology.peers) > 1:
        raise sdk.StageError(f'trainer "{trainer}" runs on one machine, and has {len(request.topology.peers)} peers')
    if not request.window_start <= request.from_step <= request.to_step <= request.window_end:
        raise sdk.StageError(
            f"steps {request.from_step} to {request.to_step} do not lie in the window "
            f"from {request.window_start} to {request.window_end}"
        )
    if not request.dataset.path:
        raise sdk.StageError("there is no dataset to train on")


def _fits(trainer: str, config: Config, request: sdk.TrainRequest, info: Info, resumed: bool) -> None:
    if info.method != config.method:
        raise sdk.StageError(
            f'the checkpoint is of method "{info.method}", and the configuration says "{config.method}": '
            "a student keeps the method that it began with"
        )
    if not resumed:
        return
    if info.trainer != trainer:
        raise sdk.StageError(
            f'step {info.step} is within a window, and trainer "{info.trainer}" began it: it must end it, '
            "since optimizers are not exchanged"
        )
    if info.batch_size != config.batch_size:
        raise sdk.StageError(
            f"the window began with batch_size = {info.batch_size}, and the configuration says {config.batch_size}"
        )


def _base(request: sdk.TrainRequest, info: Info) -> Path:
    if not request.HasField("base"):
        raise sdk.StageError("the checkpoint holds adapters, and the model that they build on did not come with it")
    if info.base and request.base.digest and info.base != request.base.digest:
        raise sdk.StageError(f"the adapters build on the model {info.base}, and this is {request.base.digest}")
    checkpoint.read(request.base.path)
    return Path(request.base.path)


def _micro_batch(config: Config, info: Info) -> int:
    """The configuration's, or the smaller one that memory had room for while it said the same."""
    have = info.micro_batch
    if have.get("configured") == config.micro_batch:
        return max(1, min(config.micro_batch, have.get("used", config.micro_batch)))
    return config.micro_batch
