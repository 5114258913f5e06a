"""Lanes: what is sent waits here until the peer proves that it has it.

One lane per peer, so a dead bank never delays a live one. A lane connects, sends
batches within a window, and records the peer's proofs; what the peer cannot take
now is set aside and tried again while the lane goes on. When the line fails, the
lane backs off, and what was under way is sent again, byte for byte.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol, TypeAlias

from counterfoil.app.deliver import RecordDelivery
from counterfoil.app.earlier_proofs import shown_earlier
from counterfoil.app.peer_answers import GrowthProof, PeerResponse
from counterfoil.app.ports import Clock, LaneItem, Vault
from counterfoil.app.witness_peer import WitnessPeer
from counterfoil.daemon.lane_loading import Loading
from counterfoil.domain.deeds import Committed
from counterfoil.domain.refusals import (
    CounterfoilError,
    PeerUnreachable,
    Unavailable,
    VaultCorrupt,
)
from counterfoil.domain.witnessing import ShownProof
from counterfoil.peer.link import PeerAddress
from counterfoil.rpc.views import LaneView
from counterfoil.rpc.windows import answered_in_order
from counterfoil.wire.certificates import KeptCertificates

log = logging.getLogger("counterfoil.lanes")

_START = -1  # before the first sequence of a lane

DEFECT = "INTERNAL"
"""Why a lane waits that met a defect of ours; see `registry.v1.Peer.last_reason`."""

Answered: TypeAlias = tuple[list[LaneItem], PeerResponse]
"""A batch and what the peer answered to it."""


class Condition(Enum):
    """Whether a lane carries documents; values as in `registry.v1.LaneCondition`."""

    OPEN = 1
    BACKING_OFF = 2
    STOPPED = 3


class Stream(Protocol):
    """Batches out, answers in, in the same order; see `peer.link.DeliveryStream`."""

    async def send(
        self,
        documents: Sequence[bytes],
        certificates: Sequence[bytes],
        answers: Sequence[bytes],
        earlier: Sequence[ShownProof],
    ) -> None:
        """Send one batch."""

    async def answer(self) -> PeerResponse:
        """Return the answer to the oldest batch that has none."""

    async def growth(self, older: int) -> GrowthProof:
        """Ask for the proof that the peer's log has only grown since a size."""

    def cancel(self) -> None:
        """End the stream at once."""


class Link(Protocol):
    """The connection to a peer, or to ourselves; see `peer.link.PeerLink`."""

    address: str
    """The one in use; empty if none is."""

    @property
    def peer(self) -> PeerAddress:
        """Where it leads."""

    async def open(self) -> Stream:
        """Open a stream."""

    async def close(self) -> None:
        """Close the connection; idempotent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneLimits:
    """What a lane may do at a time.

    Attributes:
        documents_max: Most documents in a batch.
        bytes_max: Most bytes in a batch of several documents.
        extras_bytes_max: Most bytes of what goes with a batch, so that both are one
            message: certificates, answers about them, and proofs.
        window_batches: Most batches without an answer.
        retry_s_min: First wait after a failure.
        retry_s_max: Longest wait.
        call_s_max: Longest wait for an answer.
    """

    documents_max: int
    bytes_max: int
    extras_bytes_max: int
    window_batches: int
    retry_s_min: float
    retry_s_max: float
    call_s_max: float


@dataclass(slots=True, kw_only=True)
class Lane:
    """The way to one peer.

    Attributes:
        vault: Where the documents wait.
        link: The connection.
        record: Checks the peer's proofs and puts them on record.
        certificates: Finds the certificates that seals name.
        clock: Our clock.
        limits: What the lane may do at a time.
        witness: Notes heads of the peer's log in ours; None if nobody does.
        condition: Whether it carries documents.
        last_reason: Why the last try failed; empty if it did not.
        last_arrival_us: When the peer last proved an arrival; 0 if it never did.
    """

    vault: Vault
    link: Link
    record: RecordDelivery
    certificates: KeptCertificates
    clock: Clock
    limits: LaneLimits
    witness: WitnessPeer | None = None
    condition: Condition = Condition.BACKING_OFF
    last_reason: str = ""
    last_arrival_us: int = 0
    _under_way: asyncio.Queue[list[LaneItem]] = field(default_factory=asyncio.Queue)
    _unanswered: int = 0
    _window: asyncio.Semaphore = field(init=False)
    _set_aside: int = 0
    _earlier: dict[int, int] = field(default_factory=dict)
    """By sequence, the size of our log by which the peer wants a document shown."""
    _progressed: bool = False

    def view(self) -> LaneView:
        """Return what the registry service shows of this lane."""
        return LaneView(
            party=self.link.peer.party,
            addresses=self.link.peer.addresses,
            condition=self.condition.value,
            address=self.link.address,
            set_aside=self._set_aside,
            last_reason=self.last_reason,
            last_arrival_us=self.last_arrival_us,
        )

    async def run(self) -> None:
        """Carry documents until cancelled; never ends by itself."""
        wait_s = self.limits.retry_s_min
        while True:
            try:
                await self._carry(self._connected)
            except CounterfoilError as failure:
                self._back_off(failure.reason)
                log.warning(
                    "lane waits",
                    extra={
                        "peer": self.link.peer.party,
                        "reason": failure.reason,
                        "detail": str(failure),
                        "wait_s": wait_s,
                    },
                )
            except Exception:
                # A lane that ended would hold up all that waits until a restart.
                self._back_off(DEFECT)
                log.exception(
                    "defect", extra={"peer": self.link.peer.party, "wait_s": wait_s}
                )
            finally:
                await self.link.close()
            progressed, self._progressed = self._progressed, False
            wait_s = (
                self.limits.retry_s_min
                if progressed
                else min(wait_s * 2, self.limits.retry_s_max)
            )
            await asyncio.sleep(wait_s)

    def _back_off(self, reason: str) -> None:
        self.condition, self.last_reason = Condition.BACKING_OFF, reason

    def _connected(self) -> None:
        self.condition = Condition.OPEN
        self.last_reason = ""

    async def _carry(self, connected: Callable[[], None]) -> None:
        """Connect, and send and record until something fails.

        Raises:
            CounterfoilError: The line or the peer's proof failed, or the vault.
        """
        stream = await self.link.open()
        await self.record.watch(stream.growth)
        connected()
        self._under_way, self._unanswered = asyncio.Queue(), 0
        self._window = asyncio.Semaphore(self.limits.window_batches)
        sender = asyncio.create_task(self._send(stream))
        recorder = asyncio.create_task(self._record(stream))
        tasks = [sender, recorder]
        if self.witness is not None:
            witnessing = self._go_on_witnessing(stream, self.witness)
            tasks.append(asyncio.create_task(witnessing))
        try:
            await _first_failure(*tasks)
        finally:
            stream.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, stream: Stream) -> None:
        """Send what waits, behind what is under way, within the window."""
        loading = Loading(
            certificates=self.certificates, bytes_max=self.limits.extras_bytes_max
        )
        after = _START
        while True:
            await self._window.acquire()
            size = self.vault.size()
            batch, behind = self._next_batch(after)
            if not batch:
                self._window.release()
                after = await self._wait(size, behind)
                continue
            load = loading.load(batch, self._earlier)
            after = load.batch[-1].sequence
            self._under_way.put_nowait(load.batch)
            self._unanswered += 1
            earlier = self._show(load.batch) if self._earlier else ()
            documents = [item.sealed for item in load.batch]
            await stream.send(documents, load.certificates, load.answers, earlier)

    def _show(self, batch: Sequence[LaneItem]) -> list[ShownProof]:
        """Return what shows when documents entered, where the peer asked for it."""
        due = [at for at, item in enumerate(batch) if item.sequence in self._earlier]
        return [
            shown_earlier(
                self.vault,
                batch[at],
                # Asked again if it does not come there.
                size=self._earlier.pop(batch[at].sequence),
                document=at,
                place=place,
            )
            for place, at in enumerate(due)
        ]

    async def _go_on_witnessing(self, stream: Stream, witness: WitnessPeer) -> None:
        """Witness a head of the peer's log now and then; soon again if that fails.

        Raises:
            PeerForked: Its log does not go on from what it signed.
        """
        wait_s = witness.due_in_s(self.clock.now_us())
        while True:
            await asyncio.sleep(wait_s)
            wait_s = witness.every_s
            try:
                await witness(stream.growth, now_us=self.clock.now_us())
            except (Unavailable, VaultCorrupt) as failure:
                # The lane has its own ways to find out, and must not stop for this.
                wait_s = min(wait_s, self.limits.retry_s_max)
                log.warning(
                    "no head was witnessed",
                    extra={
                        "peer": self.link.peer.party,
                        "reason": failure.reason,
                        "detail": str(failure),
                    },
                )

    def _next_batch(self, after: int) -> tuple[list[LaneItem], int]:
        """Return the next batch, and the last sequence that was looked at.

        Documents set aside until later are passed over.
        """
        now_us = self.clock.now_us()
        carrier = self.record.carrier
        page = self.vault.lane(carrier, after=after, limit=self.limits.documents_max)
        batch: list[LaneItem] = []
        bytes_left = self.limits.bytes_max
        for item in page:
            if item.not_before_us > now_us:
                after = item.sequence
                continue
            bytes_left -= len(item.sealed)
            if bytes_left < 0 and batch:
                break
            batch.append(item)
        return batch, page[-1].sequence if page and not batch else after

    async def _wait(self, size: int, after: int) -> int:
        """Wait for something to send; return the sequence to look behind.

        What was set aside is looked at again, from the start of the lane, once
        nothing is under way and its time may have come.
        """
        try:
            async with asyncio.timeout(self.limits.retry_s_min):
                await self.vault.changed(size)
        except TimeoutError:
            if not self._unanswered:
                return _START
        return after

    async def _record(self, stream: Stream) -> None:
        """Record the answers, in the order of the batches.

        Each proof is checked before the answer behind it is looked at; several may
        wait for one commit.
        """
        recorded = answered_in_order(
            self._answers(stream), self._begin, window=self.limits.window_batches
        )
        async with aclosing(recorded):
            async for committed in recorded:
                self._unanswered -= 1
                self._progressed = True
                self.last_arrival_us = committed.time_us

    def _begin(self, answered: Answered) -> Coroutine[Any, Any, Committed]:
        """Check an answer, and return the work of recording it."""
        batch, response = answered
        deeds = self.record.check(batch, response, now_us=self.clock.now_us())
        self._set_aside = sum(1 for outcome in response.outcomes if outcome.retryable)
        for item, outcome in zip(batch, response.outcomes, strict=True):
            if outcome.reason:
                self.last_reason = outcome.reason
            if outcome.earlier_size:
                self._earlier[item.sequence] = outcome.earlier_size
        return self.record.record(deeds)

    async def _answers(self, stream: Stream) -> AsyncIterator[Answered]:
        """Yield each batch with its answer."""
        while True:
            batch = await self._under_way.get()
            response = await self._answer(stream)
            self._window.release()
            yield batch, response

    async def _answer(self, stream: Stream) -> PeerResponse:
        """Return the answer that is due.

        Raises:
            PeerUnreachable: It does not come in time, or the stream broke.
        """
        try:
            async with asyncio.timeout(self.limits.call_s_max):
                return await stream.answer()
        except TimeoutError as error:
            raise PeerUnreachable(
                f"no answer within {self.limits.call_s_max} s",
                peer=self.link.peer.party,
            ) from error


async def _first_failure(*tasks: asyncio.Task[None]) -> None:
    """Wait until one of `tasks` fails, and raise what it raised."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in done:
        await _result(task)


async def _result(task: Awaitable[None]) -> None:
    await task
