"""Exports over the protocol, of what training has made."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import jupiter_sdk as sdk
import numpy as np
import pytest
from jupiter_sdk import testing
from jupiter_sdk._pb import plugin_pb2 as pb
from jupiter_trainers.scenarios import CONFIG, FULL
from jupiter_trainers.testing import Bench, load, make_model, sums, write_records

from jupiter_torch.plugin import PLUGIN


@pytest.fixture(scope="module")
def conn() -> Iterator[testing.Connection]:
    with testing.connect(PLUGIN) as c:
        yield c


def trained(conn: testing.Connection, tmp_path: Path, config: dict[str, Any]) -> tuple[Path, str]:
    data = write_records(tmp_path / "records.jsonl", sums(48))
    bench = Bench(conn, "torch", config, make_model(tmp_path / "m"), data)
    return bench.train(bench.request(0, 3))[-1], bench.base


def export(conn: testing.Connection, config: dict[str, Any], path: Path, base: str) -> Path:
    call = conn.call("exporter", "torch", config)
    request = pb.ExportRequest(call=call, checkpoint=sdk.Artifact(path=str(path)))
    if base:
        request.base.path = base
    (output,) = [e.output for e in conn.stream("Exporter", "Export", request) if e.HasField("output")]
    assert output.name == "model" and output.meta["step"] == "3"
    return Path(call.work_dir) / str(output.path)


def test_adapters_are_merged(conn: testing.Connection, tmp_path: Path) -> None:
    path, base = trained(conn, tmp_path, CONFIG)
    out = export(conn, {"dtype": "f32"}, path, base)
    assert {p.name for p in out.iterdir()} == {p.name for p in (tmp_path / "m").iterdir()}
    whole, before = load(out / "model.safetensors"), load(tmp_path / "m" / "model.safetensors")
    tensors = load(path / "adapter" / "adapter_model.safetensors")
    name = "model.layers.1.self_attn.v_proj"
    a, b = (tensors[f"base_model.model.{name}.lora_{x}.weight"] for x in "AB")
    want = before[f"{name}.weight"] + 8 / 4 * b @ a
    np.testing.assert_allclose(whole[f"{name}.weight"], want, atol=1e-6)
    assert abs(b).max() > 0
    with pytest.raises(grpc.RpcError, match="the model that they build on did not come with it"):
        export(conn, {}, path, "")


def test_a_whole_model_and_gguf(conn: testing.Connection, tmp_path: Path) -> None:
    path, base = trained(conn, tmp_path, FULL)
    out = export(conn, {}, path, base)
    assert (out / "model.safetensors").stat().st_size < 0.6 * (path / "model" / "model.safetensors").stat().st_size
    program = tmp_path / "convert.py"
    program.write_text("import sys; open(sys.argv[3], 'w').write(' '.join(sys.argv[2:]))")
    file = export(conn, {"gguf": str(program), "gguf_type": "q8_0"}, path, base)
    assert file.name == "model.gguf" and file.read_text().endswith("--outtype q8_0")
    program.write_text("import sys; sys.exit('no such architecture')")
    with pytest.raises(grpc.RpcError, match="ended with status 1, and wrote no model: no such architecture"):
        export(conn, {"gguf": str(program)}, path, base)
    with pytest.raises(grpc.RpcError, match="there is no such file"):
        export(conn, {"gguf": str(tmp_path / "none")}, path, base)


def test_validation(conn: testing.Connection) -> None:
    assert [d.attribute[0].name for d in conn.validate("exporter", "torch", {"dtype": "q4", "gguf_type": "q4"})] == [
        "dtype",
        "gguf_type",
    ]


def test_started_by_hand_it_says_so() -> None:
    done = subprocess.run([sys.executable, "-m", "jupiter_torch.plugin"], capture_output=True, text=True)
    assert done.returncode == 1 and "plugin" in done.stderr
