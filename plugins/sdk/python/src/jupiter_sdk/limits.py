"""The protocol's limits, and the checks of what a stage hands over."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import grpc
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from ._pb.plugin_pb2 import Record, RecordBatch
from .errors import Abort, broken, invalid

MAX_BATCH = 1 << 20  # bytes of the records of one batch
MAX_RECORD = 3 << 20  # bytes of a record that goes alone
MAX_MESSAGE = (4 << 20) - (1 << 10)  # gRPC's default limit, less room for the frame around a part

M = TypeVar("M", bound=Message)
T = TypeVar("T")


def split(messages: Iterable[M], limit: int = MAX_BATCH) -> Iterator[list[M]]:
    """Cuts a list into runs of at most limit bytes, as a repeated field has them. What is larger is a run of its own."""
    run: list[M] = []
    size = 0
    for m in messages:
        n = m.ByteSize() + 6  # tag and length
        if run and size + n > limit:
            yield run
            run, size = [], 0
        run.append(m)
        size += n
    if run:
        yield run


def batches(batch: RecordBatch) -> Iterator[RecordBatch]:
    """A batch in as many messages as its size needs. The cursor goes with the last: nothing resumes in between."""
    if not batch.records:
        if batch.cursor:
            yield batch
        return
    for i, r in enumerate(batch.records):
        n = r.ByteSize()
        if n > MAX_RECORD:
            raise invalid(f"record {i} of the batch: is {n} bytes, and a record holds at most {MAX_RECORD}")
    runs = list(split(batch.records))
    if len(runs) == 1:
        yield batch
        return
    for run in runs[:-1]:
        yield RecordBatch(records=run)
    yield RecordBatch(records=runs[-1], cursor=batch.cursor)


def check_record(record: Record) -> None:
    """ValueError where a record is larger than the protocol lets it be."""
    n = record.ByteSize()
    if n > MAX_RECORD:
        raise ValueError(f"the record is {n} bytes, and a record holds at most {MAX_RECORD}")


def check_size(message: Message, what: str) -> None:
    """Refuses a message over gRPC's limit, by the name of what it holds."""
    n = message.ByteSize()
    if n > MAX_MESSAGE:
        raise Abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{what}: {n} bytes, and a message holds at most {MAX_MESSAGE}")


def check_type(value: object, cls: type[M], what: str) -> M:
    """Refuses a value of another type than the protocol has there."""
    if not isinstance(value, cls):
        raise broken(f"{what} is {type(value).__name__}, wanted {cls.__name__}")
    return value


def check_several(value: Iterable[T], what: str) -> Iterable[T]:
    """Refuses what is no list or generator of results, such as the None of a function that has forgotten to return one."""
    if isinstance(value, (str, bytes, Message)) or not isinstance(value, Iterable):
        raise broken(f"{what} is {type(value).__name__}, wanted a list or a generator of them")
    return value


def check_count(got: Sequence[object], want: int, what: str, of: str) -> None:
    """Refuses a list with more or fewer answers than were asked for."""
    if len(got) != want:
        raise broken(f"{len(got)} {what} {of}")


def same_id(got: str, want: str, what: str, i: int) -> str:
    """The id of an answer, filled in where it is empty. One that answers something else is refused."""
    if got and got != want:
        raise broken(f'{what} {i} is for "{got}" where "{want}" is next')
    return want


def check_finite(message: Message, what: str) -> None:
    """Refuses a figure that is not finite: nobody downstream could compare it, and a mean would be lost for it."""
    name = _not_finite(message)
    if name:
        raise broken(f"{name} of {what} is not finite")


def _not_finite(message: Message) -> str:
    figures, inner = _figures(message.DESCRIPTOR)
    for name, repeated in figures:
        value = getattr(message, name)
        values = value.values() if hasattr(value, "values") else value if repeated else (value,)
        if not all(map(math.isfinite, values)):
            return name
    for name, repeated in inner:
        if not repeated and not message.HasField(name):
            continue
        value = getattr(message, name)
        for m in value if repeated else (value,):
            found = _not_finite(m)
            if found:
                return found
    return ""


@functools.cache
def _figures(descriptor: Descriptor) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """The fields of a message that hold figures, and those whose messages may: names, and whether there are several."""
    figures, inner = [], []
    for f in descriptor.fields:
        several = _is_repeated(f)
        kind = f
        if f.message_type is not None and f.message_type.GetOptions().map_entry:
            kind = f.message_type.fields_by_name["value"]
        if kind.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
            figures.append((f.name, several))
        elif f.message_type is not None and kind is f and _holds_figures(f.message_type):
            inner.append((f.name, several))
    return figures, inner


def _holds_figures(descriptor: Descriptor) -> bool:
    figures, inner = _figures(descriptor)
    return bool(figures or inner)


def _is_repeated(field: Any) -> bool:
    # protobuf 6.30 has the label, 7 no longer does.
    return bool(field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED)
