"""Generators, trainers, evaluators and exporters over gRPC, and what every plugin is asked."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from conftest import fails

from jupiter_sdk import Answer, Artifact, Completion, LikelihoodItem, Plugin, Prompt, PromptSet, testing
from jupiter_sdk._pb import plugin_pb2 as pb
from jupiter_sdk.testing import Connection

Code = grpc.StatusCode


def test_generate_joins_parts(conn: Connection) -> None:
    prompts = [Prompt(id=str(i)) for i in range(3)]
    a = PromptSet(template="a", samples=5, prompts=prompts)
    later = PromptSet(template="a", samples=5, start_index=5, prompts=prompts)
    first = pb.GenerateRequest(call=conn.call("generator", "g", seed=7), sets=[a])
    rest = [pb.GenerateRequest(sets=[a, later]), pb.GenerateRequest(sets=[PromptSet(template="empty")])]
    events = list(conn.stream("Generator", "Generate", first, *rest))
    assert [r.text for r in events[0].batch.records] == ["a0 6 7", "a5 3 7", "empty0 0 7"]
    with fails(Code.INVALID_ARGUMENT, "a later part of a request has what belongs into the first"):
        list(conn.stream("Generator", "Generate", first, first))


def test_complete(conn: Connection) -> None:
    prompts = [Prompt(id=str(i)) for i in range(50)]
    done = conn.complete(conn.call("generator", "g"), prompts)
    assert [c.prompt_id for c in done] == [p.id for p in prompts]
    for mode, code, text in (
        ("short", Code.INTERNAL, "1 of 50 prompts have no answer"),
        ("more", Code.INTERNAL, "more completions than the 50 prompts"),
        ("swap", Code.INTERNAL, 'completion 0 is for "z" where "0" is next'),
        ("huge", Code.RESOURCE_EXHAUSTED, 'the completion of prompt "0": 52428'),
    ):
        with fails(code, text):
            conn.complete(conn.call("generator", "g", {"mode": mode}), prompts)


def test_stream(conn: Connection) -> None:
    request = pb.CompleteRequest(
        call=conn.call("generator", "g"), prompts=[Prompt(id="a"), Prompt(id="b")], stream=True
    )
    events = list(conn.stream("Generator", "Complete", request))
    kinds = [(e.WhichOneof("event"), e.piece.prompt_id or e.completion.prompt_id) for e in events]
    assert kinds == [("piece", "a"), ("piece", "b"), ("completion", "a"), ("completion", "b")]
    chat = pb.CompleteRequest(call=conn.call("generator", "g"), prompts=[Prompt(messages=[pb.Message(role="user")])])
    with fails(Code.UNIMPLEMENTED, 'stage "g" takes no chats'):
        list(conn.stream("Generator", "Complete", chat))


def test_score(conn: Connection) -> None:
    items = [LikelihoodItem(prompt_id="p", continuations=["a", "bc"])]
    events = conn.score(conn.call("generator", "g"), items)
    assert [(e.prompt_id, [x.bytes for x in e.likelihoods]) for e in events] == [("p", [1, 2])]
    with fails(Code.INTERNAL, '1 likelihoods for the 2 continuations of "p"'):
        conn.score(conn.call("generator", "g", {"mode": "short"}), items)
    with fails(Code.INTERNAL, 'sum_logprob of the likelihoods of prompt "p" is not finite'):
        conn.score(conn.call("generator", "g", {"mode": "inf"}), items)


def test_import(conn: Connection) -> None:
    def run(mode: str) -> list[pb.ImportEvent]:
        call = conn.call("generator", "g", {"mode": mode})
        return list(conn.stream("Generator", "Import", pb.ImportRequest(call=call, path="/m")))

    assert run("model")[0].output.meta["format"] == "test"
    with fails(Code.INTERNAL, 'import gives one output, "model"; this is "other"'):
        run("other")
    with fails(Code.UNIMPLEMENTED, 'stage "t" takes no models from elsewhere'):
        list(conn.stream("Trainer", "Import", pb.ImportRequest(call=conn.call("trainer", "t"))))


def train(conn: Connection, mode: str) -> list[pb.Checkpoint]:
    return conn.train(pb.TrainRequest(call=conn.call("trainer", "t", {"mode": mode}), from_step=10, to_step=20))


@pytest.mark.parametrize("mode", ["good", "absolute"])
def test_trainer(conn: Connection, mode: str) -> None:
    (cp,) = train(conn, mode)
    assert (cp.step, cp.cursor, cp.output.name, cp.output.path) == (20, b"c", "cp", "cp")


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("escape", 'output "cp" lies outside the call\'s work directory: ../cp'),
        ("missing", 'output "cp": there is no other'),
        ("nameless", "an output has no name"),
        ("past", "a checkpoint of step 21, wanted one from step 10 to 20"),
        ("back", "a checkpoint of step 19, wanted one from step 20 to 20"),
    ],
)
def test_broken_trainer(conn: Connection, mode: str, text: str) -> None:
    with fails(Code.INTERNAL, f"the stage breaks the protocol: {text}"):
        train(conn, mode)


def test_exporter(conn: Connection) -> None:
    (out,) = conn.export(conn.call("exporter", "x"), Artifact(path="/cp"))
    assert (out.name, out.path) == ("model", "model.gguf")
    for base, want in ((None, "/cp"), (Artifact(path="/base"), "/cp on /base")):
        call = conn.call("exporter", "x")
        conn.export(call, Artifact(path="/cp"), base)
        assert (Path(call.work_dir) / "model.gguf").read_text() == want
    with fails(Code.INTERNAL, 'output "model" is there twice'):
        conn.export(conn.call("exporter", "x", {"mode": "twice"}), Artifact(path="/cp"))
    with fails(Code.INVALID_ARGUMENT, "there is no checkpoint to export"):
        list(conn.stream("Exporter", "Export", pb.ExportRequest(call=conn.call("exporter", "x"))))


def test_evaluator(conn: Connection) -> None:
    request = pb.PrepareRequest(call=conn.call("evaluator", "e"), samples=500)
    events = list(conn.stream("Evaluator", "Prepare", request))
    assert sum(len(e.questions) for e in events) == 500 and len(events) == 5

    def score(n: int, config: dict[str, object]) -> pb.ScoreResponse:
        requests = [pb.ScoreRequest(call=conn.call("evaluator", "e", config))]
        requests += [pb.ScoreRequest(answer=Answer(completion=Completion(prompt_id=str(i)))) for i in range(n)]
        response = conn.stream("Evaluator", "Score", *requests)
        assert isinstance(response, pb.ScoreResponse)
        return response

    scored = score(1000, {})
    assert scored.scores[999].prompt_id == "999" and len(scored.diagnostics) == 1
    assert scored.scores[0].HasField("accuracy") and not scored.scores[1].HasField("accuracy")
    with fails(Code.RESOURCE_EXHAUSTED, "the scores of 1000 answers"):
        score(1000, {"n": 8 << 10})
    with fails(Code.INTERNAL, "sub_scores of a score is not finite"):
        score(2, {"mode": "nan"})


def test_info(conn: Connection) -> None:
    info = conn.request("Plugin", "Info", pb.InfoRequest())
    assert (info.name, info.version, len(info.stages)) == ("test", "0.1.0", 7)
    g = info.stages[3]
    assert (g.kind, g.name, g.revision, g.concurrent, g.deterministic) == (pb.KIND_GENERATOR, "g", 3, True, False)
    assert list(g.features) == ["score", "stream", "import"]


def test_validate(conn: Connection) -> None:
    assert conn.validate("collector", "c", {"mode": "x", "n": 1}) == []
    many, bad = conn.validate("collector", "c", {"n": 6})
    assert (many.summary, many.severity) == ("Many", pb.Diagnostic.SEVERITY_WARNING)
    assert [s.WhichOneof("step") for s in bad.attribute] == ["name", "index", "name"]
    (wrong,) = conn.validate("collector", "c", {"n": "six"})
    assert (wrong.detail, wrong.attribute[0].name) == ("is a string, wanted a number", "n")


def test_validate_models(conn: Connection) -> None:
    assert conn.validate("generator", "g", {"mode": "served"}) == []
    assert conn.validate("generator", "g", runs_models=True) == []
    found = conn.validate("generator", "g", {"mode": "served", "n": 6}, runs_models=True)
    assert [d.summary for d in found] == ["Many", "Bad", "No models"]


def test_estimate_and_fingerprint(conn: Connection) -> None:
    def estimate(kind: str, stage: str, **config: object) -> pb.EstimateResponse:
        c = conn.config(kind, stage, config)
        request = pb.EstimateRequest(kind=testing.kind_of(kind), stage=stage, config=c, items=10)
        response = conn.request("Plugin", "Estimate", request)
        assert isinstance(response, pb.EstimateResponse)
        return response

    assert estimate("collector", "c").prompt_tokens == 30
    assert estimate("trainer", "t", n=4).records == 40
    with fails(Code.INTERNAL, "gave no estimate and no error"):
        estimate("trainer", "t", mode="none")
    with fails(Code.INTERNAL, "flop of the estimate is not finite"):
        estimate("trainer", "t", mode="inf")

    def fingerprint(mode: str) -> object:
        c = conn.config("collector", "c", {"mode": mode})
        return conn.request("Plugin", "Fingerprint", pb.FingerprintRequest(kind=pb.KIND_COLLECTOR, stage="c", config=c))

    assert fingerprint("good") == pb.FingerprintResponse(digest="good")
    with fails(Code.UNKNOWN, "unreachable"):
        fingerprint("error")
    c = conn.config("collector", "c", {"mode": "good"})
    found = conn.request("Plugin", "Check", pb.CheckRequest(kind=pb.KIND_COLLECTOR, stage="c", config=c))
    assert [(f.subject, f.detail) for f in found.findings] == [("mode", "good")]


def test_a_plugin_without_stages() -> None:
    with testing.connect(Plugin("bare", "1", [])) as conn:
        with fails(Code.UNIMPLEMENTED, "unknown service jupiter.plugin.v1.Trainer"):
            conn.train(pb.TrainRequest())
        with fails(Code.NOT_FOUND, 'plugin bare has no stage "c" of KIND_COLLECTOR; it has none'):
            conn.request("Plugin", "Estimate", pb.EstimateRequest(kind=pb.KIND_COLLECTOR, stage="c"))
