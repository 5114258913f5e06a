"""Ending streams gracefully: what has begun is finished, nothing new is begun.

An open stream has no end of its own, so a server that waits for its calls would wait
for the whole grace period. Servicers read requests and wait for news through this,
and find that there are no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Draining:
    """Whether the gateway is about to stop."""

    _told: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self) -> None:
        """Let every stream end when it has finished what it has begun."""
        self._told.set()

    async def until(self, items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        """Yield `items` until there are no more or the gateway is about to stop."""
        told = asyncio.create_task(self._told.wait())
        coming: asyncio.Task[Item | None] | None = None
        try:
            while not self._told.is_set():
                coming = asyncio.create_task(_next(items))
                await asyncio.wait({coming, told}, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    return
                item = coming.result()
                if item is None:
                    return
                yield item
        finally:
            told.cancel()
            if coming is not None:
                coming.cancel()
                # What it ends with is taken: nobody waits for it any more.
                await asyncio.wait({coming})
                if not coming.cancelled():
                    coming.exception()


async def _next(items: AsyncIterator[Item]) -> Item | None:
    """Return the next of `items`, or None when there are no more."""
    return await anext(items, None)
