"""A few requests of a stream are worked on at a time, and answered in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from counterfoil.rpc.windows import answered_in_order


@dataclass
class Desk:
    """Work that ends when it is told to.

    Attributes:
        read: Requests that were read.
        begun: Requests that are or were worked on.
        given_up: Requests whose work was ended from outside.
        released: Tells a request's work to end.
        count: How many requests the stream brings.
    """

    count: int
    read: list[int] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    given_up: list[int] = field(default_factory=list)
    released: dict[int, asyncio.Event] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.released = {one: asyncio.Event() for one in range(self.count)}

    async def requests(self) -> AsyncIterator[int]:
        for one in range(self.count):
            self.read.append(one)
            yield one

    async def work(self, one: int) -> str:
        self.begun.append(one)
        try:
            await self.released[one].wait()
        except asyncio.CancelledError:
            self.given_up.append(one)
            raise
        if one == 13:
            raise ValueError("unlucky")
        return f"answer {one}"

    def release(self, *ones: int) -> None:
        for one in ones:
            self.released[one].set()


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_answers_keep_the_order_of_the_requests() -> None:
    desk = Desk(count=3)
    answers = answered_in_order(desk.requests(), desk.work, window=3)
    first = asyncio.ensure_future(anext(answers))
    desk.release(2, 1)
    await settled()
    assert desk.begun == [0, 1, 2]
    assert not first.done()

    desk.release(0)

    assert [await first, *[one async for one in answers]] == [
        "answer 0",
        "answer 1",
        "answer 2",
    ]


async def test_no_more_is_read_than_the_window_holds() -> None:
    desk = Desk(count=9)
    answers = answered_in_order(desk.requests(), desk.work, window=3)
    first = asyncio.ensure_future(anext(answers))
    await settled()
    assert desk.read == desk.begun == [0, 1, 2]

    desk.release(0, 2)
    await first
    await settled()
    assert desk.read == desk.begun == [0, 1, 2, 3]
    await answers.aclose()


async def test_a_window_of_one_works_on_one_after_the_other() -> None:
    desk = Desk(count=2)
    answers = answered_in_order(desk.requests(), desk.work, window=1)
    first = asyncio.ensure_future(anext(answers))
    await settled()
    assert desk.begun == [0]

    desk.release(0, 1)
    assert [await first, *[one async for one in answers]] == ["answer 0", "answer 1"]


async def test_what_one_raises_comes_behind_the_answers_before_it() -> None:
    desk = Desk(count=20)
    desk.release(*range(20))
    answers = answered_in_order(desk.requests(), desk.work, window=4)
    seen = []

    async def collect() -> None:
        async for one in answers:
            seen.append(one)  # noqa: PERF401 -- what came before it raises

    with pytest.raises(ValueError, match="unlucky"):
        await collect()

    assert seen == [f"answer {one}" for one in range(13)]


async def test_what_reading_raises_comes_behind_all_answers() -> None:
    desk = Desk(count=2)
    desk.release(0, 1)
    seen = []

    async def requests() -> AsyncIterator[int]:
        yield 0
        yield 1
        raise ValueError("the line broke")

    async def collect() -> None:
        async for one in answered_in_order(requests(), desk.work, window=4):
            seen.append(one)  # noqa: PERF401

    with pytest.raises(ValueError, match="the line broke"):
        await collect()

    assert seen == ["answer 0", "answer 1"]


async def test_what_cannot_be_begun_ends_the_stream_behind_what_was() -> None:
    desk = Desk(count=9)
    seen = []

    def begin(one: int) -> Coroutine[Any, Any, str]:
        if one == 2:
            raise ValueError("not this one")
        return desk.work(one)

    async def collect() -> None:
        async for one in answered_in_order(desk.requests(), begin, window=9):
            seen.append(one)  # noqa: PERF401

    ended = asyncio.ensure_future(collect())
    await settled()
    # Those before it go on; nothing behind it was looked at.
    assert desk.begun == [0, 1]
    assert desk.read == [0, 1, 2]
    desk.release(0, 1)

    with pytest.raises(ValueError, match="not this one"):
        await ended

    assert seen == ["answer 0", "answer 1"]


async def test_nothing_goes_on_when_nobody_asks_any_more() -> None:
    desk = Desk(count=5)
    desk.release(0)
    answers = answered_in_order(desk.requests(), desk.work, window=2)
    assert await anext(answers) == "answer 0"
    await settled()

    await answers.aclose()

    assert sorted(desk.given_up) == desk.begun[1:] == [1, 2]
