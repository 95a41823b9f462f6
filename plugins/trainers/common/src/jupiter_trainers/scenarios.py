"""What every trainer that supervises a library is held to, with a small model of random numbers.

class TestOwn(Scenarios):
    trainer, plugin = "own", PLUGIN
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import jupiter_sdk as sdk
import pytest
from jupiter_sdk import testing

from .testing import Bench, files, load, make_model, metrics, sums, write_records

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


class Scenarios:
    """Tests, with the fixtures that they need."""

    trainer: ClassVar[str]
    plugin: ClassVar[sdk.Plugin]

    @pytest.fixture(scope="class")
    @classmethod
    def conn(cls) -> Iterator[testing.Connection]:
        with testing.connect(cls.plugin) as c:
            yield c

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return make_model(tmp_path_factory.mktemp("model"))

    @pytest.fixture(scope="class")
    @classmethod
    def data(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return write_records(tmp_path_factory.mktemp("data") / "records.jsonl.zst", sums(12 * 4))

    @pytest.mark.parametrize("config", [CONFIG, FULL, {**CONFIG, "packing": True}], ids=["lora", "full", "packed"])
    def test_resumed_training_is_undisturbed_training(
        self, conn: testing.Connection, model: Path, data: Path, config: dict[str, Any]
    ) -> None:
        bench = Bench(conn, self.trainer, config, model, data)
        whole = bench.train(bench.request(0, 12))
        assert [p.name for p in whole] == ["step-4", "step-8", "step-12"]
        first = bench.train(bench.request(0, 5))[-1]
        rest = bench.train(bench.request(5, 12, str(first)))
        assert [p.name for p in rest] == ["step-8", "step-12"]
        assert files(rest[-1]) == files(whole[-1])
        assert files(whole[0]) != files(whole[-1])
        about = json.loads((rest[-1] / "trainer.json").read_text())
        assert (about["trainer"], about["step"], about["dtype"]) == (self.trainer, 12, "f32")
        assert about["windows"] == [{"start": 0, "end": 12, "dataset": ""}]

    @pytest.mark.parametrize("config", [CONFIG, FULL], ids=["lora", "full"])
    def test_it_learns(self, conn: testing.Connection, model: Path, data: Path, config: dict[str, Any]) -> None:
        bench = Bench(
            conn, self.trainer, {**config, "lora": None, "batch_size": 12, "learning_rate": 0.02}, model, data
        )
        write_records(bench.data.with_name("few.jsonl"), sums(12) * 25)
        bench.data = bench.data.with_name("few.jsonl")
        first, last = (metrics(bench.events(bench.request(0, n, end=25))) for n in (1, 25))
        assert first["loss"] > 4 and last["loss"] < 0.6 * first["loss"]
        assert last["tokens_per_second"] > 0 and last["memory_bytes"] > 0

    def test_micro_batches_change_rounding_alone(self, conn: testing.Connection, model: Path, data: Path) -> None:
        bench = Bench(conn, self.trainer, {**CONFIG, "lora": None}, model, data)
        losses = [metrics(bench.events(bench.request(0, 3, micro_batch=n)))["loss"] for n in (1, 3, 4)]
        assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)
        packed = metrics(bench.events(bench.request(0, 3, packing=True)))["loss"]
        assert packed == pytest.approx(losses[0], rel=1e-4)  # positions are others, and attention sees the same

    def test_gradient_checkpointing_changes_nothing(self, conn: testing.Connection, model: Path, data: Path) -> None:
        bench = Bench(conn, self.trainer, FULL, model, data)
        plain, again = (bench.train(bench.request(0, 2, gradient_checkpointing=g))[-1] for g in (False, True))
        there, other = (dict(load(p / "model" / "model.safetensors")) for p in (plain, again))
        for name, value in there.items():
            assert value == pytest.approx(other[name], abs=1e-5), name

    def test_the_next_window_keeps_the_optimizer(self, conn: testing.Connection, model: Path, data: Path) -> None:
        bench = Bench(conn, self.trainer, CONFIG, model, data)
        first = bench.train(bench.request(0, 4, end=4))[-1]
        r = bench.request(4, 8, str(first), end=8)
        r.window_start = 4  # its draws begin at the dataset's first
        second = bench.train(r)[-1]
        about = json.loads((second / "trainer.json").read_text())
        assert [(w["start"], w["end"]) for w in about["windows"]] == [(0, 4), (4, 8)]
        state = load(second / "state" / "optimizer.safetensors")
        assert {int(v) for k, v in state.items() if k.endswith("step")} == {8}

    def test_adapters_are_those_of_peft(self, conn: testing.Connection, model: Path, data: Path) -> None:
        bench = Bench(conn, self.trainer, {**CONFIG, "lora": {**LORA, "targets": ["q_proj"]}}, model, data)
        path = bench.train(bench.request(0, 1))[-1] / "adapter"
        about = json.loads((path / "adapter_config.json").read_text())
        assert (about["r"], about["lora_alpha"], about["target_modules"]) == (4, 8, ["q_proj"])
        tensors = load(path / "adapter_model.safetensors")
        name = "base_model.model.model.layers.1.self_attn.q_proj.lora_{}.weight"
        assert len(tensors) == 4
        assert tensors[name.format("A")].shape == (4, 32) and tensors[name.format("B")].shape == (32, 4)
        assert abs(tensors[name.format("B")]).max() > 0

    def test_stop_saves_where_it_stands(self, conn: testing.Connection, model: Path, data: Path) -> None:
        bench = Bench(conn, self.trainer, CONFIG, model, data)
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
