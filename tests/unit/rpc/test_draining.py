"""Streams end when the gateway is about to stop, and finish what they have begun."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from counterfoil.rpc.draining import Draining


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(1, count + 1):
        yield number


async def one_then_silence() -> AsyncIterator[int]:
    yield 1
    await asyncio.Event().wait()


async def test_items_pass_until_there_are_no_more() -> None:
    assert [one async for one in Draining().until(numbers(3))] == [1, 2, 3]


async def test_a_stream_that_waits_ends_when_draining_begins() -> None:
    draining = Draining()
    seen = []

    async with asyncio.timeout(5):
        async for one in draining.until(one_then_silence()):
            seen.append(one)
            asyncio.get_running_loop().call_soon(draining.begin)

    assert seen == [1]


async def test_nothing_new_is_begun_while_draining() -> None:
    draining = Draining()
    draining.begin()

    assert [one async for one in draining.until(numbers(3))] == []
