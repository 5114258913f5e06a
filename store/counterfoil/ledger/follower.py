"""Keeps a ledger up with its vault, and never the other way round."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Protocol

from counterfoil.app.ports import Ledger, LogRecord

_LOG: Final = logging.getLogger(__name__)

RECORDS_MAX: Final = 4096
"""Acts per transaction: a voucher's standings of one transaction are written once, and
neighbours share pages (docs/adr/0005)."""

READ_MAX: Final = 512
"""Acts read at a time; it holds the event loop for a few milliseconds."""

GATHER_S: Final = 0.25
"""How long acts are gathered unless somebody waits: a transaction for every single
commit would cost more than following it."""

BACK_OFF_S: Final = (0.1, 30.0)
"""First and longest pause after a failure; each is twice the one before."""


class FollowedLog(Protocol):
    """What the follower uses of the port `Vault`."""

    def size(self) -> int:
        """Return how many leaves are committed."""

    def records(self, first: int, limit: int) -> list[LogRecord]:
        """Return committed acts from log index `first`."""

    async def changed(self, size: int) -> int:
        """Wait until more than `size` leaves are committed; return how many."""


class FollowerStopped(Exception):
    """The follower stopped before the ledger was where somebody waited for it."""


class LedgerAhead(Exception):
    """The ledger knows acts that the vault does not: it followed another log."""


class LedgerFollower:
    """Reads the vault's log and lets the ledger take it in.

    Whatever goes wrong, here or in the ledger, is logged and tried again after a
    pause; the vault never waits for the ledger and never hears of it. Create it
    inside the event loop that runs it.

    Args:
        vault: Its log is followed.
        ledger: Takes the acts in.
        records_max: Most acts per transaction.
        gather_s: How long acts are gathered while nobody waits for them, seconds.
        back_off_s: First and longest pause after a failure, seconds.
    """

    def __init__(
        self,
        vault: FollowedLog,
        ledger: Ledger,
        *,
        records_max: int = RECORDS_MAX,
        gather_s: float = GATHER_S,
        back_off_s: tuple[float, float] = BACK_OFF_S,
    ) -> None:
        self._vault = vault
        self._ledger = ledger
        self._records_max = records_max
        self._gather_s = gather_s
        self._back_off_s = back_off_s
        self._next = 0
        self._wanted = 0
        self._is_certain = False
        self._hurried = asyncio.Event()
        self._moved = asyncio.Condition()
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Follow until `stop` is called; a daemon's task."""
        pause_s, longest_s = self._back_off_s
        try:
            while not self._stopped.is_set():
                try:
                    await self._step()
                    pause_s = self._back_off_s[0]
                except Exception:  # noqa: BLE001 - see the class: nothing ends the loop
                    self._is_certain = False
                    _LOG.exception(
                        "the ledger is behind; next attempt in %.1f s", pause_s
                    )
                    await self._stopped_within(pause_s)
                    pause_s = min(pause_s * 2, longest_s)
        finally:
            self._stopped.set()
            await self._tell()

    async def caught_up(self, size: int) -> None:
        """Wait until the ledger has taken in the first `size` leaves.

        Raises:
            FollowerStopped: It stopped before that.
        """
        self._wanted = max(self._wanted, size)
        self._hurried.set()
        async with self._moved:
            await self._moved.wait_for(
                lambda: self._next >= size or self._stopped.is_set()
            )
        if self._next < size:
            msg = f"the ledger is at leaf {self._next}, not at {size}"
            raise FollowerStopped(msg)

    def stop(self) -> None:
        """Let `run` end after the transaction that it is in."""
        self._stopped.set()
        self._hurried.set()

    async def _step(self) -> None:
        if not self._is_certain:
            # After every failure too: a ledger that was made anew meanwhile, and
            # wants another act than we bring, refuses it.
            await self._moved_to(await self._ledger.next_index())
            self._is_certain = True
        first, size = self._next, self._vault.size()
        if first > size:
            msg = (
                f"the ledger is at leaf {first} of a log of {size} leaves; "
                "run `counterfoil ledger rebuild`"
            )
            raise LedgerAhead(msg)
        await self._gather(first)
        records = await self._read(first)
        if records:
            await self._ledger.follow(records)
            await self._moved_to(first + len(records))

    async def _gather(self, first: int) -> None:
        """Let acts come together: enough for a transaction, or somebody waits."""
        await self._changed(first)
        if self._wanted <= first:
            await self._changed(first + self._records_max - 1, self._gather_s)

    async def _changed(self, size: int, within_s: float | None = None) -> None:
        """Wait until more than `size` leaves are committed, in time or in a hurry."""
        if self._stopped.is_set():
            return
        self._hurried.clear()
        more = asyncio.ensure_future(self._vault.changed(size))
        hurried = asyncio.ensure_future(self._hurried.wait())
        try:
            await asyncio.wait(
                {more, hurried},
                timeout=within_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if more.done():
                more.result()
        finally:
            more.cancel()
            hurried.cancel()

    async def _read(self, first: int) -> list[LogRecord]:
        """Return the acts of a transaction; others have their turn in between."""
        # What is committed and not told yet waits: else the ledger would be ahead.
        end = min(self._vault.size(), first + self._records_max)
        records: list[LogRecord] = []
        for start in range(first, end, READ_MAX):
            records += self._vault.records(start, min(READ_MAX, end - start))
            await asyncio.sleep(0)
        return records

    async def _stopped_within(self, pause_s: float) -> None:
        try:
            await asyncio.wait_for(self._stopped.wait(), pause_s)
        except TimeoutError:
            return

    async def _moved_to(self, index: int) -> None:
        self._next = index
        await self._tell()

    async def _tell(self) -> None:
        async with self._moved:
            self._moved.notify_all()
