"""The service of generators."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import grpc

from ._pb import plugin_pb2 as pb
from .call import Call
from .errors import Abort, broken, invalid
from .limits import batches, check_count, check_type, same_id
from .server import Server
from .stream import Outlet, drain, first_of


def generate(
    server: Server, requests: Iterator[pb.GenerateRequest], context: grpc.ServicerContext
) -> Iterator[pb.GenerateEvent]:
    """Draws samples."""
    request = first_of(requests)
    with server.begin(pb.KIND_GENERATOR, request.call if request.HasField("call") else None) as (stage, call):
        for more in requests:
            _refuse_second(more, "call", "model", "sampling")
            _join(request, more.sets)
        out: Outlet[pb.GenerateEvent] = Outlet()
        out.report(call, lambda p: pb.GenerateEvent(progress=p), lambda d: pb.GenerateEvent(diagnostic=d))

        def put(batch: pb.RecordBatch) -> None:
            for part in batches(check_type(batch, pb.RecordBatch, "what a generator gave")):
                out.put(pb.GenerateEvent(batch=part), "a batch")

        def work() -> None:
            drain(stage.implementation.generate(call, stage.decode(request.call.config.json), request), put)
            call.settle()

        yield from out.events(context, call, "Generate", work)


def _join(request: pb.GenerateRequest, more: Sequence[pb.PromptSet]) -> None:
    """Adds the sets of a later message: the first may go on with the last set of the message before."""
    for i, s in enumerate(more):
        last = request.sets[-1] if request.sets else None
        if i == 0 and last is not None and _name(last) == _name(s):
            last.prompts.extend(s.prompts)
        else:
            request.sets.append(s)


def _name(s: pb.PromptSet) -> tuple[str, int, int]:
    return s.template, s.start_index, s.samples


def complete(
    server: Server, requests: Iterator[pb.CompleteRequest], context: grpc.ServicerContext
) -> Iterator[pb.CompleteEvent]:
    """Answers prompts, in order."""
    request = first_of(requests)
    with server.begin(pb.KIND_GENERATOR, request.call if request.HasField("call") else None) as (stage, call):
        prompts = list(request.prompts)
        for more in requests:
            _refuse_second(more, "call", "model", "sampling")
            prompts.extend(more.prompts)
        out: Outlet[pb.CompleteEvent] = Outlet()
        out.report(call, lambda p: pb.CompleteEvent(progress=p), lambda d: pb.CompleteEvent(diagnostic=d))
        _refuse_unanswerable(stage.name, stage.info.features, request.stream, prompts)
        n = 0

        def put(c: pb.Completion | pb.Piece) -> None:
            nonlocal n
            if request.stream and isinstance(c, pb.Piece):
                out.put(pb.CompleteEvent(piece=c), f'a piece of the completion of prompt "{c.prompt_id}"')
                return
            if n == len(prompts):
                raise broken(f"more completions than the {n} prompts")
            c = check_type(c, pb.Completion, f"completion {n}")
            c.prompt_id = same_id(c.prompt_id, prompts[n].id, "completion", n)
            n += 1
            out.put(pb.CompleteEvent(completion=c), f'the completion of prompt "{c.prompt_id}"')

        def work() -> None:
            model = request.model if request.HasField("model") else None
            sampling = request.sampling if request.HasField("sampling") else None
            config = stage.decode(request.call.config.json)
            answer = stage.implementation.stream if request.stream else stage.implementation.complete
            drain(answer(call, config, model, sampling, prompts), put)
            _all_answered(call, n, len(prompts), "prompts")
            call.settle()

        yield from out.events(context, call, "Complete", work)


def score(
    server: Server, requests: Iterator[pb.LikelihoodRequest], context: grpc.ServicerContext
) -> Iterator[pb.LikelihoodEvent]:
    """Gives log-likelihoods, in order."""
    request = first_of(requests)
    with server.begin(pb.KIND_GENERATOR, request.call if request.HasField("call") else None) as (stage, call):
        if "score" not in stage.info.features:
            raise Abort(grpc.StatusCode.UNIMPLEMENTED, f'stage "{stage.name}" cannot score')
        items = list(request.items)
        for more in requests:
            _refuse_second(more, "call", "model")
            items.extend(more.items)
        out: Outlet[pb.LikelihoodEvent] = Outlet()
        n = 0

        def put(e: pb.LikelihoodEvent) -> None:
            nonlocal n
            if n == len(items):
                raise broken(f"more scores than the {n} items")
            e = check_type(e, pb.LikelihoodEvent, f"score {n}")
            e.prompt_id = same_id(e.prompt_id, items[n].prompt_id, "score", n)
            want = len(items[n].continuations)
            check_count(e.likelihoods, want, "likelihoods", f'for the {want} continuations of "{e.prompt_id}"')
            n += 1
            out.put(e, f'the likelihoods of prompt "{e.prompt_id}"')

        def work() -> None:
            model = request.model if request.HasField("model") else None
            drain(stage.implementation.score(call, stage.decode(request.call.config.json), model, items), put)
            _all_answered(call, n, len(items), "items")

        yield from out.events(context, call, "Score", work)


def _refuse_second(more: pb.GenerateRequest | pb.CompleteRequest | pb.LikelihoodRequest, *names: str) -> None:
    if any(more.HasField(n) for n in names):
        raise invalid("a later part of a request has what belongs into the first")


def _refuse_unanswerable(stage: str, features: Sequence[str], stream: bool, prompts: Sequence[pb.Prompt]) -> None:
    """Refuses what a generator does not have."""
    if stream and "stream" not in features:
        raise Abort(grpc.StatusCode.UNIMPLEMENTED, f'stage "{stage}" gives completions whole')
    if "chat" not in features and any(p.messages for p in prompts):
        raise Abort(grpc.StatusCode.UNIMPLEMENTED, f'stage "{stage}" takes no chats')


def _all_answered(call: Call, got: int, want: int, what: str) -> None:
    """Refuses a call that ended well with questions left over, unless it was stopped."""
    if got < want and not call.stopped.is_set():
        raise broken(f"{want - got} of {want} {what} have no answer")
