"""The README's examples are run as they stand there."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from jupiter_sdk import Prompt, PromptSet, testing

README = Path(__file__).parent.parent / "README.md"


def snippets() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def load(name: str, source: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(source, f"README.md:{name}", "exec"), module.__dict__)
    return module


def test_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    source, test, _ = snippets()
    assert source.count("\n") < 40
    module = load("shout", source, monkeypatch)
    load("a_test", test, monkeypatch)
    with testing.connect(module.PLUGIN) as conn:
        (d,) = conn.validate("filter", "shout", {"max_share": 2})
        assert d.summary == "Share out of range"


def test_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    source = snippets()[2]
    assert source.count("\n") < 80
    module = load("parrot", source, monkeypatch)
    with testing.connect(module.PLUGIN) as conn:
        config = {"words": ["a", "b", "c"], "length": 3}
        call = conn.call("generator", "parrot", config, seed=1)
        whole = conn.generate(call, [PromptSet(template="t", samples=4)])
        rest = conn.generate(call, [PromptSet(template="t", samples=2, start_index=2)])
        assert len(whole) == 4 and whole[2:] == rest and whole[0] != whole[1]
        (c,) = conn.complete(call, [Prompt(id="1", text="say")])
        assert len(c.text.split()) == 3 and c.prompt_id == "1"
