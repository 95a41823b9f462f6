from pathlib import Path

from jupiter_sdk import Artifact, testing

from jupiter_starter.plugin import PLUGIN


def test_export(tmp_path: Path) -> None:
    file = tmp_path / "part"
    file.write_bytes(b"weights")
    with testing.connect(PLUGIN) as conn:
        for checkpoint, name in ((file, "weights"), (tmp_path, "part")):
            call = conn.call("exporter", "starter", {"license": "MIT"})
            (output,) = conn.export(call, Artifact(path=str(checkpoint)))
            model = Path(call.work_dir) / output.path
            assert output.name == "model"
            assert (model / name).read_bytes() == b"weights"
            assert (model / "LICENSE").read_text() == "MIT\n"


def test_validate() -> None:
    with testing.connect(PLUGIN) as conn:
        assert not conn.validate("exporter", "starter")
        assert len(conn.validate("exporter", "starter", {"license": "a\nb"})) == 1
