"""The stages over the protocol: train, stop, resume, export, generate, complete, score."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import grpc
import jupiter_sdk as sdk
import pytest
from jupiter_sdk import testing
from jupiter_sdk._pb import plugin_pb2 as pb

from jupiter_markov.plugin import PLUGIN

BATCH = 4
CONFIG = {"order": 5, "batch_size": BATCH}


@pytest.fixture(scope="module")
def conn() -> Iterator[testing.Connection]:
    with testing.connect(PLUGIN) as c:
        yield c


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred draws of sums that are right."""
    path = tmp_path_factory.mktemp("data") / "records.jsonl.zst"
    with sdk.create_records(path) as w:
        for i in range(200):
            a, b = i * 7 % 10, i * 3 % 8
            w.write(sdk.Record(prompt=f"{a}+{b}=", text=str(a + b)))
    return path


def request(
    conn: testing.Connection, dataset: Path, first: int, last: int, start: str = "", end: int = 20
) -> pb.TrainRequest:
    r = pb.TrainRequest(
        call=conn.call("trainer", "markov", CONFIG), from_step=first, to_step=last, window_end=end, save_every_steps=5
    )
    r.dataset.path = str(dataset)
    if start:
        r.checkpoint.path = start
    return r


def path_of(r: pb.TrainRequest, c: sdk.Checkpoint) -> str:
    return str(Path(r.call.work_dir) / c.output.path)


@pytest.fixture(scope="module")
def trained(conn: testing.Connection, dataset: Path) -> str:
    r = request(conn, dataset, 0, 20)
    return path_of(r, conn.train(r)[-1])


@pytest.fixture(scope="module")
def model(conn: testing.Connection, trained: str) -> sdk.Artifact:
    call = conn.call("exporter", "markov")
    (out,) = conn.export(call, sdk.Artifact(path=trained))
    assert out.name == "model" and out.meta["step"] == "20"
    assert out.media_type in next(s for s in conn.stages if s.kind == sdk.Kind.KIND_GENERATOR).consumes
    return sdk.Artifact(path=call.work_dir, digest="sha256:1")  # the host hands over the directory


def test_training_saves_at_each_multiple(conn: testing.Connection, dataset: Path) -> None:
    r = request(conn, dataset, 0, 20)
    assert [c.step for c in conn.train(r)] == [5, 10, 15, 20]
    events = list(conn.stream("Trainer", "Train", request(conn, dataset, 0, 5)))
    metrics = next(e.progress.metrics for e in events if e.progress.metrics)
    assert 0 < metrics["loss"] < math.log(257)
    assert metrics["perplexity"] == pytest.approx(math.exp(metrics["loss"]))


@pytest.mark.parametrize("at", [5, 7])
def test_resumed_training_gives_the_same_bytes(conn: testing.Connection, dataset: Path, trained: str, at: int) -> None:
    first = request(conn, dataset, 0, at)
    rest = request(conn, dataset, at, 20, path_of(first, conn.train(first)[-1]))
    assert Path(path_of(rest, conn.train(rest)[-1])).read_bytes() == Path(trained).read_bytes()


def test_stop_saves_where_it_stands(conn: testing.Connection, dataset: Path, trained: str) -> None:
    r = request(conn, dataset, 0, 20)
    r.save_every_steps = 1
    stream = conn.stream("Trainer", "Train", r)
    next(stream)
    conn.stop(r.call)
    *_, last = [e.checkpoint for e in stream if e.HasField("checkpoint")]
    assert last.step <= 20  # it may have been done already
    rest = request(conn, dataset, last.step, 20, path_of(r, last))
    done = conn.train(rest)
    final = path_of(rest, done[-1]) if done else path_of(r, last)
    assert Path(final).read_bytes() == Path(trained).read_bytes()


def test_limit_stops(conn: testing.Connection, dataset: Path) -> None:
    r = request(conn, dataset, 0, 20)
    r.call.limit.tokens = 50
    (cp,) = conn.train(r)
    assert 1 <= cp.step < 5


def test_the_next_window_goes_on_counting(conn: testing.Connection, dataset: Path, trained: str) -> None:
    r = request(conn, dataset, 20, 25, trained, end=40)
    r.window_start = 20  # its draws begin at the dataset's first
    cp = json.loads(Path(path_of(r, conn.train(r)[-1])).read_text())
    assert cp["drawn"] == 25 * BATCH and cp["step"] == 25


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"from_step": 3}, "step 3 lies within a window: going on needs its checkpoint"),
        ({"to_step": 60, "window_end": 60}, "the dataset has fewer records than the steps read"),
        ({"window_start": 5}, "do not lie in the window"),
    ],
)
def test_wrong_requests(conn: testing.Connection, dataset: Path, change: dict[str, int], text: str) -> None:
    r = request(conn, dataset, 0, 20)
    for k, v in change.items():
        setattr(r, k, v)
    with pytest.raises(grpc.RpcError, match=text):
        conn.train(r)


def test_estimates(conn: testing.Connection) -> None:
    def ask(kind: str, config: dict[str, object], items: int) -> sdk.EstimateResponse:
        c = conn.config(kind, "markov", config)
        r = pb.EstimateRequest(kind=testing.kind_of(kind), stage="markov", config=c, items=items)
        out = conn.request("Plugin", "Estimate", r)
        assert isinstance(out, sdk.EstimateResponse)
        return out

    assert ask("trainer", {"batch_size": 8}, 10).records == 80
    assert ask("generator", {"max_tokens": 10}, 3).max_completion_tokens == 30


def test_validation(conn: testing.Connection) -> None:
    (d,) = conn.validate("trainer", "markov", {"order": 1})
    assert d.attribute[0].name == "order"
    assert len(conn.validate("generator", "markov", {"top_p": 0, "temperature": -1, "stop": [""]})) == 3


def test_generate(conn: testing.Connection, model: sdk.Artifact) -> None:
    config = {"max_tokens": 12}
    call = conn.call("generator", "markov", config, seed=5)
    whole = conn.generate(call, [sdk.PromptSet(template="t", samples=30)], model)
    assert len(whole) == 30 and len({r.text for r in whole}) > 5
    assert all(r.meta["template"] == "t" and r.completion_tokens for r in whole)
    assert {r.meta["finish"] for r in whole if "finish" in r.meta} <= {"length"}
    again = conn.generate(call, [sdk.PromptSet(template="t", samples=10, start_index=20)], model)
    assert again == whole[20:]
    other = conn.generate(call, [sdk.PromptSet(template="u", samples=30)], model)
    assert [r.text for r in other] != [r.text for r in whole]
    resumed = conn.call("generator", "markov", config, seed=5, cursor=b'{"template":"t","next":25}')
    sets = [sdk.PromptSet(template="s", samples=3), sdk.PromptSet(template="t", samples=30)]
    assert conn.generate(resumed, sets, model) == whole[25:]
    prompts = [sdk.Prompt(text="1+2=", bucket="b"), sdk.Prompt(text="2+")]
    prompted = conn.generate(call, [sdk.PromptSet(template="t", samples=3, prompts=prompts)], model)
    assert [r.prompt for r in prompted] == ["1+2=", "2+", "1+2="] and prompted[0].bucket == "b"
    with pytest.raises(grpc.RpcError, match="the cursor is not one of this generator"):
        conn.generate(conn.call("generator", "markov", cursor=b"x"), sets, model)
    with pytest.raises(grpc.RpcError, match="there is no model"):
        conn.generate(call, sets)


def test_complete(conn: testing.Connection, model: sdk.Artifact) -> None:
    call = conn.call("generator", "markov", {"max_tokens": 12})
    prompts = [sdk.Prompt(id="a", text="7+3="), sdk.Prompt(id="b", text="1+1=")]
    greedy = sdk.Sampling(temperature=0)
    done = conn.complete(call, prompts, model, greedy)
    assert done[0].text == "10" and done[0].finish_reason == "stop"
    assert (done[0].prompt_tokens, done[0].completion_tokens, len(done[0].logprobs)) == (5, 3, 3)
    assert conn.complete(call, prompts[1:], model, greedy) == done[1:]
    (stopped,) = conn.complete(call, prompts[:1], model, sdk.Sampling(temperature=0, stop=["0"]))
    assert (stopped.text, stopped.finish_reason) == ("1", "stop")
    with pytest.raises(grpc.RpcError, match="no repetition penalty"):
        conn.complete(call, prompts, model, sdk.Sampling(repetition_penalty=2))
    with pytest.raises(grpc.RpcError, match="no tokens for turns"):
        conn.complete(call, [sdk.Prompt(system="be brief")], model)


def test_score(conn: testing.Connection, model: sdk.Artifact) -> None:
    item = sdk.LikelihoodItem(prompt_id="q", prompt="7+3=", continuations=["10", "99"], end=True)
    (e,) = conn.score(conn.call("generator", "markov"), [item], model)
    right, wrong = e.likelihoods
    assert right.sum_logprob > wrong.sum_logprob and (right.tokens, right.bytes) == (3, 2)
    # The log-probabilities that a completion tells are the same.
    call = conn.call("generator", "markov")
    (done,) = conn.complete(call, [sdk.Prompt(text="7+3=")], model, sdk.Sampling(temperature=0))
    assert sum(done.logprobs) == pytest.approx(right.sum_logprob, rel=1e-6)  # float32 on the wire
