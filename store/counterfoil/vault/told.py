"""A value that the writing thread changes, and whoever waits for another one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Told(Generic[T]):
    """The newest value, for all threads; event loops can wait for a newer one.

    Who stops waiting leaves nothing here. Lanes wait with a deadline, again and again:
    at rest, what they left would lie here until the next commit, some 200 bytes each.

    Args:
        value: What holds at first.
    """

    def __init__(self, value: T) -> None:
        self._value = value
        self._lock = Lock()
        self._waiting: dict[asyncio.Future[T], Callable[[T], bool]] = {}

    @property
    def value(self) -> T:
        """What holds now."""
        return self._value

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def until(self, is_wanted: Callable[[T], bool]) -> T:
        """Return the value as soon as it is wanted.

        Args:
            is_wanted: Says so of a value; called by whoever tells it, too.
        """
        with self._lock:
            if is_wanted(self._value):
                return self._value
            future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
            self._waiting[future] = is_wanted
        try:
            return await future
        finally:
            with self._lock:
                self._waiting.pop(future, None)

    def tell(self, value: T) -> None:
        """Let everybody know a new value, with one call to each event loop."""
        with self._lock:
            self._value = value
            ready = [
                future
                for future, is_wanted in self._waiting.items()
                if is_wanted(value)
            ]
            for future in ready:
                del self._waiting[future]
        for loop in {future.get_loop() for future in ready}:
            mine = [future for future in ready if future.get_loop() is loop]
            if not loop.is_closed():
                loop.call_soon_threadsafe(_answer, mine, value)


def _answer(futures: list[asyncio.Future[T]], value: T) -> None:
    for future in futures:
        if not future.done():
            future.set_result(value)
