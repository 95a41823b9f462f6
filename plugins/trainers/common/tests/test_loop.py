"""The steps of a call, with an engine that computes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import jupiter_sdk as sdk
import pytest
from jupiter_sdk import testing

from jupiter_trainers.config import Config
from jupiter_trainers.engine import NotFinite, OutOfMemory
from jupiter_trainers.feed import Row
from jupiter_trainers.loop import About
from jupiter_trainers.schedule import Schedule
from jupiter_trainers.start import Start
from jupiter_trainers.testing import Bench, make_model, metrics, sums, write_records
from jupiter_trainers.trainer import Supervisor


@dataclass
class Engine:
    """Notes what it is asked to do."""

    room: int = 99  # rows that fit into memory
    fails: BaseException | None = None  # at step 6
    rank: int = 0
    processes: int = 1
    seen: list[list[str]] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    gathered: list[str] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def gradients(self, rows: Sequence[Row], total: float, seed: int) -> float:
        if len(rows) > self.room:
            raise OutOfMemory("none left")
        if self.fails and len(self.seen) == 6:
            raise self.fails
        self.gathered += ["".join(map(chr, r.tokens)) for r in rows]
        self.seeds.append(seed)
        return sum(sum(r.weights) for r in rows) / total

    def apply(self, rate: float, loss: float) -> tuple[float, float]:
        self.seen.append(sorted(self.gathered))
        self.rates.append(rate)
        self.gathered = []
        return loss, 1.0

    def discard(self) -> None:
        self.gathered = []

    def agree(self, state: int) -> int:
        return state

    def save(self, directory: Path) -> None:
        (directory / "adapter" / "seen.json").write_text(json.dumps(self.seen))

    def memory(self) -> float:
        return 0.0

    def close(self) -> None:
        pass


ENGINES: list[Engine] = []
NEXT: dict[str, Any] = {}


@sdk.trainer("fake", Config, resumable=True, produces=[sdk.CHECKPOINT_MEDIA_TYPE])
class Fake(Supervisor[Config]):
    name = "fake"

    def about(self, config: Config) -> About:
        return About(self.name, "f32", {})

    def open(self, call: sdk.Call, config: Config, start: Start) -> Engine:
        ENGINES.append(Engine(**NEXT))
        return ENGINES[-1]

    def inspect(self, directory: Path) -> None:
        pass


@pytest.fixture(scope="module")
def conn() -> Iterator[testing.Connection]:
    with testing.connect(sdk.Plugin("fake", "1.0.0", [Fake])) as c:
        yield c


@pytest.fixture
def bench(conn: testing.Connection, tmp_path: Path) -> Iterator[Bench]:
    data = write_records(tmp_path / "records.jsonl", sums(48))
    config = {"batch_size": 4, "micro_batch": 4, "max_seq_length": 64}
    yield Bench(conn, "fake", config, make_model(tmp_path / "m"), data)
    NEXT.clear()


def test_data_come_in_order_also_after_a_pause(bench: Bench) -> None:
    bench.train(bench.request(0, 12))
    whole = ENGINES[-1]
    assert len(whole.seen) == 12 and all(len(s) == 4 for s in whole.seen)
    first = bench.train(bench.request(0, 5))[-1]
    early = ENGINES[-1]
    bench.train(bench.request(5, 12, str(first)))
    late = ENGINES[-1]
    for name in ("seen", "seeds", "rates"):
        assert getattr(early, name) + getattr(late, name) == getattr(whole, name), name
    assert len(set(whole.seeds)) == 12


def test_memory_that_runs_out_halves_the_micro_batch(bench: Bench) -> None:
    bench.train(bench.request(0, 4))
    want = ENGINES[-1].seen
    NEXT["room"] = 1
    r = bench.request(0, 4)
    events = bench.events(r)
    assert ENGINES[-1].seen == want
    warnings = [e.diagnostic for e in events if e.HasField("diagnostic")]
    assert [w.attribute[0].name for w in warnings] == ["micro_batch"]
    assert metrics(events)["micro_batch"] == 1
    path = Path(r.call.work_dir) / "step-4"
    assert json.loads((path / "trainer.json").read_text())["micro_batch"] == {"configured": 4, "used": 1}
    # The smaller number stays, until the configuration says another one.
    NEXT["room"] = 99
    assert metrics(bench.events(bench.request(4, 8, str(path))))["micro_batch"] == 1
    assert metrics(bench.events(bench.request(4, 8, str(path), micro_batch=3)))["micro_batch"] == 3
    NEXT["room"] = 0
    with pytest.raises(
        grpc.RpcError, match="a single row in work: lower max_seq_length, which is 64, or say gradient_ch"
    ):
        bench.train(bench.request(0, 4))


def saved_then(bench: Bench, text: str, code: grpc.StatusCode) -> list[int]:
    """The steps of the checkpoints that came before an error."""
    steps = []
    with pytest.raises(grpc.RpcError, match=text) as e:
        for event in bench.conn.stream("Trainer", "Train", bench.request(0, 12)):
            if event.HasField("checkpoint"):
                steps.append(event.checkpoint.step)
    assert e.value.code() is code
    return steps


def test_what_was_learned_before_an_error_is_kept(bench: Bench) -> None:
    records = sums(48)
    records[27] = sdk.Record(messages=[sdk.Message(role="banned", content="x", train=True)])
    write_records(bench.data, records)
    text = "record 28 of the dataset: the model's chat template does not take a chat of banned: no such role"
    assert saved_then(bench, text, grpc.StatusCode.UNKNOWN) == [4, 6]
    bench.data.write_bytes(bench.data.read_bytes()[:900] + b"\xff\xfe{\n")
    assert saved_then(bench, r"the dataset cannot be read: .*records.jsonl:\d+: ", grpc.StatusCode.UNKNOWN)
    write_records(bench.data, sums(22))
    text = "the dataset ends after 22 records, and a step reads 4"
    assert saved_then(bench, text, grpc.StatusCode.UNKNOWN) == [4, 5]


def test_devices_that_go_and_losses_that_are_none(bench: Bench) -> None:
    NEXT["fails"] = sdk.TransientError("the device was lost")
    assert saved_then(bench, "the device was lost", grpc.StatusCode.ABORTED) == [4]
    NEXT["fails"] = NotFinite("the loss is nan")
    text = "step 6: the loss is nan; checkpoints that were saved before are kept: try a lower learning_rate than 0.0002"
    assert saved_then(bench, text, grpc.StatusCode.UNKNOWN) == [4]


def test_records_that_teach_nothing_are_counted(bench: Bench) -> None:
    records = sums(48)
    records[1] = sdk.Record(prompt="x" * 100, text="y")
    for i in range(4, 8):
        records[i] = sdk.Record(messages=[sdk.Message(role="user", content="x")])
    write_records(bench.data, records)
    events = bench.events(bench.request(0, 4))
    assert [len(s) for s in ENGINES[-1].seen] == [3, 4, 4]  # a step without anything to learn changes nothing
    assert {k: v for k, v in metrics(events).items() if k.startswith("records")} == {
        "records_cut": 1,
        "records_untrained": 5,
    }
    warnings = [e.diagnostic for e in events if e.HasField("diagnostic")]
    assert [w.summary for w in warnings] == ["Records cut", "Records without effect"]
    assert "1 of 16 records" in warnings[0].detail and "5 of 16 records" in warnings[1].detail


def test_stop_in_the_middle_of_a_step(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    r, true = bench.request(0, 12, micro_batch=1), Engine.gradients

    def stops(self: Engine, *what: Any) -> float:
        if len(self.seen) == 2 and self.gathered:
            bench.conn.stop(r.call)
        return true(self, *what)

    monkeypatch.setattr(Engine, "gradients", stops)
    assert [p.name for p in bench.train(r)] == ["step-2"]


def test_limit(bench: Bench) -> None:
    r = bench.request(0, 12)
    r.call.limit.tokens = 50
    (path,) = bench.train(r)
    assert path.name == "step-1"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"from_step": 3}, "going on from step 3 needs its checkpoint, and this is of step 0"),
        ({"to_step": 60}, "do not lie in the window"),
        ({"window_start": 5}, "do not lie in the window"),
    ],
)
def test_wrong_requests(bench: Bench, change: dict[str, int], text: str) -> None:
    r = bench.request(0, 12)
    for k, v in change.items():
        setattr(r, k, v)
    with pytest.raises(grpc.RpcError, match=text):
        bench.train(r)


def test_wrong_starts(bench: Bench) -> None:
    r = bench.request(0, 4)
    r.ClearField("checkpoint")
    with pytest.raises(grpc.RpcError, match="give it a model: start = PATH"):
        bench.train(r)
    first = bench.train(bench.request(0, 2))[-1]
    with pytest.raises(grpc.RpcError, match="the window began with batch_size = 4, and the configuration says 8"):
        bench.train(bench.request(2, 4, str(first), batch_size=8))
    with pytest.raises(grpc.RpcError, match='is of method "lora", and the configuration says "full"'):
        bench.train(bench.request(2, 4, str(first), method="full"))
    r = bench.request(2, 4, str(first))
    r.base.digest = "sha256:07e2"
    with pytest.raises(grpc.RpcError, match="build on the model sha256:ba5e, and this is sha256:07e2"):
        bench.train(r)
    r.ClearField("base")
    with pytest.raises(grpc.RpcError, match="the model that they build on did not come with it"):
        bench.train(r)
    (first / "trainer.json").write_text('{"format": 2}')
    with pytest.raises(grpc.RpcError, match="is no checkpoint of format 1"):
        bench.train(bench.request(2, 4, str(first)))


def test_the_schedule() -> None:
    s = Schedule(peak=2.0, floor=0.1, warmup=4, steps=10)
    assert s.at(0) == pytest.approx(0.5)
    assert s.at(5) == pytest.approx(2 * (0.1 + 0.9 * 0.5))
    assert Schedule(2.0, 0.1, 0, 10).at(0) == 2.0
    assert min(Schedule(2.0, 0.1, 0, 10).at(i) for i in range(10)) > 0.2


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"method": "qlora"}, ["method"]),
        ({"dtype": "float16"}, ["dtype"]),
        ({"batch_size": 0}, ["batch_size"]),
        ({"learning_rate": 11}, ["learning_rate"]),
        ({"betas": [0.9]}, ["betas"]),
        ({"method": "full", "lora": {}}, ["lora"]),
        ({"lora": {"rank": 0, "alpha": 1}}, ["lora", "rank"]),
        ({"lora": {"dropout": 1}}, ["lora", "dropout"]),
        ({"lora": {"targets": ["q proj"]}}, ["lora", "targets", 0]),
    ],
)
def test_validation(conn: testing.Connection, config: dict[str, Any], path: list[str | int]) -> None:
    (d,) = conn.validate("trainer", "fake", config)
    assert [s.name or s.index for s in d.attribute] == path


def test_the_estimate_counts_records(conn: testing.Connection) -> None:
    from jupiter_sdk._pb import plugin_pb2 as pb

    c = conn.config("trainer", "fake", {"batch_size": 8})
    r = pb.EstimateRequest(kind=testing.kind_of("trainer"), stage="fake", config=c, items=10)
    assert conn.request("Plugin", "Estimate", r).records == 80
