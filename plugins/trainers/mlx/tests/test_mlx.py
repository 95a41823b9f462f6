"""Training with mlx-lm over the protocol."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import grpc
import jupiter_sdk as sdk
import pytest
from jupiter_sdk import testing
from jupiter_trainers.scenarios import CONFIG, FULL, Scenarios
from jupiter_trainers.testing import Bench, files, make_model, metrics

from jupiter_mlx.config import Config
from jupiter_mlx.engine import MlxEngine
from jupiter_mlx.plugin import PLUGIN


class TestMlx(Scenarios):
    trainer, plugin = "mlx", PLUGIN

    def test_layers_are_put_back(self, conn: testing.Connection, model: Path, data: Path) -> None:
        from mlx_lm.models.llama import TransformerBlock

        call = TransformerBlock.__call__
        bench = Bench(conn, "mlx", {**FULL, "gradient_checkpointing": True}, model, data)
        bench.train(bench.request(0, 1))
        assert TransformerBlock.__call__ is call

    @pytest.mark.parametrize("more", [{"dtype": "bf16"}, {"quantize": 4}, {"quantize": 8, "packing": True}])
    def test_other_numbers(self, conn: testing.Connection, tmp_path: Path, data: Path, more: dict[str, Any]) -> None:
        bench = Bench(conn, "mlx", {**CONFIG, **more}, make_model(tmp_path / "m", tied=False, width=64), data)
        events = bench.events(bench.request(0, 2))
        assert math.isfinite(metrics(events)["loss"])
        (c,) = [e.checkpoint for e in events if e.HasField("checkpoint")]
        assert c.step == 2

    def test_a_lost_device_may_be_there_again(
        self, conn: testing.Connection, model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench = Bench(conn, "mlx", CONFIG, model, data)

        def lost(*_: object) -> None:
            raise RuntimeError("[METAL] Command buffer execution failed: Discarded (victim of GPU error/recovery)")

        monkeypatch.setattr(MlxEngine, "_loss", lost)
        with pytest.raises(grpc.RpcError) as e:
            bench.train(bench.request(0, 1))
        assert e.value.code() is grpc.StatusCode.ABORTED and "victim of GPU error" in (e.value.details() or "")

    def test_memory_that_runs_out_halves_the_micro_batch(
        self, conn: testing.Connection, model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
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
    def test_validation(self, conn: testing.Connection, config: dict[str, Any], name: str) -> None:
        (d,) = conn.validate("trainer", "mlx", config)
        assert d.attribute[0].name == name

    def test_doctor(self, conn: testing.Connection) -> None:
        assert [f.subject for f in Config().check()] == ["mlx", "mlx-lm", "transformers", "device"]
        assert all(f.level == sdk.Finding.LEVEL_OK for f in Config().check())
