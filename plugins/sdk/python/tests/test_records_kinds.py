"""Collectors, filters and verifiers over gRPC."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

import grpc
import pytest
from conftest import fails
from stages import CANCELLED

from jupiter_sdk import Call, NoConfig, Plugin, Record, RecordBatch, VerifyItem, collector, testing
from jupiter_sdk._pb import plugin_pb2 as pb
from jupiter_sdk.limits import MAX_BATCH
from jupiter_sdk.testing import Connection

Code = grpc.StatusCode


def wait_for(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def test_collector(conn: Connection) -> None:
    call = conn.call("collector", "c", cursor=b"1")
    events = list(conn.stream("Collector", "Collect", pb.CollectRequest(call=call)))
    assert [r.text for e in events for r in e.batch.records] == ["r1", "r2"]
    assert [e.batch.cursor for e in events[:2]] == [b"2", b"3"]
    assert events[2].diagnostic.summary == "Odd" and events[2].diagnostic.attribute[0].name == "n"
    usage = events[3].progress.usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (3, 4)


def test_large_batches_are_split(conn: Connection) -> None:
    events = list(
        conn.stream("Collector", "Collect", pb.CollectRequest(call=conn.call("collector", "c", {"mode": "big"})))
    )
    assert len(events) == 3 and sum(len(e.batch.records) for e in events) == 30
    assert all(e.ByteSize() <= MAX_BATCH + 64 for e in events)
    assert [e.batch.cursor for e in events] == [b"", b"", b"end"]


@pytest.mark.parametrize(
    ("mode", "code", "text"),
    [
        ("huge", Code.INVALID_ARGUMENT, "record 0 of the batch: is 3145733 bytes, and a record holds at most 3145728"),
        ("surrogate", Code.INTERNAL, "a text is not valid UTF-8"),
        ("nan", Code.INTERNAL, "metric loss is nan"),
        ("type", Code.INTERNAL, "the stage breaks the protocol: what a collector gave is str, wanted RecordBatch"),
        ("error", Code.UNKNOWN, "the source is closed on Mondays"),
        ("transient", Code.ABORTED, "the source is busy"),
        ("exception", Code.INTERNAL, "KeyError: 'moon' (stages.py, line 65, in collect)"),
        ("exit", Code.INTERNAL, "SystemExit: 3"),
    ],
)
def test_errors(
    conn: Connection, capfd: pytest.CaptureFixture[str], mode: str, code: grpc.StatusCode, text: str
) -> None:
    with fails(code, text):
        conn.collect(conn.call("collector", "c", {"mode": mode}))
    # A traceback for the author, and none where the message is meant for the user.
    assert ("Traceback" in capfd.readouterr().err) == (code is Code.INTERNAL and mode != "type")


def test_configuration_errors(conn: Connection) -> None:
    with fails(Code.INVALID_ARGUMENT, "attribute n: is a string, wanted a number"):
        conn.collect(conn.call("collector", "c", {"n": "six"}))
    with fails(Code.INVALID_ARGUMENT, "the first message of a call has no Call"):
        conn.collect(None)  # type: ignore[arg-type]
    call = conn.call("collector", "c")
    call.stage = "d"
    with fails(Code.NOT_FOUND, 'plugin test has no stage "d" of KIND_COLLECTOR; it has c'):
        conn.collect(call)


@pytest.mark.parametrize("mode", ["forever", "busy"])
def test_cancellation(conn: Connection, mode: str) -> None:
    CANCELLED.clear()
    stream = conn.stream("Collector", "Collect", pb.CollectRequest(call=conn.call("collector", "c", {"mode": mode})))
    next(stream)
    stream.cancel()
    wait_for(lambda: mode in CANCELLED)


def test_stop_saves(conn: Connection) -> None:
    call = conn.call("collector", "c", {"mode": "stop"})
    stream = conn.stream("Collector", "Collect", pb.CollectRequest(call=call))
    assert next(stream).batch.records[0].text == "one"
    conn.stop(call)
    assert next(stream).batch.cursor == b"saved"
    assert list(stream) == []


@pytest.mark.parametrize(
    ("limit", "want"),
    [(pb.Limit(tokens=7), "False"), (pb.Limit(tokens=6), "True"), (pb.Limit(usd=1, usd_per_prompt_token=0.2), "True")],
)
def test_limit(conn: Connection, limit: pb.Limit, want: str) -> None:
    call = conn.call("collector", "c", {"mode": "limit", "n": 6})
    call.limit.CopyFrom(limit)
    assert [r.text for r in conn.collect(call)] == [want]


def test_a_stage_that_yields_nothing_to_iterate() -> None:
    @collector("c", NoConfig)
    def collect(call: Call, config: NoConfig) -> Iterable[RecordBatch]:
        return None  # type: ignore[return-value]

    with (
        testing.connect(Plugin("p", "1.0.0", [collect])) as conn,
        fails(Code.INTERNAL, "the stage breaks the protocol: what the stage gave is NoneType, wanted a list"),
    ):
        conn.collect(conn.call("collector", "c"))


def test_filter(conn: Connection) -> None:
    CANCELLED.clear()
    records = [Record(id="a", text="a"), Record(id="bb", text="bb")]
    verdicts = conn.filter(conn.call("filter", "f"), records, [Record(text="r")])
    assert [(v.id, v.keep, v.score, v.reason) for v in verdicts] == [("a", False, 1, "good"), ("bb", True, 1, "good")]
    assert CANCELLED == ["closed"]
    many = [Record(id=str(i)) for i in range(20_000)]
    verdicts = conn.filter(conn.call("filter", "f", {"mode": "a long reason " * 8}), many)
    assert [v.id for v in verdicts] == [r.id for r in many]


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("short", "the stage breaks the protocol: 1 verdicts on 2 records"),
        ("nothing", "what judge gave for verdicts is NoneType, wanted a list or a generator of them"),
        ("text", "what judge gave for verdicts is str, wanted a list or a generator of them"),
        ("swap", 'verdict 0 is for "someone else" where "a" is next'),
        ("nan", "score of the verdicts of a batch is not finite"),
        ("none", "verdict 0 of a batch is NoneType, wanted Verdict"),
    ],
)
def test_broken_filter(conn: Connection, mode: str, text: str) -> None:
    with fails(Code.INTERNAL, text):
        conn.filter(conn.call("filter", "f", {"mode": mode}), [Record(id="a"), Record(id="b")])


def test_filter_requests(conn: Connection) -> None:
    first, batch = pb.FilterRequest(call=conn.call("filter", "f")), pb.FilterRequest(batch=pb.RecordBatch())
    with fails(Code.INVALID_ARGUMENT, "reference records after records to judge"):
        list(conn.stream("Filter", "Filter", first, batch, pb.FilterRequest(reference=pb.RecordBatch())))
    with fails(Code.INVALID_ARGUMENT, "unexpected message"):
        list(conn.stream("Filter", "Filter", first, pb.FilterRequest()))
    with fails(Code.INVALID_ARGUMENT, "the stream ended before its first message"):
        list(conn.stream("Filter", "Filter"))


def test_stop_while_receiving(conn: Connection) -> None:
    call = conn.call("filter", "f")
    over = threading.Event()

    def requests() -> Iterator[pb.FilterRequest]:
        yield pb.FilterRequest(call=call)
        yield pb.FilterRequest(batch=pb.RecordBatch(records=[Record()]))
        over.wait()

    stream = conn._method("Filter", "Filter")(requests())
    next(stream)
    conn.stop(call)
    assert list(stream) == []
    over.set()


def test_verifier(conn: Connection) -> None:
    items = [VerifyItem(id="1", text="ok"), VerifyItem(id="2")]
    assert [(j.id, j.answer_ok) for j in conn.verify(conn.call("verifier", "v"), items)] == [("1", True), ("2", False)]
    many = [VerifyItem() for _ in range(300)]
    assert len(conn.verify(conn.call("verifier", "v", {"n": 20_000}), many)) == 300
    with fails(Code.INTERNAL, "its verifier made NoneType, wanted a function"):
        conn.verify(conn.call("verifier", "v", {"mode": "none"}), items)
