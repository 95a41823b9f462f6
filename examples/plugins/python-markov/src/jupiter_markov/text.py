"""Tokens: the bytes of a text, one character each, between marks for its beginning and its end.

An n-gram is a Python string of such characters: slices of strings are what Python hashes fastest.
"""

from __future__ import annotations

from jupiter_sdk import Record, StageError

END = "\u0100"  # token 256: the text is over
BEGIN = "\u0101"  # stands before every text, and is never drawn
VOCABULARY = 257  # bytes and END: what a model gives probabilities for


def encode(text: str) -> str:
    """The tokens of a text."""
    return text.encode("utf-8").decode("latin-1")


def decode(tokens: str) -> str:
    """The text of tokens without marks. A character that a model left unfinished is U+FFFD."""
    return tokens.encode("latin-1").decode("utf-8", "replace")


def sequence(record: Record) -> str:
    """A record between its marks, prompt and text as one. StageError: it has neither."""
    if record.messages:
        raise StageError("a record is a chat, and this model has no tokens for turns")
    if not record.text:
        raise StageError("a record has no text")
    return BEGIN + encode(record.prompt + record.text) + END
