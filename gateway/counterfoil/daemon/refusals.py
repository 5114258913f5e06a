"""The record of refused calls of a running gateway: written before the answer leaves.

The first refusal of a caller by a method and for a reason is on disk before it is
answered. The same again within the next seconds is counted, and the sum is written at
their end; so a flood costs a few lines, and a killed process loses counts of seconds,
never that somebody was refused. Writing has a thread of its own; the business of others
waits for none of it.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final, ParamSpec, TypeVar

from counterfoil.daemon.alerts import AlertCode, Alerts
from counterfoil.daemon.refusal_counts import RefusalCounts
from counterfoil.daemon.refusal_opening import OpenedRecord, remember, set_aside
from counterfoil.daemon.watch_sections import RefusalsSection
from counterfoil.domain.audit import RecordEnd, RefusedCall
from counterfoil.domain.refusal_rows import RefusalKey
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.vault.heads import HeadStore
from counterfoil.vault.refusal_chain import End, Entry
from counterfoil.vault.refusal_file import RefusalFile, put_in_place, write_successor
from counterfoil.vault.refusal_state import (
    Bound,
    Break,
    binding_entry,
    bound_entry,
    broken_entry,
    refused_entries,
    told_entry,
)

log = logging.getLogger("counterfoil.daemon")

P = ParamSpec("P")
T = TypeVar("T")

WATCH: Final = "refusals"
"""Its name among the watches of `counterfoil status`, and what its alerts are about."""

_APART_S: Final = 0.02
"""Least time between two writings, so that a flood does not keep the disk busy."""


@dataclass(slots=True, kw_only=True)
class RefusalRecord:
    """The record of one gateway; owned by the event loop.

    Attributes:
        opened: The record as it was opened; changed.
        heads: Remembers how far it went.
        origin: Under which name.
        settings: Its bounds.
        alerts: Where it tells what is wrong with it.
        now_us: Our clock.
        bind: Binds an end into the log, after the end bound before; returns the leaf.
        size: Returns how many leaves the log has.
    """

    opened: OpenedRecord
    heads: HeadStore
    origin: str
    settings: RefusalsSection
    alerts: Alerts
    now_us: Callable[[], int]
    bind: Callable[[bytes, bytes], Awaitable[int]]
    size: Callable[[], int]
    _file: RefusalFile = field(init=False)
    _counts: RefusalCounts = field(init=False)
    _next: asyncio.Future[None] | None = None
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _seen: deque[tuple[int, bytes, bool]] = field(default_factory=deque)
    _successor: tuple[End, int] | None = None
    _bound_at: float = -math.inf
    _looked_at: float = -math.inf
    _noted: int = 0
    _told: list[Break] = field(default_factory=list)
    _thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, "refusals")
    )

    def __post_init__(self) -> None:
        self._file = self.opened.file
        self._counts = RefusalCounts(now_us=self.now_us)
        if self.opened.state.is_bound:
            self._bound_at = time.monotonic()

    # --- what is told ------------------------------------------------------------

    def refusals(self) -> list[RefusedCall]:
        """Return the refused calls, the row that is youngest first."""
        rows = self.opened.state.rows.copy()
        rows.add_all(self._counts.unwritten())
        return sorted(rows, key=lambda call: call.place, reverse=True)

    def end(self) -> RecordEnd:
        """Return how far the record goes, and where it was found broken."""
        state = self.opened.state
        return RecordEnd(
            entries=self._file.end.entries,
            digest=self._file.end.digest,
            bound_leaf=None if state.bound is None else state.bound.leaf,
            broken_us=tuple(one.time_us for one in state.breaks),
        )

    def told(self) -> None:
        """Take note that the security officer was told of all that was found."""
        self._told = self.opened.state.untold()

    def saw_binding(self, leaf: int, end: bytes, goes_on: bool) -> None:  # noqa: FBT001
        """Take note of a leaf of the log that names an end; on any thread."""
        self._seen.append((leaf, end, goes_on))

    # --- what is recorded --------------------------------------------------------

    async def refused(
        self, identity: str, certificate: bytes, method: str, reason: str
    ) -> None:
        """Record that a call was refused; return once that is on disk.

        The same again within `summary_s` seconds is counted, and returns at once. If
        the disk does not take it, that is an alert, and it is counted all the same.
        """
        key = self._counts.count(identity, certificate, method, reason)
        if self._counts.is_written(key):
            return
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
            self._wake.set()
        self._counts.want(key)
        await asyncio.shield(self._next)

    async def run(self) -> None:
        """Write what is to be written until cancelled; never ends by itself."""
        for one in self.opened.state.untold():
            self.alerts.open(AlertCode.REFUSALS_ALTERED, WATCH, one.detail)
        while True:
            due_at = time.monotonic() + self.settings.summary_s
            await self._sum_up()
            while (left_s := due_at - time.monotonic()) > 0:
                await self._write_prompt()
                await asyncio.sleep(min(_APART_S, left_s))
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(_loop_time(due_at)):
                        await self._wake.wait()

    async def close(self) -> None:
        """Write what was counted, and close the file."""
        await self._write(self._counts.all_keys())
        await self._in_thread(self._note)
        self._thread.shutdown()
        self._file.close()

    async def _write_prompt(self) -> None:
        """Write what somebody waits for."""
        self._wake.clear()
        waiting, self._next = self._next, None
        if waiting is None:
            return
        try:
            await self._write(self._counts.wanted())
        finally:
            waiting.set_result(None)

    async def _sum_up(self) -> None:
        """Write all that was counted, look at file and log, and bind if it is time."""
        try:
            await self._write(self._counts.all_keys())
            self._counts.begin_interval()
            await self._look_at_file()
            await self._look_at_log()
            await self._note_told()
            await self._bind()
            await self._in_thread(self._note)
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is told
            self._unrecorded(error)

    async def _note_told(self) -> None:
        """Close the alert if the officer was told of all that is open."""
        told, self._told = self._told, []
        # What was found since is told by the next answer.
        is_all = told and told == self.opened.state.untold()
        if is_all and await self._append([told_entry(self.now_us())]):
            self.alerts.close(AlertCode.REFUSALS_ALTERED, WATCH)

    async def _write(self, keys: Iterable[RefusalKey]) -> None:
        """Write what was counted under some keys; it stays counted if that fails."""
        taken = self._counts.take(keys)
        is_written = not taken or await self._append(refused_entries(taken))
        self._counts.settle(is_written=is_written)

    async def _append(self, entries: Sequence[Entry]) -> bool:
        """Append entries; tell whether they are on disk."""
        try:
            if self._successor is not None:
                await self._exchange()
            digests = await self._in_thread(self._file.append, entries)
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is told
            self._unrecorded(error)
            return False
        self.opened.digests.update(digests)
        for entry in entries:
            self.opened.state.take(entry)
        self.alerts.close(AlertCode.REFUSALS_UNRECORDED, WATCH)
        if self._file.size > self.settings.file_bytes_max // 2:
            try:
                await self._exchange()
            except Exception as error:  # noqa: BLE001 -- tried again by the next one
                self._unrecorded(error)
        return True

    def _unrecorded(self, error: Exception) -> None:
        about = type(error).__name__
        if self.alerts.open(AlertCode.REFUSALS_UNRECORDED, WATCH, about):
            log.error("refused calls are not recorded", exc_info=error)

    # --- the file ----------------------------------------------------------------

    async def _exchange(self) -> None:
        """Exchange the file for one that begins with what this one says."""
        start, summary = self._file.end, self.opened.state.summary()
        await self._in_thread(self._exchange_now, start, summary)
        self.opened.digests.clear()
        self.opened.digests.update({start.digest, self._file.end.digest})
        # Until a leaf names it, only the head store knows what it sums up.
        self.opened.state.is_bound = False
        self._bound_at = -math.inf

    def _exchange_now(self, start: End, summary: Entry) -> None:
        path = self._file.path
        if self._successor is None:
            self._successor = write_successor(path, start, summary)
        end, size = self._successor
        # First: what a successor sums up must be known before it counts.
        remember(self.heads, self.origin, end)
        put_in_place(path)
        self._file.close()
        self._file = RefusalFile(path, end, size)
        self._successor = None

    async def _look_at_file(self) -> None:
        """Find out whether somebody removed or changed the file under us."""
        is_fine = await self._in_thread(self._file.is_there)
        if is_fine and time.monotonic() - self._looked_at >= self.settings.bind_s:
            is_fine = await self._in_thread(self._file.is_whole)
            self._looked_at = time.monotonic()
        if not is_fine:
            await self._in_thread(set_aside, self._file.path)
            await self._exchange()
            told = "it was removed or changed while the gateway ran (运行中记录被改动)"
            await self._tell_broken(told)

    async def _look_at_log(self) -> None:
        """Find out whether the log names ends that this record never had."""
        # Taken one by one: the scrub may add to them meanwhile, on its thread.
        while self._seen:
            leaf, end, goes_on = self._seen.popleft()
            state, known = self.opened.state, self.opened.digests
            is_last = state.bound is None or leaf > state.bound.leaf
            if leaf in state.excused:
                continue
            if not goes_on:
                told = f"leaf {leaf} of the log does not go on from the end before it"
            elif is_last and end not in known:
                told = f"leaf {leaf} of the log names an end that it never had"
            else:
                continue
            found = Bound(leaf, End(0, end))
            await self._tell_broken(f"{told} (记录与日志不符)", found)

    async def _tell_broken(self, detail: str, found: Bound | None = None) -> None:
        """Record that the record is not what was written, and open the alert."""
        await self._append([broken_entry(self.now_us(), detail, found)])
        self._bound_at = -math.inf
        self.alerts.open(AlertCode.REFUSALS_ALTERED, WATCH, detail)

    async def _bind(self) -> None:
        """Bind the record's end into the log, if it is time and there is something."""
        state, end = self.opened.state, self._file.end
        is_early = time.monotonic() - self._bound_at < self.settings.bind_s
        if state.is_bound or is_early:
            return
        before = bytes(32) if state.bound is None else state.bound.end.digest
        # Whoever is killed before the leaf is known looks for it at the next start.
        if not await self._append([binding_entry(Bound(self.size(), end))]):
            return
        try:
            leaf = await self.bind(end.digest, before)
        except CounterfoilError as refusal:
            # The vault has said why it does not write; the next interval tries again.
            log.debug("record not bound", extra={"reason": refusal.reason})
            return
        if await self._append([bound_entry(Bound(leaf, end))]):
            self._bound_at = time.monotonic()
        else:
            # The log has it, so the next one goes on from it.
            state.bound = Bound(leaf, end)

    def _note(self) -> None:
        """Remember how far the record went, and what `counterfoil status` shows."""
        end, bound = self._file.end, self.opened.state.bound
        remember(self.heads, self.origin, end)
        noted: dict[str, object] = {"entries": end.entries}
        if bound is not None:
            noted["bound_leaf"] = bound.leaf
        untold = len(self.opened.state.untold())
        is_same = self.alerts.watch(WATCH) == noted and untold == self._noted
        if not is_same:
            self.alerts.note(WATCH, noted)
            try:
                self.alerts.save()
            except OSError as error:
                log.warning("notes of watches not kept", extra={"detail": str(error)})
            self._noted = untold

    async def _in_thread(
        self, work: Callable[P, T], *args: P.args, **kw: P.kwargs
    ) -> T:
        """Do work in our own thread; it ends also if who waits is cancelled."""
        loop = asyncio.get_running_loop()
        done = loop.run_in_executor(self._thread, partial(work, *args, **kw))
        return await asyncio.shield(done)


def hinted_leaf(alerts: Alerts) -> int | None:
    """Return the leaf that named the record's end last, as a watch noted it."""
    noted = alerts.watch(WATCH).get("bound_leaf")
    return noted if isinstance(noted, int) else None


def _loop_time(due_at: float) -> float:
    """Return an instant of the monotonic clock as the event loop counts it."""
    return asyncio.get_running_loop().time() + due_at - time.monotonic()
