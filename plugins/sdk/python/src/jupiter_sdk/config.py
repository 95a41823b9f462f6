"""Configurations: a dataclass is a stage's schema.

    @dataclass(frozen=True, kw_only=True)
    class Config:
        least: int = attribute(default=8, description="Fewest characters of a text.")

Python                   attribute
-----------------------  ----------------------------------------------------------------
str, bool                string, bool
int, float               number; an int takes whole numbers only
list[T], tuple[T, ...]   list(T)
dict[str, T]             map(T)
a dataclass              object
T | None                 T; None where the user says nothing
Any                      any value: what the JSON holds

A field without default is required. A field of an object within a configuration is optional where its default is None
or empty (0, "", False, []), and has no other default: the schema has no place for one, so that a change of it would
change results that the host takes for the same. A field that `accepts` media types takes a reference to a stage or a
domain's data instead of a value: the artifact is in `Call.inputs` under the attribute's name, and the field is None.

A configuration may have these methods:

    def validate(self) -> Iterable[Diagnostic]                              # what the schema cannot say
    def validate_models(self) -> Iterable[Diagnostic]                       # of a generator that models will be handed to
    def estimate(self, request: EstimateRequest) -> EstimateResponse        # a cost model; a trainer has its own
    def fingerprint(self) -> str                                            # what a source or a served model is now
    def check(self) -> list[Finding]                                        # what a stage would meet, for jupiter doctor
"""

from __future__ import annotations

import dataclasses
import json
import re
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass
from typing import Any, Literal

from ._pb import plugin_pb2 as pb

Effect = Literal["rerun", "advance", "none"]

_EFFECTS = {"rerun": pb.EFFECT_RERUN, "advance": pb.EFFECT_ADVANCE, "none": pb.EFFECT_NONE}
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_METADATA = "jupiter"
_MAX_NESTING = 8  # of types within a configuration


@dataclass(frozen=True)
class NoConfig:
    """The configuration of a stage that has none."""


@dataclass(frozen=True)
class _About:
    """What `attribute` says beyond a field's type and default."""

    description: str = ""
    effect: Effect = "rerun"
    sensitive: bool = False
    accepts: tuple[str, ...] = ()
    deprecated: str = ""
    environment: bool = False


def attribute(
    *,
    default: Any = MISSING,
    default_factory: Callable[[], Any] | None = None,
    description: str = "",
    effect: Effect = "rerun",
    sensitive: bool = False,
    accepts: Sequence[str] = (),
    deprecated: str = "",
    environment: bool = False,
) -> Any:
    """A field of a configuration.

    Without `default` and `default_factory` it is required. `effect` is what a change does to work that is done: `rerun`
    starts over, `advance` goes on, `none` changes no result. `accepts` are media types of a reference. `deprecated` says
    what to do instead. A text with `environment` names a variable of the user's environment, which the stage's process
    then has in its own.
    """
    about = {_METADATA: _About(description, effect, sensitive, tuple(accepts), deprecated, environment)}
    if default_factory is not None:
        return dataclasses.field(default_factory=default_factory, metadata=about)
    return dataclasses.field(default=default, metadata=about)


@dataclass(frozen=True)
class Field:
    """One attribute as a dataclass declares it."""

    name: str
    hint: Any
    required: bool
    default: Any  # MISSING where the field is required
    about: _About


def fields_of(cls: type[Any], depth: int = 0) -> dict[str, Field]:
    """The attributes of a configuration, in order. TypeError says why a class cannot be one."""
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
        raise TypeError(f"{cls!r} is no dataclass")
    if depth > _MAX_NESTING:
        raise TypeError(f"types are nested more than {_MAX_NESTING} deep")
    hints = typing.get_type_hints(cls)
    out = {}
    for f in dataclasses.fields(cls):
        if not f.init:
            continue
        if not _NAME.fullmatch(f.name):
            raise TypeError(f"{cls.__name__}.{f.name} is no attribute name: a-z, 0-9 and _")
        default = f.default if f.default_factory is MISSING else f.default_factory()
        about = f.metadata.get(_METADATA, _About())
        hint = hints[f.name]
        type_of(hint, f"{cls.__name__}.{f.name}", depth)
        if about.effect not in _EFFECTS:
            there = ", ".join(_EFFECTS)
            raise TypeError(f"{cls.__name__}.{f.name}: there is no effect {about.effect!r}: there are {there}")
        if about.environment and (hint not in (str, str | None) or about.sensitive or depth > 0):
            raise TypeError(f"{cls.__name__}.{f.name} names a variable of the environment: it is a text, and no secret")
        if about.accepts and not optional(hint):
            raise TypeError(f"{cls.__name__}.{f.name} accepts artifacts: its type is T | None, and its value None")
        if depth > 0 and default is not MISSING and default:
            raise TypeError(
                f"{cls.__name__}.{f.name} has a default within an object, where the schema has no place for one"
            )
        out[f.name] = Field(f.name, hint, default is MISSING, default, about)
    return out


def schema_of(cls: type[Any], description: str) -> pb.Schema:
    """A configuration as it crosses the wire."""
    out = pb.Schema(description=description)
    for f in fields_of(cls).values():
        a = out.attributes.add(
            name=f.name,
            type=_json(type_of(f.hint, f.name)),
            required=f.required,
            sensitive=f.about.sensitive,
            description=f.about.description,
            effect=_EFFECTS[f.about.effect],
            deprecated=f.about.deprecated,
            accepts=f.about.accepts,
            environment=f.about.environment,
        )
        if f.default is not MISSING and f.default is not None:
            a.default = _json(plain(f.default))
    return out


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def plain(value: Any) -> Any:
    """A value of a configuration as JSON has it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


def optional(hint: Any) -> bool:
    """Whether a type is T | None, or anything at all."""
    return hint is Any or type(None) in typing.get_args(hint)


def inner(hint: Any) -> Any:
    """T of T | None; other types as they are. TypeError where a union has more."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        rest = [a for a in typing.get_args(hint) if a is not type(None)]
        if len(rest) != 1:
            raise TypeError(f"{hint} has several types: T or T | None can be configured")
        return rest[0]
    return hint


def element(hint: Any) -> Any:
    """T of list[T], tuple[T, ...] and dict[str, T]; None for other types."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is list and len(args) == 1:
        return args[0]
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        return args[0]
    if origin is dict and len(args) == 2 and args[0] is str:
        return args[1]
    return None


def type_of(hint: Any, where: str, depth: int = 0) -> Any:
    """The cty type of a Python type, as the value whose JSON is cty's own form: "string", ["list", T] and so on."""
    if depth > _MAX_NESTING:
        raise TypeError(f"{where}: types are nested more than {_MAX_NESTING} deep")
    hint = inner(hint)
    if hint is Any:
        return "dynamic"
    simple = {str: "string", bool: "bool", int: "number", float: "number"}
    if isinstance(hint, type) and hint in simple:
        return simple[hint]
    item = element(hint)
    if item is not None:
        return ["map" if typing.get_origin(hint) is dict else "list", type_of(item, where, depth + 1)]
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        fields = fields_of(hint, depth + 1)
        attributes = {f.name: type_of(f.hint, f"{where}.{f.name}", depth + 1) for f in fields.values()}
        rest = [f.name for f in fields.values() if not f.required]
        return ["object", attributes, rest] if rest else ["object", attributes]
    raise TypeError(
        f"{where}: {hint!r} cannot be configured: str, bool, int, float, Any, and lists, dicts and dataclasses of these can"
    )
