"""The decorators, one a kind of stage. Each gives back what it decorates, for a `Plugin` to list.

Stages give their results by yielding them: the host gets each at once, and a stage waits while the host is busy. Where
the host gives up on a call, the stage's generator is closed at its yield, as any generator is: `finally` and `with` work.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ._pb import plugin_pb2 as pb
from .call import Call
from .errors import StageError
from .stage import Options, declare

if TYPE_CHECKING:
    from typing_extensions import Unpack

C = TypeVar("C")
J = TypeVar("J", bound="Judge")
V = TypeVar("V", bound="Callable[[Call, Any], Verify]")
G = TypeVar("G", bound="Generator[Any]")
T = TypeVar("T", bound="Trainer[Any]")
E = TypeVar("E", bound="Evaluator[Any]")
K = TypeVar("K", bound=type[Any])

SCORE, STREAM, IMPORT = "score", "stream", "import"


Collect = Callable[[Call, C], Iterable[pb.RecordBatch]]
Export = Callable[[Call, C, pb.Artifact], Iterable[pb.Output]]
Verify = Callable[[Sequence[pb.VerifyItem]], Sequence[pb.Judgement]]


def collector(name: str, config: type[C], **options: Unpack[Options]) -> Callable[[Collect[C]], Collect[C]]:
    """A stage that reads real records from a source.

    The function yields batches in an order that depends on the source alone. A batch's cursor is what `Call.cursor`
    holds when the call is resumed after that batch.
    """
    return lambda collect: declare(pb.KIND_COLLECTOR, name, config, collect, options)


class Judge(abc.ABC):
    """Decides which records to keep. One Judge serves one call, from one thread."""

    def refer(self, records: Sequence[pb.Record]) -> None:  # noqa: B027 - most filters need no reference
        """Shows records that count as already seen. All of them come before the first `judge`."""

    @abc.abstractmethod
    def judge(self, records: Sequence[pb.Record]) -> Sequence[pb.Verdict]:
        """One verdict a record, in order. Verdict.id may be left empty."""

    def close(self) -> None:  # noqa: B027
        """Is called when the call ends, however it does."""


def filter(name: str, config: type[C], **options: Unpack[Options]) -> Callable[[type[J]], type[J]]:
    """A stage that keeps or drops records: a `Judge` whose `__init__` takes the call and its configuration."""
    return lambda cls: declare(pb.KIND_FILTER, name, config, _checked(cls, Judge), options)


def verifier(name: str, config: type[C], **options: Unpack[Options]) -> Callable[[V], V]:
    """A domain's judge.

    What is decorated gets the call and its configuration, and gives what judges items: one judgement an item, in order;
    Judgement.id may be left empty. It may be a class with `__init__(call, config)` and `__call__(items)`.
    """
    return lambda open: declare(pb.KIND_VERIFIER, name, config, open, options)


class Generator(abc.ABC, Generic[C]):
    """Runs a language model. One instance serves all calls of the process."""

    @abc.abstractmethod
    def generate(self, call: Call, config: C, request: pb.GenerateRequest) -> Iterable[pb.RecordBatch]:
        """Draws the samples that the request asks for.

        Sample i of a set depends on `Call.seed`, the set and i alone, so that a resumed call draws what the interrupted
        one would have. The request's model is absent for a base generator that the configuration names.
        """

    @abc.abstractmethod
    def complete(
        self,
        call: Call,
        config: C,
        model: pb.Artifact | None,
        sampling: pb.Sampling | None,
        prompts: Sequence[pb.Prompt],
    ) -> Iterable[pb.Completion]:
        """Answers prompts, one completion each, in order. Completion.prompt_id may be left empty."""

    def stream(
        self,
        call: Call,
        config: C,
        model: pb.Artifact | None,
        sampling: pb.Sampling | None,
        prompts: Sequence[pb.Prompt],
    ) -> Iterable[pb.Piece | pb.Completion]:
        """`complete` for who reads along: pieces of a completion come before it, with its prompt's ID.

        The pieces of a prompt, one after another, are the beginning of its completion's text; `Draft.piece` gives them. A
        generator that has this method lists the feature "stream".
        """
        raise StageError("this generator gives completions whole")

    def score(
        self, call: Call, config: C, model: pb.Artifact | None, items: Sequence[pb.LikelihoodItem]
    ) -> Iterable[pb.LikelihoodEvent]:
        """The log-likelihoods of continuations, one event an item, in order; prompt_id may be left empty.

        A generator that has this method lists the feature "score".
        """
        raise StageError("this generator cannot score")

    def import_model(self, call: Call, config: C, path: str) -> pb.Output:
        """Turns the model at path, a file or directory that is read only, into the output "model", which this runs.

        What cannot be taken exactly as it is, is refused. Output.meta is shown to people. A generator that has this
        method lists the feature "import".
        """
        raise StageError("this generator takes no models from elsewhere")


def generator(name: str, config: type[C], **options: Unpack[Options]) -> Callable[[type[G]], type[G]]:
    """A stage that runs a language model."""

    def make(cls: type[G]) -> type[G]:
        _checked(cls, Generator)
        found = [
            f
            for f, has in (
                (SCORE, _has(cls, Generator, "score")),
                (STREAM, _has(cls, Generator, "stream")),
                (IMPORT, _has(cls, Generator, "import_model")),
            )
            if has
        ]
        return declare(pb.KIND_GENERATOR, name, config, cls, _with(options, found), cls())

    return make


class Trainer(abc.ABC, Generic[C]):
    """Trains a model. One instance serves all calls of the process."""

    @abc.abstractmethod
    def train(self, call: Call, config: C, request: pb.TrainRequest) -> Iterable[pb.Checkpoint]:
        """Goes from request.from_step to request.to_step, and yields checkpoints in rising order of steps.

        They are due at each multiple of save_every_steps counted from window_start, and at window_end. When
        `Call.stopped` is set it yields one of where it stands, and returns.
        """

    @abc.abstractmethod
    def estimate(self, config: C, request: pb.EstimateRequest) -> pb.EstimateResponse:
        """Forecasts request.items steps. EstimateResponse.records, how many records they read, must be there."""

    def import_model(self, call: Call, config: C, path: str) -> pb.Output:
        """Turns the model at path into the output "checkpoint", from which training starts as if it were of step 0.

        A trainer that has this method lists the feature "import".
        """
        raise StageError("this trainer takes no models from elsewhere")


def trainer(name: str, config: type[C], **options: Unpack[Options]) -> Callable[[type[T]], type[T]]:
    """A stage that trains a model."""

    def make(cls: type[T]) -> type[T]:
        _checked(cls, Trainer)
        found = [IMPORT] if _has(cls, Trainer, "import_model") else []
        return declare(pb.KIND_TRAINER, name, config, cls, _with(options, found), cls())

    return make


class Evaluator(abc.ABC, Generic[C]):
    """Makes benchmarks and judges answers. One instance serves all calls of the process."""

    @abc.abstractmethod
    def prepare(self, call: Call, config: C, request: pb.PrepareRequest) -> Iterable[pb.Question]:
        """Picks or builds the benchmark's questions."""

    @abc.abstractmethod
    def score(self, call: Call, config: C, answers: Sequence[pb.Answer]) -> Sequence[pb.QuestionScore]:
        """Judges answers: its result depends on config and answers alone.

        QuestionScore.prompt_id names the question. What cannot be measured is left out, and is never 0.
        """


def evaluator(name: str, config: type[C], **options: Unpack[Options]) -> Callable[[type[E]], type[E]]:
    """A stage that prepares a benchmark and scores answers to it."""
    return lambda cls: declare(pb.KIND_EVALUATOR, name, config, _checked(cls, Evaluator), options, cls())


def exporter(name: str, config: type[C], **options: Unpack[Options]) -> Callable[[Export[C]], Export[C]]:
    """A stage that turns a checkpoint into files that a generator runs.

    The function yields outputs below `Call.work_dir`, the one named "model" among them. Where the checkpoint is an
    adapter, `Call.base` is the model that it adapts.
    """
    return lambda export: declare(pb.KIND_EXPORTER, name, config, export, options)


def _checked(cls: K, base: type[Any]) -> K:
    """A class that is what its decorator takes; TypeError where it is not."""
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise TypeError(f"{cls!r} is no subclass of {base.__name__}")
    missing = sorted(getattr(cls, "__abstractmethods__", ()))
    if missing:
        raise TypeError(f"{cls.__name__} has no method {missing[0]}, which {base.__name__} needs")
    return cls


def _has(cls: type[Any], base: type[Any], method: str) -> bool:
    return getattr(cls, method) is not getattr(base, method)


def _with(options: Options, found: list[str]) -> Options:
    features = [*options.get("features", ()), *found]
    return {**options, "features": list(dict.fromkeys(features))}
