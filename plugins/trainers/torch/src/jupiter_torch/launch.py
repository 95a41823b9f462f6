"""Starts the processes that train together, and tells the host what they say."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import jupiter_sdk as sdk

from .worker import EVENTS, REQUEST, STOP

_GRACE = 20  # seconds for processes to end
_LAST = 4000  # characters of what they wrote


def train(call: sdk.Call, request: sdk.TrainRequest, processes: int) -> Iterator[sdk.Checkpoint]:
    """Trains with so many processes on this machine, under torchrun."""
    job = Path(tempfile.mkdtemp(prefix="job-", dir=call.work_dir))
    try:
        (job / REQUEST).write_bytes(request.SerializeToString())
        os.mkfifo(job / EVENTS)
        with open(job / "output", "wb") as output:
            run = subprocess.Popen(_command(job, processes), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            yield from _follow(call, job, run)
        finally:
            _end(run)
    finally:
        shutil.rmtree(job, ignore_errors=True)


def _command(job: Path, processes: int) -> list[str]:
    # The plugin may have no other network than its own loopback, and this machine's name may lead elsewhere.
    where = [
        "--rdzv-backend",
        "c10d",
        "--rdzv-endpoint",
        "127.0.0.1:0",
        "--local-addr",
        "127.0.0.1",
        "--max-restarts",
        "0",
    ]
    start = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "1", "--nproc-per-node", str(processes), *where]
    return [*start, "-m", "jupiter_torch.worker", str(job)]


def _follow(call: sdk.Call, job: Path, run: subprocess.Popen[bytes]) -> Iterator[sdk.Checkpoint]:
    # Opened for both ways, so that opening does not wait for a process that may never come; the end of the processes closes
    # it, by a line of this one.
    with open(job / EVENTS, "r+b", buffering=0) as pipe:
        threading.Thread(target=_watch, args=(call, job, run, pipe), name="processes", daemon=True).start()
        spent = 0
        for event in _lines(pipe):
            match event["kind"]:
                case "progress":
                    call.spend(event["tokens"] - spent, 0)
                    spent = event["tokens"]
                    call.progress(event["done"], event["total"], event["unit"], event["metrics"])
                case "warning":
                    call.warn(event["summary"], event["detail"], *event["path"])
                case "checkpoint":
                    name = event["name"]
                    output = sdk.Output(name=name, media_type=sdk.CHECKPOINT_MEDIA_TYPE, path=name)
                    yield sdk.Checkpoint(step=event["step"], output=output)
                case "error":
                    raise (sdk.TransientError if event["again"] else sdk.StageError)(event["text"])
                case "end":
                    break
    if run.wait() != 0:
        last = (job / "output").read_text(errors="replace")[-_LAST:]
        raise sdk.StageError(f"the processes that trained together ended with status {run.returncode}: {last}")


def _watch(call: sdk.Call, job: Path, run: subprocess.Popen[bytes], pipe: IO[bytes]) -> None:
    """Passes a stop on, and says when all processes have ended."""
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(0.2)
            break
        if call.stopped.is_set():
            with contextlib.suppress(FileNotFoundError):  # the call is over
                (job / STOP).touch()
    with contextlib.suppress(OSError, ValueError):
        pipe.write(b'{"kind": "end"}\n')


def _lines(pipe: IO[bytes]) -> Iterator[dict[str, Any]]:
    rest = b""
    while True:
        *whole, rest = (rest + (pipe.read(1 << 16) or b"")).split(b"\n")
        yield from (json.loads(line) for line in whole)


def _end(run: subprocess.Popen[bytes]) -> None:
    """Ends what is still there: torchrun passes the signal on."""
    if run.poll() is not None:
        return
    run.terminate()
    try:
        run.wait(_GRACE)
    except subprocess.TimeoutExpired:
        run.kill()
        run.wait()
