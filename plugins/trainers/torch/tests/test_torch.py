"""Training with transformers and peft over the protocol."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import jupiter_sdk as sdk
import pytest
import torch
from jupiter_sdk import testing
from jupiter_trainers.scenarios import CONFIG, FULL, Scenarios
from jupiter_trainers.testing import Bench, files, load, make_model, metrics

from jupiter_torch import errors
from jupiter_torch.config import Config
from jupiter_torch.engine import TorchEngine
from jupiter_torch.model import load as load_model
from jupiter_torch.plugin import PLUGIN

CPU = {**CONFIG, "device": "cpu"}


class TestTorch(Scenarios):
    trainer, plugin = "torch", PLUGIN

    def test_bf16_and_untied(self, conn: testing.Connection, tmp_path: Path, data: Path) -> None:
        model = make_model(tmp_path / "m", tied=False)
        for config in (CPU, {**FULL, "device": "cpu"}):
            bench = Bench(conn, "torch", {**config, "dtype": "bf16"}, model, data)
            first = bench.train(bench.request(0, 2))[-1]
            assert math.isfinite(metrics(bench.events(bench.request(2, 4, str(first))))["loss"])

    def test_a_whole_model_is_one_of_hugging_face(self, conn: testing.Connection, model: Path, data: Path) -> None:
        from transformers import AutoModelForCausalLM

        bench = Bench(conn, "torch", {**FULL, "device": "cpu"}, model, data)
        path = bench.train(bench.request(0, 1))[-1] / "model"
        assert {p.name for p in path.iterdir()} == {p.name for p in model.iterdir()}
        assert (path / "config.json").read_bytes() == (model / "config.json").read_bytes()
        _, about = AutoModelForCausalLM.from_pretrained(str(path), output_loading_info=True)
        assert not about["missing_keys"] and not about["unexpected_keys"]

    def test_a_tensor_that_is_missing_is_named(self, conn: testing.Connection, tmp_path: Path, data: Path) -> None:
        from safetensors.numpy import save_file

        model = make_model(tmp_path / "m")
        tensors = load(model / "model.safetensors")
        del tensors["model.layers.1.mlp.up_proj.weight"]
        save_file(tensors, model / "model.safetensors", {"format": "pt"})
        with pytest.raises(
            grpc.RpcError, match=r"1 tensors are missing or misshapen, first model.layers.1.mlp.up_proj"
        ):
            Bench(conn, "torch", CPU, model, data)

    def test_memory_that_runs_out_halves_the_micro_batch(
        self, conn: testing.Connection, model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench = Bench(conn, "torch", {**CPU, "lora": None, "micro_batch": 4}, model, data)
        want = bench.train(bench.request(0, 4, micro_batch=1))[-1]
        true = TorchEngine._shared

        def small(self: Any, rows: Any, width: int) -> Any:
            if len(rows) > 1:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.00 GiB.")
            return true(self, rows, width)

        monkeypatch.setattr(TorchEngine, "_shared", small)
        r = bench.request(0, 4)
        events = bench.events(r)
        (warning,) = [e.diagnostic for e in events if e.HasField("diagnostic")]
        assert warning.summary == "Memory ran out" and "4 rows" in warning.detail
        got = Path(r.call.work_dir) / "step-4"
        assert files(got) == files(want)
        assert json.loads((got / "trainer.json").read_text())["micro_batch"] == {"configured": 4, "used": 1}

    def test_a_lost_device_may_be_there_again(
        self, conn: testing.Connection, model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench = Bench(conn, "torch", CPU, model, data)
        left: list[int] = []
        monkeypatch.setattr("os._exit", left.append)
        monkeypatch.setattr(errors, "_lost", False)

        def lost(*_: object) -> None:
            raise RuntimeError("CUDA error: unspecified launch failure\nand much more")

        with monkeypatch.context() as m:
            m.setattr(TorchEngine, "_shared", lost)
            with pytest.raises(
                grpc.RpcError, match=r"the device was lost .*: CUDA error: unspecified launch failure"
            ) as e:
                bench.train(bench.request(0, 1))
        assert e.value.code() is grpc.StatusCode.ABORTED and not left
        bench.train(bench.request(0, 1))
        assert left == [1]

    def test_a_mistake_is_not_a_lost_device(self) -> None:
        with pytest.raises(RuntimeError, match="device-side assert"), errors.translated():
            raise RuntimeError("CUDA error: device-side assert triggered")
        with pytest.raises(ValueError, match="x"), errors.translated():
            raise ValueError("x")

    def test_what_this_machine_cannot_do(self, conn: testing.Connection, model: Path, data: Path) -> None:
        if torch.cuda.is_available():
            pytest.skip("this machine can")
        bench = Bench(conn, "torch", CONFIG, model, data)
        several: list[tuple[dict[str, Any], str]] = [
            ({"device": "cuda"}, 'device = "cuda", and torch .* finds none'),
            ({"quantize": "nf4"}, "needs CUDA, and the device is"),
        ]
        for more, text in several:
            with pytest.raises(grpc.RpcError, match=text):
                bench.train(bench.request(0, 1, **more))

    @pytest.mark.parametrize(
        ("config", "name"),
        [
            ({"device": "tpu"}, "device"),
            ({"device": "cpu", "dtype": "f16"}, "dtype"),
            ({"quantize": "int8"}, "quantize"),
            ({"quantize": "nf4", "device": "cpu"}, "quantize"),
            ({"quantize": "nf4", "method": "full"}, "quantize"),
            ({"processes": 0}, "processes"),
            ({"processes": 2, "device": "mps"}, "processes"),
        ],
    )
    def test_validation(self, conn: testing.Connection, config: dict[str, Any], name: str) -> None:
        (d,) = conn.validate("trainer", "torch", config)
        assert d.attribute[0].name == name

    def test_doctor(self) -> None:
        found = {f.subject: f for f in Config().check()}
        assert list(found) == ["torch", "transformers", "peft", "bitsandbytes", "device"]
        assert all(f.level == sdk.Finding.LEVEL_OK for s, f in found.items() if s != "bitsandbytes")


def test_the_scale_of_losses_is_kept(tmp_path: Path) -> None:
    """f16 needs a GPU; that its scale is written and read does not."""
    a, b = torch.amp.GradScaler("cpu"), torch.amp.GradScaler("cpu", init_scale=2.0)
    b.load_state_dict(json.loads(json.dumps(a.state_dict())))
    assert a.state_dict() == b.state_dict()


def test_models_are_loaded_one_at_a_time(tmp_path: Path) -> None:
    """A cancelled call may still load a model when the next one does."""
    directory = make_model(tmp_path / "m")
    with ThreadPoolExecutor(3) as pool:
        models = list(pool.map(lambda _: load_model(directory, Config(dtype="f32"), "cpu"), range(9)))
    assert all(m.lm_head.weight is m.model.embed_tokens.weight for m in models)
