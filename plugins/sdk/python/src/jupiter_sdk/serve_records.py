"""The services whose streams carry records: collectors, filters, verifiers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import grpc

from ._pb import plugin_pb2 as pb
from .errors import broken, invalid
from .kinds import Judge, Verify
from .limits import batches, check_count, check_several, check_type, same_id, split
from .server import Server
from .stream import Outlet, drain, first_of, receive


def collect(server: Server, request: pb.CollectRequest, context: grpc.ServicerContext) -> Iterator[pb.CollectEvent]:
    """Reads a source."""
    with server.begin(pb.KIND_COLLECTOR, request.call if request.HasField("call") else None) as (stage, call):
        out: Outlet[pb.CollectEvent] = Outlet()
        out.report(call, lambda p: pb.CollectEvent(progress=p), lambda d: pb.CollectEvent(diagnostic=d))

        def put(batch: pb.RecordBatch) -> None:
            for part in batches(check_type(batch, pb.RecordBatch, "what a collector gave")):
                out.put(pb.CollectEvent(batch=part), "a batch")

        def work() -> None:
            drain(stage.implementation(call, stage.decode(request.call.config.json)), put)
            call.settle()

        yield from out.events(context, call, "Collect", work)


def filter(
    server: Server, requests: Iterator[pb.FilterRequest], context: grpc.ServicerContext
) -> Iterator[pb.FilterEvent]:
    """Answers one verdict a record, in order."""
    first = first_of(requests)
    with server.begin(pb.KIND_FILTER, first.call if first.HasField("call") else None) as (stage, call):
        out: Outlet[pb.FilterEvent] = Outlet()
        out.report(call, lambda p: pb.FilterEvent(progress=p), lambda d: pb.FilterEvent(diagnostic=d))

        def work() -> None:
            judge = stage.implementation(call, stage.decode(first.call.config.json))
            if not isinstance(judge, Judge):
                raise broken(f"its filter made {type(judge).__name__}, wanted a Judge")
            try:
                judging = False
                for r in receive(requests, call):
                    if r.HasField("batch"):
                        judging = True
                        _put_verdicts(judge, r.batch.records, out)
                    elif not r.HasField("reference"):
                        raise invalid("unexpected message in a filter's stream")
                    elif judging:
                        raise invalid("reference records after records to judge")
                    else:
                        judge.refer(r.reference.records)
            finally:
                judge.close()

        yield from out.events(context, call, "Filter", work)


def _put_verdicts(judge: Judge, records: Sequence[pb.Record], out: Outlet[pb.FilterEvent]) -> None:
    verdicts = list(check_several(judge.judge(records), "what judge gave for verdicts"))
    check_count(verdicts, len(records), "verdicts", f"on {len(records)} records")
    for i, (v, r) in enumerate(zip(verdicts, records, strict=True)):
        check_type(v, pb.Verdict, f"verdict {i} of a batch")
        v.id = same_id(v.id, r.id, "verdict", i)
    for run in split(verdicts):
        out.put(pb.FilterEvent(verdicts=pb.VerdictBatch(verdicts=run)), "the verdicts of a batch")


def verify(
    server: Server, requests: Iterator[pb.VerifyRequest], context: grpc.ServicerContext
) -> Iterator[pb.VerifyEvent]:
    """Answers one judgement an item, in order."""
    first = first_of(requests)
    with server.begin(pb.KIND_VERIFIER, first.call if first.HasField("call") else None) as (stage, call):
        out: Outlet[pb.VerifyEvent] = Outlet()
        out.report(call, lambda p: pb.VerifyEvent(progress=p), lambda d: pb.VerifyEvent(diagnostics=[d]))

        def work() -> None:
            judge = stage.implementation(call, stage.decode(first.call.config.json))
            if not callable(judge):
                raise broken(f"its verifier made {type(judge).__name__}, wanted a function")
            for r in receive(requests, call):
                if not r.HasField("batch"):
                    raise invalid("unexpected message in a verifier's stream")
                _put_judgements(judge, r.batch.items, out)

        yield from out.events(context, call, "Verify", work)


def _put_judgements(judge: Verify, items: Sequence[pb.VerifyItem], out: Outlet[pb.VerifyEvent]) -> None:
    judgements = list(check_several(judge(items), "what the verifier gave for judgements"))
    check_count(judgements, len(items), "judgements", f"of {len(items)} items")
    for i, (j, item) in enumerate(zip(judgements, items, strict=True)):
        check_type(j, pb.Judgement, f"judgement {i} of a batch")
        j.id = same_id(j.id, item.id, "judgement", i)
    for run in split(judgements):
        out.put(pb.VerifyEvent(judgements=run), "the judgements of a batch")
