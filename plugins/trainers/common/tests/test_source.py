"""Model directories that are whole, and others."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import jupiter_sdk as sdk
import pytest

from jupiter_trainers import source
from jupiter_trainers.testing import make_model


def split(d: Path) -> None:
    """Weights in two files, with an index."""
    from safetensors.numpy import load_file, save_file

    tensors = load_file(d / "model.safetensors")
    names = sorted(tensors)
    files = {"model-00001-of-00002.safetensors": names[:9], "model-00002-of-00002.safetensors": names[9:]}
    for file, of in files.items():
        save_file({n: tensors[n] for n in of}, d / file)
    where = {n: file for file, of in files.items() for n in of}
    (d / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}))
    (d / "model.safetensors").unlink()


def test_a_copy_has_all_and_no_links(tmp_path: Path) -> None:
    d = make_model(tmp_path / "m")
    split(d)
    (d / "modeling_own.py").write_text("raise SystemExit")
    (d / "pytorch_model.bin").write_bytes(b"x")
    cache = tmp_path / "snapshot"
    cache.mkdir()
    for f in d.iterdir():
        os.symlink(f, cache / f.name)
    shapes = source.check(str(cache))
    assert shapes["model.embed_tokens.weight"] == (259, 32)
    source.copy(str(cache), tmp_path / "copy")
    there = {p.name for p in (tmp_path / "copy").iterdir()}
    assert there == {p.name for p in d.iterdir()} - {"modeling_own.py", "pytorch_model.bin"}
    assert not any(p.is_symlink() for p in (tmp_path / "copy").iterdir())
    assert source.check(str(tmp_path / "copy")) == shapes


def shard_gone(d: Path) -> None:
    split(d)
    (d / "model-00002-of-00002.safetensors").unlink()


def shard_cut(d: Path) -> None:
    split(d)
    f = d / "model-00002-of-00002.safetensors"
    f.write_bytes(f.read_bytes()[:-8])


def shard_of_other(d: Path) -> None:
    split(d)
    (d / "model-00002-of-00002.safetensors").write_bytes((d / "model-00001-of-00002.safetensors").read_bytes())


def index_leads_away(d: Path) -> None:
    (d / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../model.safetensors"}}')


def config(d: Path, **more: object) -> None:
    (d / "config.json").write_text(json.dumps({**json.loads((d / "config.json").read_text()), **more}))


def tokenizer_of_other(d: Path) -> None:
    from tokenizers import Tokenizer

    t = Tokenizer.from_file(str(d / "tokenizer.json"))
    t.add_tokens(["word"])
    t.save(str(d / "tokenizer.json"))


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda d: (d / "config.json").unlink(), "config.json cannot be read: No such file"),
        (lambda d: (d / "config.json").write_text("{"), "is no JSON"),
        (lambda d: (d / "config.json").write_text("[]"), "is no JSON object"),
        (lambda d: (d / "config.json").write_text("{}"), "names no model_type"),
        (lambda d: (d / "config.json").write_bytes(b"\xff\xfe{"), "is no JSON"),
        (lambda d: config(d, quantization_config={"quant_method": "gptq"}), "are quantised"),
        (lambda d: config(d, vocab_size=300), "says vocab_size 300, and the weights have embeddings for 259"),
        (lambda d: (d / "model.safetensors").rename(d / "pytorch_model.bin"), "pytorch_model.bin is of another format"),
        (lambda d: (d / "model.safetensors").write_bytes(b"noise" * 99), "model.safetensors cannot be read"),
        (shard_gone, "is not whole: 1 of 2 files of its weights are missing, first model-00002-of-00002.safetensors"),
        (shard_cut, "model-00002-of-00002.safetensors cannot be read"),
        (shard_of_other, "is not whole: model-00001-of-00002.safetensors does not hold"),
        (index_leads_away, "names '../model.safetensors', which is no safetensors file beside it"),
        (lambda d: (d / "tokenizer.json").unlink(), "tokenizer"),
        (
            tokenizer_of_other,
            "does not belong to the model: its highest token is 259, and the model has embeddings for 259",
        ),
        (lambda d: (d / "chat_template.jinja").write_text("{{ raise_exception('nothing') }}"), "does not take a chat"),
        (lambda d: (d / "chat_template.jinja").write_text("{% for"), "does not take a chat"),
        (lambda d: (d / "chat_template.jinja").write_text("hello"), "leaves the assistant's answer out"),
    ],
)
def test_what_is_not_whole_is_refused(tmp_path: Path, spoil: Callable[[Path], object], text: str) -> None:
    d = make_model(tmp_path / "m")
    source.check(str(d))
    spoil(d)
    with pytest.raises(sdk.StageError, match=re.escape(text)):
        source.check(str(d))


def test_a_gguf_file_has_to_be_converted(tmp_path: Path) -> None:
    with pytest.raises(sdk.StageError, match="jupiter convert"):
        source.check(str(tmp_path / "model.gguf"))
