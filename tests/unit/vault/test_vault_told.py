"""Who waits for a newer value is told it, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from threading import Thread

from counterfoil.vault.told import Told


async def test_what_is_wanted_already_is_there_at_once() -> None:
    size = Told(7)

    assert await size.until(lambda now: now > 3) == 7
    assert not size.waiting


async def test_only_those_are_told_who_want_the_new_value() -> None:
    size = Told(0)
    soon = asyncio.create_task(size.until(lambda now: now > 2))
    later = asyncio.create_task(size.until(lambda now: now > 5))
    await asyncio.sleep(0)

    Thread(target=size.tell, args=(4,)).start()

    assert await asyncio.wait_for(soon, 5) == 4
    assert size.value == 4
    assert size.waiting == 1
    assert not later.done()
    size.tell(6)
    assert await asyncio.wait_for(later, 5) == 6
    assert not size.waiting


async def test_who_stops_waiting_leaves_nothing() -> None:
    """A lane at rest waits with a deadline, for months: nothing is told meanwhile."""
    size = Told(0)
    for _ in range(100):
        try:
            async with asyncio.timeout(0):
                await size.until(lambda now: now > 0)
        except TimeoutError:
            continue

    assert not size.waiting
    size.tell(1)
    assert await size.until(lambda now: now > 0) == 1


async def test_who_stopped_when_it_was_told_is_not_told() -> None:
    size = Told(0)
    waiting = asyncio.create_task(size.until(lambda now: now > 0))
    await asyncio.sleep(0)

    size.tell(1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    # Let what was told come to where it is not wanted any more.
    await asyncio.sleep(0)

    assert waiting.cancelled()
    assert not size.waiting


def test_a_loop_that_is_closed_holds_nobody_up() -> None:
    size = Told(0)
    gone = size.until(lambda now: now > 0)

    async def begin() -> None:
        gone.send(None)

    asyncio.run(begin())
    assert size.waiting == 1

    size.tell(1)

    assert size.value == 1
    assert not size.waiting
    gone.close()
