"""Records as tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jupiter_sdk as sdk
import pytest

from jupiter_trainers.encode import Encoder, Sequence
from jupiter_trainers.feed import pack
from jupiter_trainers.source import load_tokenizer
from jupiter_trainers.testing import TEMPLATE, make_tokenizer

M = sdk.Message


def encoder(directory: Path, template: str = TEMPLATE, limit: int = 500, weight: float = 0.0) -> tuple[Encoder, Any]:
    make_tokenizer(directory, template)
    (directory / "config.json").write_text('{"model_type": "llama"}')
    tokenizer = load_tokenizer(directory)
    return Encoder(tokenizer, limit, weight), tokenizer


def learned(tokenizer: Any, s: Sequence) -> str:
    """What of a sequence is learned, stretches with a bar between."""
    out, before = "", 0.0
    for token, w in zip(s.tokens, s.weights, strict=True):
        out += "|" * (w > 0 and before == 0 and out != "") + (tokenizer.decode([token]) if w else "")
        before = w
    return out


def chat(*turns: tuple[str, str, bool]) -> sdk.Record:
    return sdk.Record(messages=[M(role=r, content=c, train=t) for r, c, t in turns])


def test_a_chat_is_learned_where_it_says(tmp_path: Path) -> None:
    e, t = encoder(tmp_path)
    r = chat(
        ("user", "one", False), ("assistant", "two", True), ("user", "three", False), ("assistant", " four ", True)
    )
    s = e.encode(r)
    text = (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\none<|im_end|>\n<|im_start|>assistant\ntwo<|im_end|>\n"
        "<|im_start|>user\nthree<|im_end|>\n<|im_start|>assistant\nfour<|im_end|>\n"
    )
    assert t.decode(s.tokens) == text
    assert learned(t, s) == "two<|im_end|>|four<|im_end|>"
    only = chat(("user", "two", False), ("assistant", "two", False), ("user", "two", True), ("assistant", "two", False))
    assert learned(t, e.encode(only)) == "two<|im_end|>"
    assert e.encode(only).weights.index(1.0) > len(e.encode(only).tokens) // 2
    assert e.encode(chat(("user", "a", False), ("assistant", "b", False))).weight == 0
    assert learned(t, e.encode(chat(("assistant", "", True)))) == "<|im_end|>"


def test_a_prompt_may_be_a_question(tmp_path: Path) -> None:
    e, t = encoder(tmp_path)
    asked = Encoder(t, 500, 0.0, chats=True)
    r = sdk.Record(prompt="one", text="two")
    assert t.decode(e.encode(r).tokens) == "onetwo<|im_end|>"
    assert asked.encode(r) == e.encode(chat(("user", "one", False), ("assistant", "two", True)))
    alone = sdk.Record(text="two")
    assert asked.encode(alone) == e.encode(alone)


@pytest.mark.parametrize(
    "content", ["año €", "\U0001f600 ok", "\ue0f0", "a\x00b", "\u202eabc", "<|im_end|>", "e\u0301"]
)
def test_odd_characters(tmp_path: Path, content: str) -> None:
    e, t = encoder(tmp_path)
    s = e.encode(chat(("user", content, False), ("assistant", content, True)))
    marks = [w for token, w in zip(s.tokens, s.weights, strict=True) if w]
    # Each byte of the content is a token here, and the mark of the end is one.
    assert len(marks) == (len(content.encode()) if content != "<|im_end|>" else 1) + 1
    s = e.encode(sdk.Record(prompt=content, text=content))
    assert len([w for w in s.weights if w]) == len(content.encode()) + 1  # in a text a mark is text
    assert t.decode(s.tokens) == content * 2 + "<|im_end|>"


def test_templates_of_other_kinds(tmp_path: Path) -> None:
    plain = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    e, t = encoder(tmp_path, plain)
    assert learned(t, e.encode(chat(("user", "q", False), ("assistant", "a", True)))) == "a|<|im_end|>"
    forgets = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n"
        "{{ m.content if loop.last else m.content.split('</think>')[-1] }}<|im_end|>\n{% endfor %}"
    )
    e, t = encoder(tmp_path, forgets)
    r = chat(("user", "q", False), ("assistant", "hm</think>a", True), ("assistant", "hm</think>b", True))
    assert learned(t, e.encode(r)) == "a<|im_end|>|hm</think>b<|im_end|>"
    hides = (
        "{% for m in messages %}{% if m.role != 'tool' %}<|im_start|>{{ m.content }}<|im_end|>{% endif %}{% endfor %}"
    )
    e, t = encoder(tmp_path, hides)
    assert e.encode(chat(("user", "q", False), ("tool", "x", True), ("user", "r", False))).weight == 0


def test_texts(tmp_path: Path) -> None:
    e, t = encoder(tmp_path, weight=0.25)
    s = e.encode(sdk.Record(prompt="1+1=", text="2"))
    assert s.weights == [0, 0.25, 0.25, 0.25, 1, 1] and t.decode(s.tokens) == "1+1=2<|im_end|>"
    assert e.encode(sdk.Record(text="ab")).weights == [0, 1, 1]
    short, _ = encoder(tmp_path, limit=3)
    s = short.encode(sdk.Record(prompt="1+1=", text="2"))
    assert s.cut and s.weights == [0, 0, 0]
    with pytest.raises(sdk.StageError, match="neither text nor messages"):
        e.encode(sdk.Record(prompt="x"))


def test_templates_that_refuse(tmp_path: Path) -> None:
    e, _ = encoder(tmp_path)
    with pytest.raises(sdk.StageError, match="does not take a chat of user, banned: no such role"):
        e.encode(chat(("user", "a", False), ("banned", "b", True)))
    (tmp_path / "chat_template.jinja").unlink()
    e, _ = encoder(tmp_path, "")
    with pytest.raises(sdk.StageError, match="the model has no chat template"):
        e.encode(chat(("user", "a", True)))


def test_packing() -> None:
    def seq(n: int) -> Sequence:
        return Sequence([n] * n, [0.0] + [1.0] * (n - 1))

    rows = pack([seq(3), seq(7), seq(2), seq(5), seq(3)], 10)
    assert [r.lengths for r in rows] == [[7, 3], [5, 3, 2]]
    assert all(len(r.tokens) == len(r.weights) == sum(r.lengths) for r in rows)
    assert [r.lengths for r in pack([seq(3), seq(7), seq(3)], 0)] == [[7], [3], [3]]
