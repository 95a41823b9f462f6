"""Stages: what a plugin offers, with their configuration's type put aside."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, TypeVar

from ._pb import plugin_pb2 as pb
from .config import schema_of
from .decode import check_defaults, decode
from .diagnostics import diagnostic
from .errors import ConfigError

D = TypeVar("D", bound=Callable[..., Any])

_STAGE = "__jupiter_stage__"
_WORD = re.compile(r"[a-z][a-z0-9_]*")


class Options(TypedDict, total=False):
    """What a stage says of itself, as keywords of its decorator."""

    description: str
    revision: int  # part of every action ID: raise it only when the same inputs would give different outputs
    deterministic: bool  # the same inputs always give the same bytes
    resumable: bool  # can go on from a cursor or a checkpoint
    needs_network: bool
    concurrent: bool  # several calls at once in one process, each in its thread
    consumes: Sequence[str]  # media types
    produces: Sequence[str]
    features: Sequence[
        str
    ]  # by name; "score", "stream" and "import" come with the methods score, stream and import_model


@dataclass(frozen=True)
class Stage:
    """One implementation that a plugin offers."""

    info: pb.Stage
    config: type[Any]
    implementation: Any  # what was decorated; generators, trainers and evaluators: an instance of it

    @property
    def name(self) -> str:
        return self.info.name

    def decode(self, config: bytes) -> Any:
        """The configuration of a call."""
        return decode(self.config, config)

    def check(self, config: bytes, runs_models: bool) -> Iterable[pb.Diagnostic]:
        """What is wrong with a configuration; of a generator, one that models will be handed to."""
        try:
            c = self.decode(config)
        except ConfigError as e:
            return [diagnostic(pb.Diagnostic.SEVERITY_ERROR, "Invalid configuration", e.message, e.path)]
        found = list(c.validate()) if hasattr(c, "validate") else []
        return found + (list(c.validate_models()) if runs_models and hasattr(c, "validate_models") else [])


@dataclass(frozen=True)
class Plugin:
    """What a process offers. The name is a word of [a-z][a-z0-9_]*; version is a semantic version, for people."""

    name: str
    version: str
    stages: Sequence[Callable[..., Any]]  # functions and classes, each under the decorator of its kind

    def __post_init__(self) -> None:
        for s in self.stages:
            stage_of(s)


def stage_of(decorated: Callable[..., Any]) -> Stage:
    """The stage that a decorator has made of a function or a class; a class does not inherit its base's."""
    found = getattr(decorated, "__dict__", {}).get(_STAGE)
    if not isinstance(found, Stage):
        raise TypeError(f"{decorated!r} is no stage: it has no decorator of a kind")
    return found


def declare(
    kind: pb.Kind, name: str, config: type[Any], decorated: D, options: Options, implementation: Any = None
) -> D:
    """Makes a stage of what is decorated, or of an implementation that was made from it, and gives it back.

    ValueError and TypeError say what cannot be served: the author meets them at once.
    """
    if not _WORD.fullmatch(name):
        raise ValueError(f"stage name {name!r} is no word of a-z, 0-9 and _")
    unknown = set(options) - set(Options.__annotations__)
    if unknown:
        there = ", ".join(Options.__annotations__)
        raise TypeError(f"stage {name!r} has no option {sorted(unknown)[0]!r}: there are {there}")
    rest = {k: v for k, v in options.items() if k != "description"}
    info = pb.Stage(kind=kind, name=name, schema=schema_of(config, options.get("description", "")), **rest)  # type: ignore[arg-type]
    check_defaults(config)
    setattr(decorated, _STAGE, Stage(info, config, implementation or decorated))
    return decorated
