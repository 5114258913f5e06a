"""A lane between two houses, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from counterfoil.app.peer_answers import GrowthProof, PeerResponse
from counterfoil.app.ports import Vault
from counterfoil.app.witness_peer import WitnessPeer
from counterfoil.daemon.lanes import DEFECT, Condition, Lane, LaneLimits
from counterfoil.domain.deeds import Committed, Deed, Deliver
from counterfoil.domain.refusals import VaultFull
from counterfoil.domain.standing import Role, Standing
from counterfoil.domain.witnessing import ShownProof
from counterfoil.peer.link import PeerAddress
from counterfoil.wire.certificates import ShownCertificates
from tests.doubles import SetClock
from tests.unit.app.house import House, delivered, response_of
from tests.unit.app.papers import BANK, direct_payment
from tests.unit.app.test_late import until, witness


@dataclass
class Line:
    """The connection from one house to another, and the stream on it."""

    sender: House
    recipient: House
    answers: asyncio.Queue[PeerResponse] = field(default_factory=asyncio.Queue)
    shown: ShownCertificates = field(default_factory=ShownCertificates)
    address: str = ""

    @property
    def peer(self) -> PeerAddress:
        return PeerAddress(party=self.recipient.party, addresses=(), server_name="")

    async def open(self) -> Line:
        return self

    async def close(self) -> None:
        pass

    async def send(
        self,
        documents: Sequence[bytes],
        certificates: Sequence[bytes],
        answers: Sequence[bytes],
        earlier: Sequence[ShownProof],
    ) -> None:
        committed = await self.recipient.receive(
            documents,
            self.shown.add(certificates),
            carrier=self.sender.party,
            answers=answers,
            shown={one.document: one for one in earlier},
        )
        answer = response_of(committed, self.sender, self.recipient)
        self.answers.put_nowait(answer)

    async def answer(self) -> PeerResponse:
        return await self.answers.get()

    async def growth(self, older: int) -> GrowthProof:
        proof = self.recipient.prove.consistency(older, size=0)
        return GrowthProof(
            hashes=proof.hashes,
            checkpoint=proof.checkpoint,
            settled_size=proof.settled_size,
        )

    def cancel(self) -> None:
        pass


@dataclass
class CommitsTogether:
    """A vault in which commits of answers wait until there are as many as expected.

    Attributes:
        vault: What commits them.
        expected: How many wait for each other.
        waiting: How many do.
        all_there: Whether none has to wait any more.
    """

    vault: Vault
    expected: int
    waiting: int = 0
    all_there: asyncio.Event = field(default_factory=asyncio.Event)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- all that a vault has
        return getattr(self.vault, name)

    async def perform(self, deeds: Sequence[Deed]) -> list[Committed]:
        if any(isinstance(deed, Deliver) for deed in deeds):
            self.waiting += 1
            if self.waiting == self.expected:
                self.all_there.set()
            await self.all_there.wait()
        return await self.vault.perform(deeds)


async def test_a_lane_takes_the_next_answer_while_one_waits_for_its_commit(
    finance: House, bank: House
) -> None:
    rows = [await finance.sent(direct_payment(number)) for number in "123"]
    vault: Any = CommitsTogether(finance.vault, expected=len(rows))
    lane = Lane(
        vault=vault,
        link=Line(finance, bank),
        record=replace(finance.record(BANK), vault=vault),
        certificates=finance.certificates,
        clock=finance.clock,
        limits=LaneLimits(
            documents_max=1,
            bytes_max=1_000_000,
            extras_bytes_max=1_000_000,
            window_batches=len(rows),
            retry_s_min=0.01,
            retry_s_max=0.01,
            call_s_max=5,
        ),
    )

    running = asyncio.create_task(lane.run())
    async with asyncio.timeout(20):
        await vault.all_there.wait()
        while finance.vault.lane_lengths():  # noqa: ASYNC110 -- tells nobody
            await asyncio.sleep(0.001)
    running.cancel()

    for row in rows:
        entry = finance.vault.entry(row.key, Role.ISSUER)
        assert entry is not None
        assert entry.passages[0].standing is Standing.ARRIVED


def lane_to(bank: House, finance: House, witness: WitnessPeer | None = None) -> Lane:
    return Lane(
        vault=finance.vault,
        link=Line(finance, bank),
        record=finance.record(BANK),
        certificates=finance.certificates,
        clock=Running(finance.clock),
        limits=LaneLimits(
            documents_max=9,
            bytes_max=1_000_000,
            extras_bytes_max=1_000_000,
            window_batches=2,
            retry_s_min=0.01,
            retry_s_max=0.01,
            call_s_max=5,
        ),
        witness=witness,
    )


@dataclass
class Running:
    """A clock that a test sets and that runs: what was set aside becomes due."""

    clock: SetClock

    def now_us(self) -> int:
        self.clock.us += 1_000_000
        return self.clock.us


async def test_a_lane_shows_what_the_peer_asks_for(finance: House, bank: House) -> None:
    rows = [await finance.sent(direct_payment(number)) for number in "12"]
    assert await witness(bank, finance)
    rows.append(await finance.sent(direct_payment("3")))
    until(bank, 400)
    lane = lane_to(bank, finance)

    running = asyncio.create_task(lane.run())
    async with asyncio.timeout(20):
        while finance.vault.lane_lengths():  # noqa: ASYNC110 -- tells nobody
            await asyncio.sleep(0.001)
    running.cancel()

    stand = [finance.standing(row.key) for row in rows]
    assert stand == [Standing.ARRIVED, Standing.ARRIVED, Standing.REFUSED]
    assert lane.last_reason == "EARLIER_PROOF_REFUSED"
    assert lane._earlier == {}


async def test_a_lane_witnesses_heads_of_its_peer_meanwhile(
    finance: House, bank: House
) -> None:
    first = await finance.sent(direct_payment("1"))
    witnessing = WitnessPeer(
        vault=finance.vault,
        record=finance.record(BANK),
        every_s=0.01,
        since_us=finance.clock.us,
    )
    lane = lane_to(bank, finance, witnessing)

    running = asyncio.create_task(lane.run())
    async with asyncio.timeout(20):
        while (  # noqa: ASYNC110 -- tells nobody
            head := finance.vault.witnessed(BANK, 2**62)
        ) is None or head.size < bank.vault.size():
            await asyncio.sleep(0.001)
    running.cancel()

    assert finance.standing(first.key) is Standing.ARRIVED
    assert head.size == bank.vault.size() == 1


async def test_a_head_that_cannot_be_witnessed_does_not_stop_a_lane(
    finance: House, bank: House, caplog: pytest.LogCaptureFixture
) -> None:
    async def full(deeds: Sequence[Deed]) -> list[Committed]:
        raise VaultFull("no room")

    await finance.sent(direct_payment("1"))
    await delivered(finance, bank)
    lane = lane_to(bank, finance)
    vault: Any = CommitsTogether(finance.vault, expected=1)
    vault.perform = full
    lane.witness = WitnessPeer(
        vault=vault, record=finance.record(BANK), every_s=0.01, since_us=0
    )

    running = asyncio.create_task(lane.run())
    async with asyncio.timeout(20):
        while len(caplog.records) < 2:  # noqa: ASYNC110 -- tells nobody
            await asyncio.sleep(0.001)
    running.cancel()

    assert {one.message for one in caplog.records} == {"no head was witnessed"}
    assert lane.condition is Condition.OPEN


async def test_a_head_that_could_not_be_witnessed_is_witnessed_soon_after(
    finance: House, bank: House
) -> None:
    perform, asked = finance.vault.perform, 0

    async def full_at_first(deeds: Sequence[Deed]) -> list[Committed]:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise VaultFull("no room")
        return await perform(deeds)

    await finance.sent(direct_payment("1"))
    await delivered(finance, bank)
    lane = lane_to(bank, finance)
    vault: Any = CommitsTogether(finance.vault, expected=1)
    vault.perform = full_at_first
    hour_s = 3_600.0
    lane.witness = WitnessPeer(
        vault=vault, record=finance.record(BANK), every_s=hour_s, since_us=0
    )

    running = asyncio.create_task(lane.run())
    async with asyncio.timeout(20):
        while finance.vault.witnessed(BANK, 2**62) is None:  # noqa: ASYNC110 -- tells nobody
            await asyncio.sleep(0.001)
    running.cancel()

    assert asked == 2


async def test_a_defect_does_not_end_a_lane(
    finance: House, bank: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await finance.sent(direct_payment("1"))
    lane = lane_to(bank, finance)
    link, reasons = lane.link, []

    async def broken() -> Line:
        reasons.append(lane.last_reason)
        if len(reasons) == 1:
            raise ZeroDivisionError("a defect")
        return cast("Line", link)

    monkeypatch.setattr(link, "open", broken)
    running = asyncio.create_task(lane.run())
    async with asyncio.timeout(20):
        while finance.vault.lane_lengths():  # noqa: ASYNC110 -- tells nobody
            await asyncio.sleep(0.001)
    running.cancel()

    assert reasons == ["", DEFECT]
    assert finance.standing(row.key) is Standing.ARRIVED
