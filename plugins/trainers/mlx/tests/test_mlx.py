"""Training with mlx-lm over the protocol, of a small model of random numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import jupiter_sdk as sdk
import pytest
from jupiter_sdk import testing
from jupiter_trainers.testing import Bench, files, make_model, metrics, sums, write_records

from jupiter_mlx.plugin import PLUGIN

LORA = {"rank": 4, "alpha": 8, "dropout": 0.1}
CONFIG: dict[str, Any] = {
    "method": "lora",
    "lora": LORA,
    "dtype": "f32",
    "learning_rate": 0.01,
    "batch_size": 4,
    "micro_batch": 2,
    "max_seq_length": 64,
    "warmup_steps": 2,
}
FULL = {**CONFIG, "method": "full", "lora": None, "learning_rate": 0.003}


@pytest.fixture(scope="module")
def conn() -> Iterator[testing.Connection]:
    with testing.connect(PLUGIN) as c:
        yield c


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_records(tmp_path_factory.mktemp("data") / "records.jsonl.zst", sums(12 * 4))


@pytest.mark.parametrize("config", [CONFIG, FULL, {**CONFIG, "packing": True}], ids=["lora", "full", "packed"])
def test_resumed_training_is_undisturbed_training(
    conn: testing.Connection, model: Path, data: Path, config: dict[str, Any]
) -> None:
    bench = Bench(conn, "mlx", config, model, data)
    whole = bench.train(bench.request(0, 12))
    assert [p.name for p in whole] == ["step-4", "step-8", "step-12"]
    first = bench.train(bench.request(0, 5))[-1]
    rest = bench.train(bench.request(5, 12, str(first)))
    assert [p.name for p in rest] == ["step-8", "step-12"]
    assert files(rest[-1]) == files(whole[-1])
    assert files(whole[0]) != files(whole[-1])
    about = json.loads((rest[-1] / "trainer.json").read_text())
    assert (about["trainer"], about["step"], about["dtype"]) == ("mlx", 12, "f32")
    assert about["windows"] == [{"start": 0, "end": 12, "dataset": ""}]


@pytest.mark.parametrize("config", [CONFIG, FULL], ids=["lora", "full"])
def test_it_learns(conn: testing.Connection, model: Path, data: Path, config: dict[str, Any]) -> None:
    bench = Bench(conn, "mlx", {**config, "lora": None, "batch_size": 12, "learning_rate": 0.02}, model, data)
    write_records(bench.data.with_name("few.jsonl"), sums(12) * 25)
    bench.data = bench.data.with_name("few.jsonl")
    first, last = (metrics(bench.events(bench.request(0, n, end=25))) for n in (1, 25))
    assert first["loss"] > 4 and last["loss"] < 0.6 * first["loss"]
    assert last["tokens_per_second"] > 0 and last["memory_bytes"] > 0


def test_micro_batches_change_rounding_alone(conn: testing.Connection, model: Path, data: Path) -> None:
    bench = Bench(conn, "mlx", {**CONFIG, "lora": None}, model, data)
    losses = [metrics(bench.events(bench.request(0, 3, micro_batch=n)))["loss"] for n in (1, 3, 4)]
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)
    packed = metrics(bench.events(bench.request(0, 3, packing=True)))["loss"]
    assert packed == pytest.approx(losses[0], rel=1e-4)  # positions are others, and attention sees the same


def test_gradient_checkpointing_changes_nothing(conn: testing.Connection, model: Path, data: Path) -> None:
    from mlx_lm.models.llama import TransformerBlock

    call = TransformerBlock.__call__
    bench = Bench(conn, "mlx", FULL, model, data)
    plain, again = (bench.train(bench.request(0, 2, gradient_checkpointing=g))[-1] for g in (False, True))
    assert TransformerBlock.__call__ is call
    there, other = (dict(load(p / "model" / "model.safetensors")) for p in (plain, again))
    for name, value in there.items():
        assert value == pytest.approx(other[name], abs=1e-5), name


def load(file: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return dict(load_file(file))


def test_the_next_window_keeps_the_optimizer(conn: testing.Connection, model: Path, data: Path) -> None:
    bench = Bench(conn, "mlx", CONFIG, model, data)
    first = bench.train(bench.request(0, 4, end=4))[-1]
    r = bench.request(4, 8, str(first), end=8)
    r.window_start = 4  # its draws begin at the dataset's first
    second = bench.train(r)[-1]
    about = json.loads((second / "trainer.json").read_text())
    assert [(w["start"], w["end"]) for w in about["windows"]] == [(0, 4), (4, 8)]
    state = load(second / "state" / "optimizer.safetensors")
    assert state["states.0.step"] == 8


def test_adapters_are_those_of_peft(conn: testing.Connection, model: Path, data: Path) -> None:
    bench = Bench(conn, "mlx", {**CONFIG, "lora": {**LORA, "targets": ["q_proj"]}}, model, data)
    path = bench.train(bench.request(0, 1))[-1] / "adapter"
    about = json.loads((path / "adapter_config.json").read_text())
    assert (about["r"], about["lora_alpha"], about["target_modules"]) == (4, 8, ["q_proj"])
    tensors = load(path / "adapter_model.safetensors")
    name = "base_model.model.model.layers.1.self_attn.q_proj.lora_{}.weight"
    assert len(tensors) == 4
    assert tensors[name.format("A")].shape == (4, 32) and tensors[name.format("B")].shape == (32, 4)
    assert abs(tensors[name.format("B")]).max() > 0


@pytest.mark.parametrize("more", [{"dtype": "bf16"}, {"quantize": 4}, {"quantize": 8, "packing": True}])
def test_other_numbers(conn: testing.Connection, tmp_path: Path, data: Path, more: dict[str, Any]) -> None:
    bench = Bench(conn, "mlx", {**CONFIG, **more}, make_model(tmp_path / "m", tied=False, width=64), data)
    events = bench.events(bench.request(0, 2))
    assert math.isfinite(metrics(events)["loss"])
    (c,) = [e.checkpoint for e in events if e.HasField("checkpoint")]
    assert c.step == 2


def test_stop_saves_where_it_stands(conn: testing.Connection, model: Path, data: Path) -> None:
    bench = Bench(conn, "mlx", CONFIG, model, data)
    whole = bench.train(bench.request(0, 12))[-1]
    r = bench.request(0, 12)
    r.save_every_steps = 1
    stream = conn.stream("Trainer", "Train", r)
    seen = []
    for e in stream:
        if e.HasField("checkpoint"):
            seen.append(e.checkpoint)
            conn.stop(r.call)
    last = seen[-1]
    assert last.step < 12
    rest = bench.train(bench.request(last.step, 12, str(Path(r.call.work_dir) / last.output.path)))
    assert files(rest[-1]) == files(whole)


def test_a_lost_device_may_be_there_again(
    conn: testing.Connection, model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupiter_mlx.engine import MlxEngine

    bench = Bench(conn, "mlx", CONFIG, model, data)

    def lost(*_: object) -> None:
        raise RuntimeError("[METAL] Command buffer execution failed: Discarded (victim of GPU error/recovery)")

    monkeypatch.setattr(MlxEngine, "_loss", lost)
    with pytest.raises(grpc.RpcError) as e:
        bench.train(bench.request(0, 1))
    assert e.value.code() is grpc.StatusCode.ABORTED and "victim of GPU error" in (e.value.details() or "")


def test_memory_that_runs_out_halves_the_micro_batch(
    conn: testing.Connection, model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupiter_mlx.engine import MlxEngine

    bench = Bench(conn, "mlx", {**CONFIG, "lora": None, "micro_batch": 4}, model, data)
    want = bench.train(bench.request(0, 4, micro_batch=1))[-1]
    true = MlxEngine._loss

    def small(self: Any, parameters: Any, tokens: Any, *rest: Any) -> Any:
        if len(tokens) > 1:
            raise RuntimeError("[metal::malloc] Unable to allocate 123 bytes.")
        return true(self, parameters, tokens, *rest)

    monkeypatch.setattr(MlxEngine, "_loss", small)
    r = bench.request(0, 4)
    events = bench.events(r)
    (warning,) = [e.diagnostic for e in events if e.HasField("diagnostic")]
    assert warning.summary == "Memory ran out" and "4 rows" in warning.detail
    (c,) = [e.checkpoint for e in events if e.HasField("checkpoint")]
    got = Path(r.call.work_dir) / c.output.path
    assert files(got) == files(want)
    assert json.loads((got / "trainer.json").read_text())["micro_batch"] == {"configured": 4, "used": 1}


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({"dtype": "f16"}, "dtype"),
        ({"quantize": 3}, "quantize"),
        ({"method": "full", "quantize": 4}, "quantize"),
        ({"gradient_checkpointing": True, "lora": {"dropout": 0.1}}, "gradient_checkpointing"),
    ],
)
def test_validation(conn: testing.Connection, config: dict[str, Any], name: str) -> None:
    (d,) = conn.validate("trainer", "mlx", config)
    assert d.attribute[0].name == name


def test_doctor(conn: testing.Connection) -> None:
    from jupiter_mlx.config import Config

    assert [f.subject for f in Config().check()] == ["mlx", "mlx-lm", "transformers", "device"]
    assert all(f.level == sdk.Finding.LEVEL_OK for f in Config().check())
