"""Fixtures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import pytest
from stages import PLUGIN

from jupiter_sdk import testing


@pytest.fixture
def conn() -> Iterator[testing.Connection]:
    with testing.connect(PLUGIN) as c:
        yield c


@contextmanager
def fails(code: grpc.StatusCode, text: str) -> Iterator[None]:
    """Wants a call to end with a status."""
    with pytest.raises(grpc.RpcError) as e:
        yield
    assert text in (e.value.details() or "")
    assert e.value.code() is code
