"""Counts and models on disk: one JSON object each, whose bytes depend on what is in it alone.

checkpoint   {"format":"jupiter-markov-counts 1","order":n,"step":s,"drawn":…,"tokens":…,
              "grams":{GRAM:[draws, texts],…},"seen":[hash,…]}
model        {"format":"jupiter-markov-model 1","order":n,"discounts":[[D1,D2,D3+],…],
              "tables":[{CONTEXT:{TOKEN:count, or TOKEN:[draws, texts],…},…},…]}     by length of the context

Keys are sorted. GRAM, CONTEXT and TOKEN have one character a token, as in text.py.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from jupiter_sdk import StageError

from .counts import Counts
from .kneser_ney import Model

COUNTS, MODEL = "jupiter-markov-counts 1", "jupiter-markov-model 1"
SUFFIX = ".markov.json"


def write_counts(path: Path, counts: Counts, step: int) -> None:
    """Writes a checkpoint of so many steps."""
    _write(
        path,
        {
            "format": COUNTS,
            "order": counts.order,
            "step": step,
            "drawn": counts.drawn,
            "tokens": counts.tokens,
            "grams": counts.grams,
            "seen": sorted(counts.seen),
        },
    )


def read_counts(path: str) -> tuple[Counts, int]:
    """Reads a checkpoint and its step."""
    o = _read(path, COUNTS)
    grams = {g: (c, d) for g, (c, d) in o["grams"].items()}
    return Counts(o["order"], grams, set(o["seen"]), o["drawn"], o["tokens"]), o["step"]


def write_model(path: Path, model: Model) -> None:
    """Writes a model."""
    tables = [
        {h: {w: c if c == d else [c, d] for w, (c, d) in after.items()} for h, after in table.items()}
        for table in model.tables
    ]
    _write(path, {"format": MODEL, "order": model.order, "discounts": model.discounts, "tables": tables})


def read_model(path: str) -> Model:
    """Reads a model: a file, or a directory that holds one."""
    if os.path.isdir(path):
        files = sorted(Path(path).glob(f"*{SUFFIX}"))
        if len(files) != 1:
            raise StageError(f"directory {path} holds {len(files)} *{SUFFIX} files: it must hold exactly one")
        path = str(files[0])
    o = _read(path, MODEL)
    tables = [
        {h: {w: (c, c) if isinstance(c, int) else (c[0], c[1]) for w, c in after.items()} for h, after in table.items()}
        for table in o["tables"]
    ]
    return Model(o["order"], [(a, b, c) for a, b, c in o["discounts"]], tables)


def _write(path: Path, value: dict[str, Any]) -> None:
    with open(path, "w", encoding="ascii") as f:
        json.dump(value, f, sort_keys=True, separators=(",", ":"), allow_nan=False)
        f.flush()
        os.fsync(f.fileno())


def _read(path: str, want: str) -> Any:
    try:
        with open(path, encoding="ascii") as f:
            value = json.load(f)
    except ValueError as e:
        raise StageError(f"{path} is no file of this plugin: {e}") from e
    if not isinstance(value, dict) or value.get("format") != want:
        raise StageError(f"{path} is no {want} file")
    return value
