"""Runs a plugin in process, for the tests of its stages.

    with testing.connect(plugin) as conn:
        verdicts = conn.filter(conn.call("filter", "length", {"least": 4}), [Record(text="word")])

The plugin answers over a real gRPC connection: messages are encoded, split and bounded as they are between processes.
What it does not have is a process of its own: a stage that exits takes the test with it. Errors are `grpc.RpcError`, with
`code()` and `details()`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.message import Message

from ._pb import plugin_pb2 as pb
from .limits import split
from .serve import OPTIONS
from .server import Server
from .services import Services
from .stage import Plugin


@contextmanager
def connect(plugin: Plugin) -> Iterator[Connection]:
    """Serves a plugin for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="jupiter-sdk-") as directory:
        server = grpc.server(futures.ThreadPoolExecutor(32), handlers=[Services(Server(plugin))], options=OPTIONS)
        address = f"unix:{directory}/plugin"
        server.add_insecure_port(address)
        server.start()
        channel = grpc.insecure_channel(address, options=OPTIONS)
        try:
            yield Connection(channel, Path(directory))
        finally:
            channel.close()
            server.stop(None).wait()


class Connection:
    """A connection to a plugin. The methods named after kinds make a call and read its stream to the end."""

    def __init__(self, channel: grpc.Channel, directory: Path) -> None:
        self._channel = channel
        self._directory = directory
        self.stages = list(self.request("Plugin", "Info", pb.InfoRequest()).stages)

    def request(self, service: str, method: str, request: Message) -> Any:
        """A call with one request and one response."""
        return self._method(service, method)(request)

    def stream(self, service: str, method: str, *requests: Message) -> Any:
        """A call with a stream in either direction, or both: its events, which also has cancel()."""
        m = pb.DESCRIPTOR.services_by_name[service].methods_by_name[method]
        return self._method(service, method)(iter(requests) if m.client_streaming else requests[0])

    def _method(self, service: str, method: str) -> Any:
        m = pb.DESCRIPTOR.services_by_name[service].methods_by_name[method]
        kind = "_".join("stream" if s else "unary" for s in (m.client_streaming, m.server_streaming))
        return getattr(self._channel, kind)(
            f"/{m.containing_service.full_name}/{m.name}",
            request_serializer=message_factory.GetMessageClass(m.input_type).SerializeToString,
            response_deserializer=message_factory.GetMessageClass(m.output_type).FromString,
        )

    def config(self, kind: str, stage: str, config: Mapping[str, Any] | None = None) -> pb.Config:
        """A configuration as it crosses the wire, with the defaults of the stage's schema filled in."""
        attributes = dict(config or {})
        found = [s for s in self.stages if s.kind == kind_of(kind) and s.name == stage]
        if not found:
            raise LookupError(f"the plugin has no {kind} {stage!r}")
        for a in found[0].schema.attributes:
            if a.default and attributes.get(a.name) is None:
                attributes[a.name] = json.loads(a.default)
        return pb.Config(json=json.dumps(attributes).encode())

    def call(
        self, kind: str, stage: str, config: Mapping[str, Any] | None = None, *, seed: int = 0, cursor: bytes = b""
    ) -> pb.Call:
        """The call of a stage, with a work directory that is new and empty."""
        work_dir = tempfile.mkdtemp(dir=self._directory)
        return pb.Call(
            stage=stage,
            id=Path(work_dir).name,
            work_dir=work_dir,
            seed=seed,
            cursor=cursor,
            config=self.config(kind, stage, config),
        )

    def validate(
        self, kind: str, stage: str, config: Mapping[str, Any] | None = None, runs_models: bool = False
    ) -> list[pb.Diagnostic]:
        """What the stage has to say about a configuration; of a generator, one that models will be handed to."""
        conf = self.config(kind, stage, config)
        item = pb.ValidateItem(kind=kind_of(kind), stage=stage, config=conf, runs_models=runs_models)
        return list(self.request("Plugin", "Validate", pb.ValidateRequest(items=[item])).diagnostics)

    def stop(self, call: pb.Call) -> None:
        """Asks a call to save and return."""
        self.request("Plugin", "Stop", pb.StopRequest(call_id=call.id))

    def collect(self, call: pb.Call) -> list[pb.Record]:
        """All that a collector reads."""
        return _records(self.stream("Collector", "Collect", pb.CollectRequest(call=call)))

    def filter(
        self, call: pb.Call, records: Iterable[pb.Record], reference: Iterable[pb.Record] = ()
    ) -> list[pb.Verdict]:
        """A filter's verdicts on records."""
        requests = [pb.FilterRequest(call=call)]
        requests += [pb.FilterRequest(reference=pb.RecordBatch(records=r)) for r in split(reference)]
        requests += [pb.FilterRequest(batch=pb.RecordBatch(records=r)) for r in split(records)]
        return [v for e in self.stream("Filter", "Filter", *requests) for v in e.verdicts.verdicts]

    def verify(self, call: pb.Call, items: Iterable[pb.VerifyItem]) -> list[pb.Judgement]:
        """A verifier's judgements of items."""
        requests = [pb.VerifyRequest(call=call)]
        requests += [pb.VerifyRequest(batch=pb.VerifyBatch(items=i)) for i in split(items)]
        return [j for e in self.stream("Verifier", "Verify", *requests) for j in e.judgements]

    def generate(
        self,
        call: pb.Call,
        sets: Sequence[pb.PromptSet],
        model: pb.Artifact | None = None,
        sampling: pb.Sampling | None = None,
    ) -> list[pb.Record]:
        """The samples that a generator draws."""
        request = pb.GenerateRequest(call=call, sets=sets, model=model, sampling=sampling)
        return _records(self.stream("Generator", "Generate", request))

    def complete(
        self,
        call: pb.Call,
        prompts: Sequence[pb.Prompt],
        model: pb.Artifact | None = None,
        sampling: pb.Sampling | None = None,
    ) -> list[pb.Completion]:
        """A generator's answers to prompts."""
        request = pb.CompleteRequest(call=call, prompts=prompts, model=model, sampling=sampling)
        events = self.stream("Generator", "Complete", request)
        return [e.completion for e in events if e.HasField("completion")]

    def score(
        self, call: pb.Call, items: Sequence[pb.LikelihoodItem], model: pb.Artifact | None = None
    ) -> list[pb.LikelihoodEvent]:
        """A generator's log-likelihoods of continuations."""
        return list(self.stream("Generator", "Score", pb.LikelihoodRequest(call=call, items=items, model=model)))

    def train(self, request: pb.TrainRequest) -> list[pb.Checkpoint]:
        """A trainer's checkpoints."""
        return [e.checkpoint for e in self.stream("Trainer", "Train", request) if e.HasField("checkpoint")]

    def prepare(self, request: pb.PrepareRequest) -> list[pb.Question]:
        """The questions of an evaluator."""
        return [q for e in self.stream("Evaluator", "Prepare", request) for q in e.questions]

    def evaluate(self, call: pb.Call, answers: Iterable[pb.Answer]) -> list[pb.QuestionScore]:
        """An evaluator's scores of answers."""
        requests = [pb.ScoreRequest(call=call), *(pb.ScoreRequest(answer=a) for a in answers)]
        return list(self.stream("Evaluator", "Score", *requests).scores)

    def export(self, call: pb.Call, checkpoint: pb.Artifact, base: pb.Artifact | None = None) -> list[pb.Output]:
        """An exporter's outputs."""
        events = self.stream("Exporter", "Export", pb.ExportRequest(call=call, checkpoint=checkpoint, base=base))
        return [e.output for e in events if e.HasField("output")]


def kind_of(kind: str) -> pb.Kind:
    """The kind that a plan file spells kind: "filter"."""
    return getattr(pb, f"KIND_{kind.upper()}")  # type: ignore[no-any-return]


def _records(events: Iterable[Any]) -> list[pb.Record]:
    return [r for e in events for r in e.batch.records]
