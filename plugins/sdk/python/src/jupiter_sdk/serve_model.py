"""The services that make models: trainers, exporters and imports."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import grpc

from ._pb import plugin_pb2 as pb
from .call import Call
from .errors import Abort, broken, invalid
from .limits import check_type
from .server import Server
from .stream import Outlet, drain


def train(server: Server, request: pb.TrainRequest, context: grpc.ServicerContext) -> Iterator[pb.TrainEvent]:
    """Trains from one step to another."""
    with server.begin(pb.KIND_TRAINER, request.call if request.HasField("call") else None) as (stage, call):
        out: Outlet[pb.TrainEvent] = Outlet()
        out.report(call, lambda p: pb.TrainEvent(progress=p), lambda d: pb.TrainEvent(diagnostic=d))
        last = request.from_step

        def put(c: pb.Checkpoint) -> None:
            nonlocal last
            step = check_type(c, pb.Checkpoint, "what a trainer gave").step
            if not last <= step <= request.to_step:
                raise broken(f"a checkpoint of step {step}, wanted one from step {last} to {request.to_step}")
            last = step
            output = _check_output(call, c.output)
            out.put(
                pb.TrainEvent(checkpoint=pb.Checkpoint(step=step, output=output, cursor=c.cursor)),
                f"the checkpoint of step {step}",
            )

        def work() -> None:
            drain(stage.implementation.train(call, stage.decode(request.call.config.json), request), put)
            call.settle()

        yield from out.events(context, call, "Train", work)


def export(server: Server, request: pb.ExportRequest, context: grpc.ServicerContext) -> Iterator[pb.ExportEvent]:
    """Turns a checkpoint into what a generator runs."""
    with server.begin(pb.KIND_EXPORTER, request.call if request.HasField("call") else None) as (stage, call):
        if not request.HasField("checkpoint"):
            raise invalid("there is no checkpoint to export")
        call.base = request.base if request.HasField("base") else None
        out: Outlet[pb.ExportEvent] = Outlet()
        out.report(call, lambda p: pb.ExportEvent(progress=p), lambda d: pb.ExportEvent(diagnostic=d))
        names = set()

        def put(o: pb.Output) -> None:
            o = _check_output(call, check_type(o, pb.Output, "what an exporter gave"))
            if o.name in names:
                raise broken(f'output "{o.name}" is there twice')
            names.add(o.name)
            out.put(pb.ExportEvent(output=o), f'output "{o.name}"')

        def work() -> None:
            drain(stage.implementation(call, stage.decode(request.call.config.json), request.checkpoint), put)

        yield from out.events(context, call, "Export", work)


def import_model(
    server: Server, kind: pb.Kind, want: str, request: pb.ImportRequest, context: grpc.ServicerContext
) -> Iterator[pb.ImportEvent]:
    """Takes a model from elsewhere. want is the name of the one output."""
    with server.begin(kind, request.call if request.HasField("call") else None) as (stage, call):
        if "import" not in stage.info.features:
            raise Abort(grpc.StatusCode.UNIMPLEMENTED, f'stage "{stage.name}" takes no models from elsewhere')
        out: Outlet[pb.ImportEvent] = Outlet()
        out.report(call, lambda p: pb.ImportEvent(progress=p), lambda d: pb.ImportEvent(diagnostic=d))

        def work() -> None:
            config = stage.decode(request.call.config.json)
            output = stage.implementation.import_model(call, config, request.path)
            output = _check_output(call, check_type(output, pb.Output, "what import gave"))
            if output.name != want:
                raise broken(f'import gives one output, "{want}"; this is "{output.name}"')
            out.put(pb.ImportEvent(output=output), f'output "{output.name}"')

        yield from out.events(context, call, "Import", work)


def _check_output(call: Call, o: pb.Output) -> pb.Output:
    """An output with its path relative to the work directory. The file must be there: the host takes it at once."""
    if not o.name:
        raise broken("an output has no name")
    path = Path(o.path)
    if path.is_absolute():
        path = Path(os.path.relpath(path, call.work_dir))
    if not o.path or ".." in path.parts or not path.parts:
        raise broken(f'output "{o.name}" lies outside the call\'s work directory: {o.path}')
    if not os.path.lexists(call.work_dir / path):
        raise broken(f'output "{o.name}": there is no {path} in the call\'s work directory')
    return pb.Output(name=o.name, media_type=o.media_type, path=path.as_posix(), meta=o.meta)
