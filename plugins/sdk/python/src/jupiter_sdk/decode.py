"""Reads a configuration that crossed the wire."""

from __future__ import annotations

import dataclasses
import json
import math
import typing
from dataclasses import MISSING
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from .config import element, fields_of, inner, optional, plain
from .errors import ConfigError, Key, Path

T = TypeVar("T")


def decode(cls: type[T], config: bytes) -> T:
    """Reads a configuration of class cls from its JSON; empty JSON is the empty object. ConfigError says what is wrong.

    Stages get theirs decoded. This is for the configuration of another stage, as an estimate is told of a trainer's.
    """
    try:
        value = json.loads(
            config or b"{}", object_pairs_hook=_once, parse_float=Decimal, parse_int=int, parse_constant=_no_constant
        )
    except RecursionError:
        raise ConfigError("is not JSON: it is nested too deep") from None
    except ValueError as e:
        raise ConfigError(f"is not JSON: {e}") from None
    return typing.cast(T, _object(value, cls, ()))


def check_defaults(cls: type[Any]) -> None:
    """TypeError where a default is not of its attribute's type: it would fail every call."""
    for f in fields_of(cls).values():
        if f.default is MISSING or f.default is None:
            continue
        try:
            _assign(json.loads(json.dumps(plain(f.default)), parse_float=Decimal), f.hint, ())
        except ConfigError as e:
            raise TypeError(f"default of {cls.__name__}.{f.name} {e.message}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for k, v in pairs:
        if k in out:
            raise ValueError(f'key "{k}" is there twice')
        out[k] = v
    return out


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _assign(value: Any, hint: Any, path: Path) -> Any:
    kind = inner(hint)
    if kind is Any:
        return _free(value)
    if value is None:
        if optional(hint):
            return None
        raise ConfigError(f"is null, wanted {_wanted(kind)}", path)
    if kind is bool and isinstance(value, bool):
        return value
    if kind is str and isinstance(value, str):
        return value
    if kind in (int, float) and isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return _number(value, kind, path)
    item = element(kind)
    if item is not None and isinstance(value, list) and typing.get_origin(kind) is not dict:
        out = [_assign(v, item, (*path, i)) for i, v in enumerate(value)]
        return tuple(out) if typing.get_origin(kind) is tuple else out
    if item is not None and isinstance(value, dict) and typing.get_origin(kind) is dict:
        return {k: _assign(v, item, (*path, Key(k))) for k, v in value.items()}
    if dataclasses.is_dataclass(kind) and isinstance(value, dict):
        return _object(value, typing.cast("type[Any]", kind), path)
    raise ConfigError(f"is {_kind(value)}, wanted {_wanted(kind)}", path)


def _number(value: int | Decimal, kind: type[int] | type[float], path: Path) -> int | float:
    """A JSON number: as an int exactly or not at all, as a float the nearest one."""
    if kind is float:
        try:
            f = float(value)
        except OverflowError:
            f = math.inf
        if math.isinf(f):
            raise ConfigError(f"{value} is out of range", path)
        return f
    if isinstance(value, int):
        return value
    # A number with a huge exponent would fill the memory with its digits.
    if value and value.adjusted() > 308:
        raise ConfigError(f"{value} is out of range", path)
    try:
        whole = int(value)
    except (InvalidOperation, OverflowError, ValueError):
        raise ConfigError(f"{value} is no number", path) from None
    if whole != value:
        raise ConfigError(f"{value} is not a whole number", path)
    return whole


def _object(value: Any, cls: type[Any], path: Path) -> Any:
    if not isinstance(value, dict):
        raise ConfigError(f"is {_kind(value)}, wanted an object", path)
    fields = fields_of(cls, min(len(path), 1))
    known = {}
    for name in sorted(value):
        f = fields.get(name)
        if f is None:
            raise ConfigError("is no attribute of this stage", (*path, name))
        if value[name] is not None:  # the host has filled in defaults: what is null has none, or is an object's
            known[name] = _assign(value[name], f.hint, (*path, name))
    for f in fields.values():
        if f.name in known or not f.required:
            continue
        if not f.about.accepts:
            raise ConfigError("is required", (*path, f.name))
        known[f.name] = None
    try:
        return cls(**known)
    except (TypeError, ValueError) as e:  # of __post_init__
        raise ConfigError(str(e), path) from e


def _free(value: Any) -> Any:
    """A value of any type, with its numbers as int and float."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return [_free(v) for v in value]
    if isinstance(value, dict):
        return {k: _free(v) for k, v in value.items()}
    return value


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    for kinds, name in (((bool,), "a bool"), ((str,), "a string"), ((int, Decimal), "a number"), ((list,), "a list")):
        if isinstance(value, kinds):
            return name
    return "an object"


def _wanted(kind: Any) -> str:
    names = {bool: "a bool", str: "a string", int: "a number", float: "a number"}
    if isinstance(kind, type) and kind in names:
        return names[kind]
    if element(kind) is not None:
        return "a map" if typing.get_origin(kind) is dict else "a list"
    return "an object"
