"""Diagnostics: what is wrong with a configuration, and where, for people."""

from __future__ import annotations

from ._pb.plugin_pb2 import Diagnostic, PathStep
from .errors import Key, Path


def error(summary: str, detail: str, *path: str | int) -> Diagnostic:
    """A configuration that cannot work, for a configuration's `validate`.

    path leads to the attribute that it is about: a name, then names and indexes within the attribute's value.
    """
    return diagnostic(Diagnostic.SEVERITY_ERROR, summary, detail, path)


def warning(summary: str, detail: str, *path: str | int) -> Diagnostic:
    """A configuration that is probably not what the user wants. path is as in `error`."""
    return diagnostic(Diagnostic.SEVERITY_WARNING, summary, detail, path)


def diagnostic(severity: Diagnostic.Severity, summary: str, detail: str, path: Path) -> Diagnostic:
    """A diagnostic of either severity. Characters that cannot be encoded become question marks."""
    return Diagnostic(severity=severity, summary=_plain(summary), detail=_plain(detail), attribute=map(_step, path))


def _step(step: str | int) -> PathStep:
    if isinstance(step, int):
        return PathStep(index=step)
    return PathStep(key=str(step)) if isinstance(step, Key) else PathStep(name=step)


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
