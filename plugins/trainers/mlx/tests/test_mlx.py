"""Training with mlx-lm over the protocol."""

from __future__ import annotations

import ctypes
import json
import math
from pathlib import Path
from typing import Any

import grpc
import jupiter_sdk as sdk
import mlx.core as mx
import pytest
from jupiter_sdk import testing
from jupiter_trainers.scenarios import CONFIG, FULL, Scenarios
from jupiter_trainers.testing import Bench, files, make_model, metrics

from jupiter_mlx import blas
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
        found = {f.subject: f for f in Config().check()}
        assert list(found) == ["mlx", "mlx-lm", "transformers", "device", *(["BLAS"] if blas.used else [])]
        assert all(f.level == sdk.Finding.LEVEL_OK for s, f in found.items() if s != "BLAS")
        if blas.used:
            assert ("40 times as long" in found["BLAS"].detail) == (blas.used == blas.REFERENCE)


class TestBLAS:
    @pytest.mark.skipif(blas.used in ("", blas.REFERENCE), reason="NOT TESTED: there is no other BLAS than mlx's own")
    def test_its_names_come_first(self) -> None:
        everywhere = ctypes.CDLL(None)
        assert everywhere.cblas_sgemm
        maps = Path("/proc/self/maps").read_text()
        assert "libopenblas" in maps or "libmkl_rt" in maps
        a, b = mx.random.normal((33, 65)), mx.random.normal((65, 17))
        want = [[sum(x * y for x, y in zip(r, c, strict=True)) for c in b.T.tolist()] for r in a.tolist()]
        assert mx.allclose(a @ b, mx.array(want), atol=1e-4)

    @pytest.mark.parametrize(
        ("flags", "want"),
        [
            ("fpu avx avx2 fma avx512f avx512bw avx512cd avx512dq avx512vl amx_tile", "SkylakeX"),
            ("fpu avx avx2 fma avx512f", "Haswell"),
            ("fpu sse2", ""),
        ],
    )
    def test_core(self, tmp_path: Path, flags: str, want: str) -> None:
        (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
        assert blas.core(tmp_path / "cpuinfo") == want
        assert blas.core(tmp_path / "none") == ""
