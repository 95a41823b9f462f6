"""One of several processes that train together.

    torchrun --nproc-per-node 2 -m jupiter_torch.worker JOB

It reads RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT, as torchrun sets them. JOB is a directory:

    request    the TrainRequest, as the protocol encodes it
    events     a pipe or a file for lines of JSON: progress, warnings, checkpoints, an error
    stop       is there once the call is to save and return

All processes read all records and take their share of each step's rows. The first one saves and reports.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import jupiter_sdk as sdk
import torch.distributed as dist
from jupiter_sdk._pb import plugin_pb2 as pb

from . import devices
from .config import CUDA, Config
from .trainer import TorchTrainer

_AFTER_THE_FIRST = 60  # seconds

REQUEST, EVENTS, STOP = "request", "events", "stop"


class Asked(threading.Event):
    """Is set once a file is there, which another process makes."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def is_set(self) -> bool:
        return super().is_set() or self._file.exists()


class Events:
    """Lines for the process that has started this one. Each is written at once, so that those of several do not mix."""

    def __init__(self, file: Path) -> None:
        self._out = os.open(file, os.O_WRONLY | os.O_APPEND)

    def put(self, kind: str, **what: Any) -> None:
        os.write(self._out, (json.dumps({"kind": kind, **what}) + "\n").encode())


def main() -> None:
    job = Path(sys.argv[1])
    events = Events(job / EVENTS)
    request = pb.TrainRequest.FromString((job / REQUEST).read_bytes())
    try:
        config = sdk.decode(Config, request.call.config.json)
        device = devices.choose(config)
        if device == CUDA:
            import torch

            torch.cuda.set_device(devices.place(device))
        dist.init_process_group("nccl" if device == CUDA else "gloo")
        _train(job, events, config, request)
        dist.destroy_process_group()
    except sdk.StageError as e:
        if os.environ.get("RANK", "0") != "0":
            # What is wrong with the data all processes find, and the first one saves what was learned before it ends. Once
            # it has, torchrun ends this one here.
            time.sleep(_AFTER_THE_FIRST)
        events.put("error", text=str(e)[:3000], again=isinstance(e, sdk.TransientError))
        sys.exit(1)


def _train(job: Path, events: Events, config: Config, request: pb.TrainRequest) -> None:
    first = dist.get_rank() == 0
    call = sdk.Call(
        id=request.call.id, work_dir=Path(request.call.work_dir), seed=request.call.seed, stopped=Asked(job / STOP)
    )
    if first:

        def progress(p: pb.Progress) -> None:
            used = p.usage.prompt_tokens
            events.put("progress", done=p.done, total=p.total, unit=p.unit, metrics=dict(p.metrics), tokens=used)

        def warn(d: pb.Diagnostic) -> None:
            path = [s.name for s in d.attribute]
            events.put("warning", summary=d.summary, detail=d.detail, path=path)

        call._progress, call._diagnostic = progress, warn
    for c in TorchTrainer.alone(call, config, request):
        events.put("checkpoint", step=c.step, name=c.output.name)


if __name__ == "__main__":
    main()
