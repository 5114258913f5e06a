"""A worker lasts, whatever becomes of its processes."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from counterfoil.daemon.collector import settle
from counterfoil.daemon.lasting_worker import LastingWorker
from counterfoil.daemon.worker_process import (
    WorkerDefect,
    WorkerEnded,
    WorkerProcess,
)


def nothing() -> None:
    """Start without anything to do."""


def fail() -> None:
    raise RuntimeError


def pid() -> int:
    return os.getpid()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def square(number: int) -> int:
    return number * number


class Changes:
    """Notes what a worker tells, and lets a test wait for it."""

    def __init__(self) -> None:
        self.count = 0
        self._more = asyncio.Event()

    def __call__(self) -> None:
        self.count += 1
        self._more.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(20):
            while self.count < count:
                self._more.clear()
                await self._more.wait()


def is_ready(worker: LastingWorker) -> bool:
    """Tell what it says at this moment; it may say another thing at the next."""
    return worker.is_ready


async def unprepared(_: WorkerProcess) -> None:
    """Leave a process as it is."""


@asynccontextmanager
async def working(
    changes: Changes,
    start: Callable[[], Callable[[], None]] = lambda: nothing,
    prepare: Callable[[WorkerProcess], object] = unprepared,
) -> AsyncIterator[LastingWorker]:
    worker = LastingWorker(
        lambda: WorkerProcess(start(), ()),
        prepare,  # type: ignore[arg-type]
        changes,
        apart_s=0.01,
    )
    await worker.connect()
    yield worker
    await worker.close()


async def test_calls_are_answered_in_their_order() -> None:
    async with working(Changes()) as worker:
        numbers = await asyncio.gather(*(worker.run(square, n) for n in range(20)))

        assert numbers == [n * n for n in range(20)]
        assert await worker.run(pid) == worker.pid != os.getpid()
        with pytest.raises(WorkerDefect, match=r"RuntimeError at .*fail"):
            await worker.run(fail)
        assert await worker.run(square, 3) == 9


async def test_another_process_takes_the_place_of_one_that_ended() -> None:
    changes = Changes()
    async with working(changes) as worker:
        first = worker.pid

        with pytest.raises(WorkerEnded):
            await worker.run(die)
        await changes.until(1)
        assert not is_ready(worker)
        with pytest.raises(WorkerEnded):
            await worker.run(pid)

        await changes.until(2)
        assert is_ready(worker)
        assert await worker.run(pid) == worker.pid != first


async def test_a_process_is_prepared_before_anybody_calls_it() -> None:
    changes, prepared = Changes(), list[int]()

    async def prepare(process: WorkerProcess) -> None:
        prepared.append(await process.run(pid))

    async with working(changes, prepare=prepare) as worker:
        with pytest.raises(WorkerEnded):
            await worker.run(die)
        await changes.until(2)

        assert prepared[1:] == [worker.pid]


async def test_it_is_tried_until_a_process_starts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    starts = iter([nothing, fail, fail, nothing])
    changes = Changes()
    async with working(changes, start=lambda: next(starts), prepare=squared) as worker:
        with pytest.raises(WorkerEnded):
            await worker.run(die)
        # It ended; twice it could not start, and was not ready in between.
        await changes.until(2)

        assert is_ready(worker)
        assert await worker.run(square, 2) == 4
    texts = [record.getMessage() for record in caplog.records]
    assert texts.count("no worker process could be started") == 2
    assert texts.count("a worker process ended; another takes its place") == 1


async def squared(process: WorkerProcess) -> None:
    await process.run(square, 1)


async def test_a_worker_that_cannot_start_at_first_says_so() -> None:
    with pytest.raises(WorkerEnded):
        async with working(Changes(), start=lambda: fail, prepare=squared):
            pass


async def test_closing_replaces_nothing() -> None:
    changes = Changes()
    async with working(changes) as worker:
        assert is_ready(worker)

    await asyncio.sleep(0.05)
    assert not is_ready(worker)
    assert changes.count == 0


def thresholds() -> tuple[int, int]:
    settle()
    return gc.get_threshold()[0], gc.get_freeze_count()


async def test_a_settled_process_leaves_alone_what_it_has_loaded() -> None:
    async with working(Changes()) as worker:
        young, frozen = await worker.run(thresholds)

    assert young > gc.get_threshold()[0]
    assert frozen > 1000
