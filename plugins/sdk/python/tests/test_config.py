"""Configurations: schemas, decoding and what is wrong with them."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import pytest

from jupiter_sdk import (
    ConfigError,
    Judge,
    NoConfig,
    Plugin,
    attribute,
    collector,
    decode,
    evaluator,
    filter,
    generator,
    trainer,
)
from jupiter_sdk._pb import plugin_pb2 as pb
from jupiter_sdk.config import schema_of
from jupiter_sdk.decode import check_defaults


@dataclass(frozen=True, kw_only=True)
class Place:
    path: str
    weight: float = 0


@dataclass(frozen=True, kw_only=True)
class Full:
    name: str = attribute(description="Who.", sensitive=True)
    key_env: str = attribute(default="", environment=True)
    on: bool = True
    count: int = attribute(default=2, effect="advance", deprecated="use more")
    rate: float | None = None
    words: list[str] = attribute(default_factory=list)
    sizes: tuple[int, ...] = attribute(default=(1, 2), effect="none")
    weights: dict[str, float] = attribute(default_factory=dict)
    places: list[Place] = attribute(default_factory=list)
    free: Any = None
    model: str | None = attribute(accepts=["application/x"])


def test_schema() -> None:
    schema = schema_of(Full, "All of it.")
    assert schema.description == "All of it."
    a = {x.name: x for x in schema.attributes}
    assert list(a) == [f.name for f in dataclasses.fields(Full)]
    types = {n: json.loads(x.type) for n, x in a.items()}
    place = ["object", {"path": "string", "weight": "number"}, ["weight"]]
    assert types == {
        "name": "string",
        "on": "bool",
        "count": "number",
        "rate": "number",
        "words": ["list", "string"],
        "sizes": ["list", "number"],
        "weights": ["map", "number"],
        "places": ["list", place],
        "free": "dynamic",
        "key_env": "string",
        "model": "string",
    }
    assert a["name"].required and a["name"].sensitive and a["name"].description == "Who."
    assert a["key_env"].environment and not a["name"].environment
    assert a["count"].effect == pb.EFFECT_ADVANCE and a["count"].default == b"2" and a["count"].deprecated == "use more"
    assert a["sizes"].effect == pb.EFFECT_NONE and a["sizes"].default == b"[1,2]"
    assert a["rate"].default == b"" and not a["rate"].required
    assert a["model"].accepts == ["application/x"] and a["model"].required


def test_decode() -> None:
    config = (
        b'{"name":"n","on":false,"count":1e3,"rate":1,"sizes":[1.0],"weights":{"a":2},'
        b'"places":[{"path":"p"}],"free":{"x":[1.5]}}'
    )
    c = decode(Full, config)
    assert c == Full(
        name="n",
        on=False,
        count=1000,
        rate=1.0,
        sizes=(1,),
        weights={"a": 2.0},
        places=[Place(path="p")],
        free={"x": [1.5]},
        model=None,
    )
    assert isinstance(c.count, int) and isinstance(c.rate, float) and isinstance(c.places[0].weight, (int, float))
    assert decode(NoConfig, b"") == NoConfig()


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (b"{}", "attribute name: is required"),
        (b'{"name":null}', "attribute name: is required"),
        (b'{"name":"n","nam":1}', "attribute nam: is no attribute of this stage"),
        (b'{"name":"n","name":"m"}', 'key "name" is there twice'),
        (b'{"name":"n","count":1.5}', "attribute count: 1.5 is not a whole number"),
        (b'{"name":"n","count":1e999999999}', "attribute count: 1E+999999999 is out of range"),
        (b'{"name":"n","count":true}', "attribute count: is a bool, wanted a number"),
        (b'{"name":"n","rate":1e400}', "attribute rate: 1E+400 is out of range"),
        (b'{"name":"n","rate":NaN}', "NaN is no JSON number"),
        (b'{"name":"n","words":["a",1]}', "attribute words[1]: is a number, wanted a string"),
        (b'{"name":"n","weights":{"k":"x"}}', 'attribute weights["k"]: is a string, wanted a number'),
        (b'{"name":"n","places":[{"weight":1}]}', "attribute places[0].path: is required"),
        (b'{"name":"n","places":{}}', "attribute places: is an object, wanted a list"),
        (b"[]", "configuration: is a list, wanted an object"),
        (b"{", "configuration: is not JSON"),
        (b'{"free":' + b"[" * 100_000, "configuration: is not JSON"),
    ],
)
def test_wrong_configurations(config: bytes, text: str) -> None:
    with pytest.raises(ConfigError) as e:
        decode(Full, config)
    assert text in str(e.value)


def test_post_init_is_a_configuration_error() -> None:
    @dataclass
    class Picky:
        n: int = 1

        def __post_init__(self) -> None:
            if self.n > 1:
                raise ValueError("too many")

    with pytest.raises(ConfigError, match="too many"):
        decode(Picky, b'{"n":2}')


def test_impossible_configurations() -> None:
    def refused(text: str, **fields: tuple[Any, Any]) -> None:
        cls = dataclasses.make_dataclass("C", [(n, t, v) for n, (t, v) in fields.items()])
        with pytest.raises(TypeError, match=text):
            schema_of(cls, "")
            check_defaults(cls)

    inner = dataclasses.make_dataclass("Inner", [("x", int, 3)])
    refused("has a default within an object", a=(inner, None))
    refused("cannot be configured", a=(bytes, b""))
    refused("has several types", a=(int | str, 1))
    refused("default of C.a is a string, wanted a number", a=(int, "x"))
    refused("is no attribute name", A=(int, 1))
    refused("there is no effect", a=(int, attribute(default=1, effect="never")))  # type: ignore[arg-type]
    refused("accepts artifacts", a=(str, attribute(default="", accepts=["x"])))
    with pytest.raises(TypeError, match="is no dataclass"):
        schema_of(int, "")


def test_what_cannot_be_served() -> None:
    with pytest.raises(ValueError, match="no word of a-z"):
        collector("Big", NoConfig)(lambda call, config: [])
    with pytest.raises(TypeError, match="has no option 'revison'"):
        collector("c", NoConfig, revison=1)(lambda call, config: [])  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Idle has no method judge, which Judge needs"):

        @filter("f", NoConfig)
        class Idle(Judge): ...

    for decorate, base in ((filter, "Judge"), (generator, "Generator"), (trainer, "Trainer"), (evaluator, "Evaluator")):
        with pytest.raises(TypeError, match=f"int'> is no subclass of {base}"):
            decorate("x", NoConfig)(int)  # type: ignore[type-var]
    with pytest.raises(TypeError, match="has no decorator of a kind"):
        Plugin("p", "1", [print])
