"""The service of evaluators."""

from __future__ import annotations

from collections.abc import Iterator

import grpc

from ._pb import plugin_pb2 as pb
from .errors import invalid
from .limits import MAX_BATCH, check_finite, check_several, check_size, check_type
from .server import Server
from .stream import Outlet, drain, first_of


def prepare(server: Server, request: pb.PrepareRequest, context: grpc.ServicerContext) -> Iterator[pb.PrepareResponse]:
    """Picks or builds the benchmark's questions."""
    with server.begin(pb.KIND_EVALUATOR, request.call if request.HasField("call") else None) as (stage, call):
        out: Outlet[pb.PrepareResponse] = Outlet()
        out.report(call, lambda p: pb.PrepareResponse(progress=p), lambda d: pb.PrepareResponse(diagnostics=[d]))
        batch = pb.PrepareResponse()
        size = 0

        def flush() -> None:
            nonlocal batch, size
            if batch.questions:
                out.put(batch, "a question")
                batch, size = pb.PrepareResponse(), 0

        def put(q: pb.Question) -> None:
            nonlocal size
            n = check_type(q, pb.Question, "what an evaluator gave").ByteSize() + 6
            if size + n > MAX_BATCH:
                flush()
            batch.questions.append(q)
            size += n

        def work() -> None:
            drain(stage.implementation.prepare(call, stage.decode(request.call.config.json), request), put)
            flush()

        yield from out.events(context, call, "Prepare", work)


def score(server: Server, requests: Iterator[pb.ScoreRequest], _: grpc.ServicerContext) -> pb.ScoreResponse:
    """Judges answers."""
    first = first_of(requests)
    with server.begin(pb.KIND_EVALUATOR, first.call if first.HasField("call") else None) as (stage, call):
        answers = []
        for r in requests:
            if not r.HasField("answer"):
                raise invalid("unexpected message in an evaluator's stream")
            answers.append(r.answer)
        out = pb.ScoreResponse()
        call._diagnostic = out.diagnostics.append
        scores = stage.implementation.score(call, stage.decode(first.call.config.json), answers)
        for i, s in enumerate(check_several(scores, "what score gave for scores")):
            out.scores.append(check_type(s, pb.QuestionScore, f"score {i}"))
        check_finite(out, "a score")
        check_size(out, f"the scores of {len(answers)} answers")
        return out
