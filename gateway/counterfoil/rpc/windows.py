"""The requests of one stream: a few of them worked on at a time, answered in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

Request = TypeVar("Request")
Response = TypeVar("Response")


async def answered_in_order(
    requests: AsyncIterator[Request],
    begin: Callable[[Request], Coroutine[Any, Any, Response]],
    *,
    window: int,
) -> AsyncGenerator[Response, None]:
    """Yield the answers to `requests` in their order.

    The next request is read only while fewer than `window` are under way, so a fast
    sender waits in its own socket, not in our memory. What one of them raises is
    raised in its turn, behind the answers to those before it.

    Args:
        requests: What the stream brings.
        begin: Called for each request in turn; returns the work on it, which runs
            beside that on others.
        window: Requests that are worked on at a time.
    """
    under_way: asyncio.Queue[asyncio.Task[Response] | None] = asyncio.Queue()
    works: set[asyncio.Task[Response]] = set()
    room = asyncio.Semaphore(window - 1)

    async def read() -> None:
        try:
            async for request in requests:
                work = asyncio.create_task(begin(request))
                works.add(work)
                under_way.put_nowait(work)
                await room.acquire()
        finally:
            under_way.put_nowait(None)

    reader = asyncio.create_task(read())
    try:
        while (work := await under_way.get()) is not None:
            response = await work
            works.discard(work)
            room.release()
            yield response
        await reader
    finally:
        # Nobody asks any more; what they end with is taken and dropped, or
        # asyncio would log each as an exception that was never retrieved.
        for task in (reader, *works):
            task.cancel()
        await asyncio.gather(reader, *works, return_exceptions=True)
