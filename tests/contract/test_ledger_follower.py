"""The follower keeps the ledger up, whatever fails on the way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from counterfoil.app.ports import LogRecord
from counterfoil.domain.standing import Act, Standing
from counterfoil.ledger.follower import FollowerStopped, LedgerFollower
from counterfoil.ledger.ledger import SqlLedger
from tests.contract.ledger_contract import BANK, contents, life, record


@dataclass
class ListedLog:
    """The part of a vault that the follower reads, in a list.

    Attributes:
        acts: The log.
        failures: How many of the next readings fail.
        readings: First index of each reading.
    """

    acts: list[LogRecord] = field(default_factory=list)
    failures: int = 0
    readings: list[int] = field(default_factory=list)
    grown: asyncio.Event = field(default_factory=asyncio.Event)
    read_thrice: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    def append(self, acts: Sequence[LogRecord]) -> None:
        self.acts.extend(acts)
        self.grown.set()

    def size(self) -> int:
        self.asked.set()
        return len(self.acts)

    def records(self, first: int, limit: int) -> list[LogRecord]:
        self.readings.append(first)
        if len(self.readings) >= 3:
            self.read_thrice.set()
        if self.failures:
            self.failures -= 1
            raise OSError("no such luck")
        return self.acts[first : first + limit]

    async def changed(self, size: int) -> int:
        while len(self.acts) <= size:
            self.grown.clear()
            await self.grown.wait()
        return len(self.acts)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqlLedger]:
    ledger = SqlLedger.open(f"sqlite:///{tmp_path}/ledger.db")
    yield ledger
    await ledger.close()


@pytest.fixture
def log() -> ListedLog:
    return ListedLog()


@pytest.fixture
async def follower(log: ListedLog, ledger: SqlLedger) -> AsyncIterator[LedgerFollower]:
    follower = LedgerFollower(log, ledger, records_max=4, back_off_s=(0.001, 0.002))
    running = asyncio.create_task(follower.run())
    yield follower
    follower.stop()
    await asyncio.wait_for(running, 5)


async def test_what_is_committed_is_followed(
    log: ListedLog, ledger: SqlLedger, follower: LedgerFollower
) -> None:
    log.append(life("A1", 0) + life("A2", 3) + life("A3", 6))
    await follower.caught_up(9)
    log.append(life("A4", 9))
    await follower.caught_up(12)

    assert await ledger.next_index() == 12
    assert log.readings == [0, 4, 8, 9]


async def test_a_failure_is_logged_and_tried_again(
    log: ListedLog,
    ledger: SqlLedger,
    follower: LedgerFollower,
    caplog: pytest.LogCaptureFixture,
) -> None:
    log.failures = 3
    log.append(life("A1", 0))

    await follower.caught_up(3)

    pauses = [entry.getMessage() for entry in caplog.records]
    assert len(pauses) == 3
    assert all("the ledger is behind" in pause for pause in pauses)
    assert {entry.levelno for entry in caplog.records} == {logging.ERROR}


async def test_a_failing_database_is_waited_for(
    log: ListedLog, ledger: SqlLedger, follower: LedgerFollower
) -> None:
    # A gap makes `follow` raise for as long as it is there.
    log.append([record(7, "A1", Act.ENTER, (BANK, Standing.SEALED))])
    await asyncio.wait_for(log.read_thrice.wait(), 5)
    assert await ledger.next_index() == 0

    log.acts[:] = life("A1", 0)
    await follower.caught_up(3)

    assert await ledger.next_index() == 3


async def test_a_ledger_that_is_rebuilt_meanwhile_is_followed_from_the_start(
    log: ListedLog, ledger: SqlLedger, follower: LedgerFollower
) -> None:
    log.append(life("A1", 0))
    await follower.caught_up(3)
    before = contents(ledger)

    await ledger.drop_and_recreate()
    log.append(life("A2", 3))
    await follower.caught_up(6)

    assert contents(ledger)[0][:3] == before[0]


async def test_a_ledger_of_a_longer_log_is_reported_and_left_alone(
    log: ListedLog, ledger: SqlLedger, caplog: pytest.LogCaptureFixture
) -> None:
    await ledger.follow(life("A1", 0))
    log.append(life("B1", 0)[:1])
    follower = LedgerFollower(log, ledger)
    running = asyncio.create_task(follower.run())
    async with asyncio.timeout(5):
        while not caplog.records:  # noqa: ASYNC110 -- a log tells nobody
            await asyncio.sleep(0.001)
    follower.stop()
    await running

    assert "ledger rebuild" in str(caplog.records[0].exc_info)
    assert log.readings == []
    assert await ledger.next_index() == 3


async def test_acts_that_are_on_disk_and_not_told_yet_are_left_for_later(
    ledger: SqlLedger, caplog: pytest.LogCaptureFixture
) -> None:
    class LateLog(ListedLog):
        def size(self) -> int:
            return min(super().size(), told)

    told, late = 2, LateLog(acts=life("A1", 0))
    follower = LedgerFollower(late, ledger, gather_s=0, back_off_s=(0.01, 0.01))
    running = asyncio.create_task(follower.run())
    await follower.caught_up(2)
    assert await ledger.next_index() == 2

    told = 3
    await asyncio.wait_for(follower.caught_up(3), 5)
    follower.stop()
    await asyncio.wait_for(running, 5)

    # A ledger that was ahead of what is told would have been taken for a stranger.
    assert caplog.records == []


async def test_who_waits_is_told_when_the_follower_stops(
    log: ListedLog, follower: LedgerFollower
) -> None:
    log.append(life("A1", 0))
    waiting = asyncio.create_task(follower.caught_up(4))
    await follower.caught_up(3)

    follower.stop()

    with pytest.raises(FollowerStopped, match="leaf 3, not at 4"):
        await asyncio.wait_for(waiting, 5)
    await follower.caught_up(3)


async def test_who_waits_is_told_when_the_followers_task_is_cancelled(
    log: ListedLog, ledger: SqlLedger
) -> None:
    follower = LedgerFollower(log, ledger)
    running = asyncio.create_task(follower.run())
    waiting = asyncio.create_task(follower.caught_up(1))
    await asyncio.wait_for(log.asked.wait(), 5)

    running.cancel()

    with pytest.raises(FollowerStopped):
        await asyncio.wait_for(waiting, 5)


async def test_acts_are_gathered_until_somebody_waits(
    log: ListedLog, ledger: SqlLedger
) -> None:
    follower = LedgerFollower(log, ledger, gather_s=60)
    running = asyncio.create_task(follower.run())
    await asyncio.wait_for(log.asked.wait(), 5)
    for number in range(3):
        log.append(life(f"A{number}", 3 * number))
        # More than the loop takes to see it and to begin a transaction.
        await asyncio.sleep(0.02)
    assert log.readings == []

    # At once, though a minute is far from over, and in one transaction.
    await asyncio.wait_for(follower.caught_up(9), 5)
    assert log.readings == [0]

    log.append(life("A3", 9))
    await asyncio.sleep(0.02)
    follower.stop()
    await asyncio.wait_for(running, 5)


async def test_acts_that_fill_a_transaction_are_not_gathered_any_longer(
    log: ListedLog, ledger: SqlLedger
) -> None:
    follower = LedgerFollower(log, ledger, records_max=6, gather_s=60)
    running = asyncio.create_task(follower.run())
    log.append(life("A0", 0))
    await asyncio.sleep(0.02)
    assert log.readings == []

    log.append(life("A1", 3) + life("A2", 6))
    async with asyncio.timeout(5):
        while await ledger.next_index() < 6:  # noqa: ASYNC110 -- nor does a table
            await asyncio.sleep(0.001)

    # The rest is too little again.
    await asyncio.sleep(0.02)
    assert log.readings == [0]
    follower.stop()
    await asyncio.wait_for(running, 5)


async def test_a_long_transaction_is_read_in_parts(
    log: ListedLog, ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("counterfoil.ledger.follower.READ_MAX", 4)
    followed = []

    class Listening(SqlLedger):
        async def follow(self, records: Sequence[LogRecord]) -> None:
            followed.append(len(records))
            await super().follow(records)

    log.append(life("A0", 0) + life("A1", 3) + life("A2", 6))
    follower = LedgerFollower(log, Listening(ledger.database))
    running = asyncio.create_task(follower.run())
    await asyncio.wait_for(follower.caught_up(9), 5)
    follower.stop()
    await asyncio.wait_for(running, 5)

    assert log.readings == [0, 4, 8]
    assert followed == [9]


async def test_acts_that_nobody_waits_for_are_followed_soon(
    log: ListedLog, ledger: SqlLedger
) -> None:
    follower = LedgerFollower(log, ledger, gather_s=0.001)
    running = asyncio.create_task(follower.run())
    log.append(life("A1", 0))
    async with asyncio.timeout(5):
        while await ledger.next_index() < 3:  # noqa: ASYNC110 -- nor does a table
            await asyncio.sleep(0.001)
    follower.stop()
    await asyncio.wait_for(running, 5)
