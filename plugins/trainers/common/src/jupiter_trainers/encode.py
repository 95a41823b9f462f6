"""A record as tokens, and which of them are learned.

A chat is rendered by the template that the model brings. No template says where in its text a message stands, so that is
found out: the same chat is rendered once more with another content in that message's place, and where the two texts
differ it stands. To a message that is learned belongs the mark of its end, if one follows it. So a template may trim what
it is given, put a system message of its own before all, or leave out what earlier turns have thought.
"""

from __future__ import annotations

import re
from collections.abc import Sequence as Several
from dataclasses import dataclass, field
from typing import Any

import jupiter_sdk as sdk

_STANDIN = "\ue0f0\ue0f1"  # of the private use area: no template trims it
_OTHER_STANDIN = "\uf0e0\uf0e1"


@dataclass
class Sequence:
    """The tokens of a record, and how much the prediction of each counts. The first is predicted by nothing."""

    tokens: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    cut: bool = False

    @property
    def weight(self) -> float:
        return sum(self.weights)


class Encoder:
    """Encodes records for one model."""

    def __init__(self, tokenizer: Any, limit: int, prompt_weight: float, chats: bool = False) -> None:
        self._tokenizer = tokenizer
        self._limit = limit
        self._prompt_weight = prompt_weight
        self._chats = chats  # whether a prompt is the question of a chat
        self._end = int(tokenizer.eos_token_id)
        special = {t.content for t in tokenizer.added_tokens_decoder.values() if t.special and t.content}
        marks = "|".join(re.escape(t) for t in sorted(special, key=len, reverse=True))
        self._mark = re.compile(rf"\s*(?:{marks})") if marks else None
        start = self._plain("", special=True)
        self._begin = start[:1] if start and start[0] == tokenizer.bos_token_id else []

    def encode(self, record: sdk.Record) -> Sequence:
        """A record's sequence, of at most the limit. StageError: the model's template does not take it."""
        if record.messages:
            out = self._chat(record.messages)
        elif record.text and record.prompt and self._chats:
            out = self._chat(
                [
                    sdk.Message(role="user", content=record.prompt),
                    sdk.Message(role="assistant", content=record.text, train=True),
                ]
            )
        elif record.text:
            out = self._text(record.prompt, record.text)
        else:
            raise sdk.StageError("it has neither text nor messages")
        if out.weights:
            out.weights[0] = 0.0
        if len(out.tokens) > self._limit:
            out = Sequence(out.tokens[: self._limit], out.weights[: self._limit], cut=True)
        return out

    def _text(self, prompt: str, text: str) -> Sequence:
        """Prompt and text are encoded apart, as a generator meets them. What looks like a mark in them is text."""
        before, after = [*self._begin, *self._plain(prompt)], [*self._plain(text), self._end]
        weights = [self._prompt_weight] * len(before) + [1.0] * len(after)
        return Sequence(before + after, weights)

    def _plain(self, text: str, special: bool = False) -> list[int]:
        ids = self._tokenizer(text, add_special_tokens=special, split_special_tokens=True)["input_ids"]
        return [int(i) for i in ids]

    def _chat(self, messages: Several[sdk.Message]) -> Sequence:
        turns = [{"role": m.role, "content": m.content} for m in messages]
        text = self.render(turns)
        spans = [s for i, m in enumerate(messages) if m.train and (s := self._span(turns, i, text)) is not None]
        encoded = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        out = Sequence([int(i) for i in encoded["input_ids"]])
        # Of a character that is several tokens each has its whole place; a token of no place is none of a message.
        out.weights = [
            1.0 if any(a <= start < b and start < end for a, b in spans) else 0.0
            for start, end in encoded["offset_mapping"]
        ]
        if messages[-1].train and (not spans or not self._marked(text, spans[-1][1])):
            out.tokens.append(self._end)
            out.weights.append(1.0)
        return out

    def render(self, turns: Several[dict[str, str]]) -> str:
        """A chat as the model's template writes it."""
        if not self._tokenizer.chat_template:
            raise sdk.StageError("it is a chat, and the model has no chat template")
        try:
            return str(self._tokenizer.apply_chat_template(list(turns), tokenize=False))
        except Exception as e:  # a template is a program: it raises whatever it likes
            roles = ", ".join(t["role"] for t in turns[:8])
            raise sdk.StageError(f"the model's chat template does not take a chat of {roles}: {e}") from e

    def _span(self, turns: list[dict[str, str]], i: int, text: str) -> tuple[int, int] | None:
        """Where message i stands in the text, with the mark of its end; None where the template leaves it out."""
        standin = _OTHER_STANDIN if _STANDIN[0] in text or _STANDIN[1] in text else _STANDIN
        other = self.render([*turns[:i], {**turns[i], "content": standin}, *turns[i + 1 :]])
        if other == text:
            return None
        start = _common(text, other)
        same = _common(text[start:][::-1], other[start:][::-1])
        end = len(text) - same
        mark = self._mark.match(text, end) if self._mark else None
        return start, mark.end() if mark else end

    def _marked(self, text: str, end: int) -> bool:
        """Whether a span that ends here has the mark of an end, or the text goes on with one."""
        return self._mark is not None and any(m.end() == end for m in self._mark.finditer(text, 0, end))


def _common(a: str, b: str) -> int:
    """How many characters two texts begin with together."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
