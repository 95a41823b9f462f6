"""Bounded queues between the threads of a call."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Channel(Generic[T]):
    """Hands values from one thread to another, a few ahead, until either side ends it."""

    def __init__(self, ahead: int) -> None:
        self._ahead = ahead
        self._items: deque[T] = deque()
        self._finished = False
        self._asking = False  # the other side waits for a value
        self._changed = threading.Condition()

    def put(self, item: T) -> bool:
        """Hands a value over, and waits while the other side is busy. False: it takes nothing more."""
        with self._changed:
            while len(self._items) >= self._ahead and not self._finished:
                self._changed.wait()
            if self._finished:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def get(self) -> T | None:
        """The next value, or None after the last."""
        with self._changed:
            while not self._items and not self._finished:
                self._asking = True
                self._changed.notify_all()
                self._changed.wait()
            self._asking = False
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def settle(self) -> None:
        """Waits until the other side has taken all that is there, and asks for more."""
        with self._changed:
            while not self._finished and (self._items or not self._asking):
                self._changed.wait()

    def finish(self) -> None:
        """Takes no more values. Those that are there can still be had."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def abandon(self) -> None:
        """Ends the channel for both sides at once, and drops what is in it."""
        with self._changed:
            self._finished = True
            self._items.clear()
            self._changed.notify_all()
