"""Record files."""

from __future__ import annotations

import builtins
import importlib
from pathlib import Path
from typing import Any

import pytest

from jupiter_sdk import Message, Record, StageError, create_records, open_records

RECORDS = [
    Record(
        id="1",
        text='tab\t"<é>\u2028',
        prompt="p",
        key="k",
        generator_version=2,
        sample_seed=2**64 - 1,
        prompt_tokens=3,
        completion_tokens=4,
        bucket="real",
        meta={"b": "2", "a": "1"},
    ),
    Record(messages=[Message(role="user", content="hello"), Message(role="assistant", content="yes", train=True)]),
    Record(),
]


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.zst"])
def test_round_trip(tmp_path: Path, name: str) -> None:
    with create_records(tmp_path / name) as w:
        for r in RECORDS:
            w.write(r)
    assert list(open_records(tmp_path / name)) == RECORDS
    assert list(open_records(tmp_path)) == RECORDS  # a directory of files
    if name == "r.jsonl":
        lines = (tmp_path / name).read_text(encoding="utf-8").split("\n")
        assert lines[2:] == ["{}", ""]
        assert lines[0].endswith('"bucket":"real","meta":{"a":"1","b":"2"}}')


def test_compression_is_told_by_the_magic_number(tmp_path: Path) -> None:
    with create_records(tmp_path / "r.zst") as w:
        w.write(RECORDS[0])
    (tmp_path / "r.zst").rename(tmp_path / "r.jsonl")
    assert list(open_records(tmp_path / "r.jsonl")) == RECORDS[:1]


def test_lenient_reading(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    file.write_bytes(b'{"text":"\\ud800 \xff","unknown":[1]}')
    assert list(open_records(file)) == [Record(text="\ufffd \ufffd")]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b'{"text":"a"}\n\n', ":2: the line is empty"),
        (b"[]\n", ":1: not a record: no JSON object"),
        (b'{"text":1}\n', ":1: not a record: 1 is no text"),
        (b'{"prompt_tokens":-1}\n', ":1: "),
        (b"{\n", ":1: "),
        (b'{"text":"' + b"x" * (16 << 20) + b'"}', ":1: the line is longer than"),
        (b"\x28\xb5\x2f\xfdgarbage", ":1: "),
    ],
)
def test_wrong_files(tmp_path: Path, content: bytes, text: str) -> None:
    file = tmp_path / "r.jsonl"
    file.write_bytes(content)
    with pytest.raises(ValueError) as e:
        list(open_records(file))
    assert f"{file}{text}" in str(e.value)


def test_large_records_are_refused(tmp_path: Path) -> None:
    with (
        create_records(tmp_path / "r.jsonl") as w,
        pytest.raises(ValueError, match="a record holds at most 3145728"),
    ):
        w.write(Record(text="x" * (3 << 20)))


def test_missing_zstd_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with create_records(tmp_path / "r.jsonl.zst") as w:
        w.write(RECORDS[0])

    def no_zstd(name: str, *args: Any) -> Any:
        if "zst" in name:
            raise ImportError(name)
        return builtins.__import__(name, *args)

    monkeypatch.setattr(importlib, "import_module", no_zstd)
    with pytest.raises(StageError, match=r"install jupiter-sdk\[zstd\]"):
        list(open_records(tmp_path / "r.jsonl.zst"))
