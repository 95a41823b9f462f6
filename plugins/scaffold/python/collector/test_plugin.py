from pathlib import Path

from jupiter_sdk import testing

from jupiter_starter.plugin import PLUGIN


def test_collect(tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("first\n\nno\nsecond\nthird\n")
    config = {"path": str(file), "min_chars": 3, "batch": 2}
    with testing.connect(PLUGIN) as conn:
        records = conn.collect(conn.call("collector", "starter", config))
        assert [r.text for r in records] == ["first", "second", "third"]
        rest = conn.collect(conn.call("collector", "starter", config, cursor=b"4"))
        assert rest == records[2:]


def test_validate() -> None:
    with testing.connect(PLUGIN) as conn:
        assert not conn.validate("collector", "starter", {"path": "x"})
        assert len(conn.validate("collector", "starter", {"path": "x", "batch": 0, "min_chars": -1})) == 2
