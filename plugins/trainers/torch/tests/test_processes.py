"""Two processes that train together, on processors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import jupiter_sdk as sdk
import pytest
from jupiter_sdk import testing
from jupiter_trainers.scenarios import CONFIG
from jupiter_trainers.testing import Bench, load, make_model, metrics, sums, write_records

from jupiter_torch.plugin import PLUGIN


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    tmp = tmp_path_factory.mktemp("together")
    with testing.connect(PLUGIN) as conn:
        data = write_records(tmp / "records.jsonl", sums(48))
        config = {**CONFIG, "lora": None, "device": "cpu", "batch_size": 5, "micro_batch": 1}
        yield Bench(conn, "torch", config, make_model(tmp / "m"), data)


def test_two_processes_learn_what_one_does(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    one, two = bench.request(0, 4), bench.request(0, 4, processes=2)
    alone, together = bench.events(one), bench.events(two)
    assert metrics(together)["loss"] == pytest.approx(metrics(alone)["loss"], rel=1e-5)
    assert metrics(together)["grad_norm"] == pytest.approx(metrics(alone)["grad_norm"], rel=1e-4)
    assert [e.checkpoint.step for e in together if e.HasField("checkpoint")] == [4]
    there, other = (load(Path(r.call.work_dir) / "step-4/adapter/adapter_model.safetensors") for r in (one, two))
    assert all(there[k] == pytest.approx(other[k], abs=1e-4) for k in there)
    assert sorted(p.name for p in Path(two.call.work_dir).iterdir()) == ["step-4"]


def test_an_error_of_one_ends_all(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    records = sums(48)
    records[7] = sdk.Record(messages=[sdk.Message(role="banned", content="x", train=True)])
    write_records(bench.data, records)
    r = bench.request(0, 4, processes=2)
    seen = []
    with pytest.raises(grpc.RpcError, match=r"record 8 of the dataset: .*no such role"):
        for e in bench.conn.stream("Trainer", "Train", r):
            seen += [e.checkpoint.step] if e.HasField("checkpoint") else []
    assert seen == [1]
