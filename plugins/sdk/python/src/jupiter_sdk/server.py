"""What every plugin is asked, and the calls that run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc

from ._pb import plugin_pb2 as pb
from .call import Call
from .errors import Abort, broken, invalid
from .limits import check_finite, check_size, check_type
from .stage import Plugin, Stage, stage_of


class Server:
    """A plugin's stages and its running calls; the methods are those of the service Plugin."""

    def __init__(self, plugin: Plugin) -> None:
        self.plugin = plugin
        self._stages: dict[tuple[int, str], Stage] = {}
        for s in map(stage_of, plugin.stages):
            key = (s.info.kind, s.name)
            if key in self._stages:
                raise ValueError(f"plugin {plugin.name} has {pb.Kind.Name(s.info.kind)} {s.name!r} twice")
            self._stages[key] = s
        self._calls: list[Call] = []
        self._lock = threading.Lock()

    def has(self, kind: int) -> bool:
        """Whether there is a stage of a kind."""
        return any(k == kind for k, _ in self._stages)

    def stage(self, kind: pb.Kind, name: str) -> Stage:
        """The stage of that kind and name."""
        found = self._stages.get((kind, name))
        if found is None:
            names = ", ".join(sorted(n for k, n in self._stages if k == kind)) or "none"
            raise Abort(
                grpc.StatusCode.NOT_FOUND,
                f'plugin {self.plugin.name} has no stage "{name}" of {pb.Kind.Name(kind)}; it has {names}',
            )
        return found

    @contextmanager
    def begin(self, kind: pb.Kind, message: pb.Call | None) -> Iterator[tuple[Stage, Call]]:
        """Finds the stage of a call, and counts the call among the running ones."""
        if message is None:
            raise invalid("the first message of a call has no Call")
        stage = self.stage(kind, message.stage)
        call = Call(
            id=message.id,
            work_dir=Path(message.work_dir),
            seed=message.seed,
            cursor=message.cursor,
            domain=message.domain if message.HasField("domain") else None,
            inputs=dict(message.inputs),
            _limit=message.limit,
        )
        with self._lock:
            self._calls.append(call)
        try:
            yield stage, call
        finally:
            with self._lock:
                self._calls = [c for c in self._calls if c is not call]

    def info(self, _: pb.InfoRequest, __: grpc.ServicerContext) -> pb.InfoResponse:
        """Lists the stages."""
        return pb.InfoResponse(
            name=self.plugin.name,
            version=self.plugin.version,
            stages=[s.info for s in map(stage_of, self.plugin.stages)],
        )

    def validate(self, request: pb.ValidateRequest, _: grpc.ServicerContext) -> pb.ValidateResponse:
        """Checks configurations. Diagnostics carry the address of their item."""
        out = pb.ValidateResponse()
        for item in request.items:
            for d in self.stage(item.kind, item.stage).check(item.config.json, item.runs_models):
                out.diagnostics.append(check_type(d, pb.Diagnostic, "what validate gave"))
                out.diagnostics[-1].address = item.address
        check_size(out, "the diagnostics")
        return out

    def stop(self, request: pb.StopRequest, _: grpc.ServicerContext) -> pb.StopResponse:
        """Asks one call, or all, to save and return."""
        with self._lock:
            calls = [c for c in self._calls if not request.call_id or c.id == request.call_id]
        for c in calls:
            c.stop()
        return pb.StopResponse()

    def estimate(self, request: pb.EstimateRequest, _: grpc.ServicerContext) -> pb.EstimateResponse:
        """Forecasts a call, where the stage can."""
        stage = self.stage(request.kind, request.stage)
        if request.kind == pb.KIND_TRAINER:
            out = stage.implementation.estimate(stage.decode(request.config.json), request)
        elif hasattr(stage.config, "estimate"):
            out = stage.decode(request.config.json).estimate(request)
        else:
            raise Abort(grpc.StatusCode.UNIMPLEMENTED, f'stage "{stage.name}" has no estimate')
        if out is None:
            raise broken(f'stage "{stage.name}" gave no estimate and no error')
        check_finite(check_type(out, pb.EstimateResponse, "the estimate"), "the estimate")
        return out  # type: ignore[no-any-return]

    def fingerprint(self, request: pb.FingerprintRequest, _: grpc.ServicerContext) -> pb.FingerprintResponse:
        """Says what a source is now, where the stage can."""
        stage = self.stage(request.kind, request.stage)
        if not hasattr(stage.config, "fingerprint"):
            raise Abort(grpc.StatusCode.UNIMPLEMENTED, f'stage "{stage.name}" has no fingerprint')
        return pb.FingerprintResponse(digest=stage.decode(request.config.json).fingerprint())

    def check(self, request: pb.CheckRequest, _: grpc.ServicerContext) -> pb.CheckResponse:
        """Looks at what a stage would meet, where it can."""
        stage = self.stage(request.kind, request.stage)
        if not hasattr(stage.config, "check"):
            raise Abort(grpc.StatusCode.UNIMPLEMENTED, f'stage "{stage.name}" has nothing to look at')
        out = pb.CheckResponse(findings=stage.decode(request.config.json).check())
        check_size(out, "the findings")
        return out
