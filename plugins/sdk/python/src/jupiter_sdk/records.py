"""Record files: one JSON object a line, compressed with zstd where the name ends in ".zst".

    {"id":…,"text":…,"prompt":…,"messages":[{"role":…,"content":…,"train":…}],"key":…,"generator_version":…,
     "sample_seed":…,"prompt_tokens":…,"completion_tokens":…,"bucket":…,"meta":{…}}

Keys come in this order, those of meta sorted; zero values are left out. A reader tells compression by the magic number,
not by the name, and passes over keys that it does not know.

The host's own record files are compressed. The standard library has zstd from Python 3.14 on; before that the extra
`jupiter-sdk[zstd]` brings it.
"""

from __future__ import annotations

import importlib
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ._pb.plugin_pb2 import Message, Record
from .errors import StageError
from .limits import check_record

RECORDS_MEDIA_TYPE = "application/vnd.jupiter.records+jsonl+zstd"

_MAX_LINE = 16 << 20  # bytes
_MAX_WINDOW = 64 << 20  # bytes that a compressed file may make its reader allocate; the host's writer uses 8 MiB
_MAGIC = b"\x28\xb5\x2f\xfd"

_TEXTS = ("id", "text", "prompt", "key", "bucket")
_COUNTS = ("generator_version", "sample_seed", "prompt_tokens", "completion_tokens")
_ORDER = ("id", "text", "prompt", "messages", "key", *_COUNTS, "bucket", "meta")


def open_records(path: str | os.PathLike[str]) -> Iterator[Record]:
    """The records of a file, or of a directory's .jsonl and .jsonl.zst files in the order of their names.

    ValueError names the file and the line that is wrong. StageError: zstd is wanted and not installed.
    """
    for file in _files(Path(path)):
        with open(file, "rb") as raw, _plain(raw, file) as stream:
            yield from _read(stream, file)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.rglob("*") if p.name.endswith((".jsonl", ".jsonl.zst")) and p.is_file())
    if not found:
        raise ValueError(f"{path} has no .jsonl or .jsonl.zst file")
    return found


def _plain(raw: IO[bytes], file: Path) -> IO[bytes]:
    magic = raw.read(len(_MAGIC))
    raw.seek(0)
    return _decompress(raw, file) if magic == _MAGIC else raw


def _read(stream: IO[bytes], file: Path) -> Iterator[Record]:
    n = 0
    while True:
        n += 1
        try:
            line = stream.readline(_MAX_LINE + 1)
            if not line:
                return
            if len(line) > _MAX_LINE:
                raise ValueError(f"the line is longer than {_MAX_LINE} bytes")
            record = _parse(line)
        except (ValueError, TypeError, AttributeError, EOFError, OSError) as e:
            raise ValueError(f"{file}:{n}: {e}") from e
        except Exception as e:  # zstd's own errors have no common base
            raise ValueError(f"{file}:{n}: cannot be decompressed: {e}") from e
        yield record


def _parse(line: bytes) -> Record:
    if not line.strip():
        raise ValueError("the line is empty")
    fields = json.loads(line.decode("utf-8", "replace"))
    if not isinstance(fields, dict):
        raise ValueError("not a record: no JSON object")
    out = Record()
    for name in _TEXTS:
        setattr(out, name, _text(fields.get(name) or ""))
    for name in _COUNTS:
        setattr(out, name, fields.get(name) or 0)
    for m in fields.get("messages") or ():
        out.messages.append(
            Message(role=_text(m.get("role") or ""), content=_text(m.get("content") or ""), train=bool(m.get("train")))
        )
    for k, v in (fields.get("meta") or {}).items():
        out.meta[_text(k)] = _text(v)
    return out


def _text(value: Any) -> str:
    """A text as UTF-8 can have it: half of a surrogate pair, which JSON can spell, becomes U+FFFD."""
    if not isinstance(value, str):
        raise ValueError(f"not a record: {value!r} is no text")
    if value.isascii():
        return value
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class RecordWriter:
    """Writes a record file. Its bytes depend on the records, and on the version of the compression library."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._file: IO[bytes] = open(path, "wb")  # noqa: SIM115 - close is this class's own
        self._out = _compress(self._file, self._path) if self._path.name.endswith(".zst") else self._file

    def write(self, record: Record) -> None:
        """Adds a record. ValueError: it is larger than 3 MiB."""
        try:
            check_record(record)
        except ValueError as e:
            raise ValueError(f"{self._path}: {e}") from None
        fields: dict[str, Any] = {n: getattr(record, n) for n in (*_TEXTS, *_COUNTS)}
        fields["messages"] = [
            {k: v for k, v in (("role", m.role), ("content", m.content), ("train", m.train)) if v}
            for m in record.messages
        ]
        fields["meta"] = dict(sorted(record.meta.items()))
        line = json.dumps({n: fields[n] for n in _ORDER if fields[n]}, ensure_ascii=False, separators=(",", ":"))
        self._out.write(line.encode() + b"\n")

    def close(self) -> None:
        """Finishes the file. One whose writer was not closed is not complete."""
        if self._out is not self._file:
            self._out.close()
        self._file.close()

    def __enter__(self) -> RecordWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def create_records(path: str | os.PathLike[str]) -> RecordWriter:
    """Makes the record file at path, or empties the one there. It compresses where path ends in ".zst"."""
    return RecordWriter(path)


def _decompress(raw: IO[bytes], file: Path) -> IO[bytes]:
    std, third = _libraries(file)
    if std is not None:
        opened: IO[bytes] = std.ZstdFile(raw, "rb", options={std.DecompressionParameter.window_log_max: 26})
        return opened
    stream = third.ZstdDecompressor(max_window_size=_MAX_WINDOW).stream_reader(raw, read_across_frames=True)
    return io.BufferedReader(stream, 1 << 16)


def _compress(out: IO[bytes], file: Path) -> IO[bytes]:
    std, third = _libraries(file)
    if std is not None:
        opened: IO[bytes] = std.ZstdFile(out, "wb")
        return opened
    writer: IO[bytes] = third.ZstdCompressor(write_checksum=True).stream_writer(out, closefd=False)
    return writer


def _libraries(file: Path) -> tuple[Any, Any]:
    """The standard library's zstd, or else the extra's."""
    for name in ("compression.zstd", "zstandard"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        return (module, None) if name == "compression.zstd" else (None, module)
    raise StageError(f"{file} is compressed with zstd, which this Python cannot read: install jupiter-sdk[zstd]")
