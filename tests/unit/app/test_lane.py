"""A lane between two houses, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from counterfoil.app.peer_answers import GrowthProof, PeerResponse
from counterfoil.app.ports import Vault
from counterfoil.daemon.lanes import Lane, LaneLimits
from counterfoil.domain.deeds import Committed, Deed, Deliver
from counterfoil.domain.standing import Role, Standing
from counterfoil.peer.link import PeerAddress
from tests.unit.app.house import House, response_of
from tests.unit.app.papers import BANK, direct_payment


@dataclass
class Line:
    """The connection from one house to another, and the stream on it."""

    sender: House
    recipient: House
    answers: asyncio.Queue[PeerResponse] = field(default_factory=asyncio.Queue)
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
    ) -> None:
        committed = await self.recipient.receive(
            documents, certificates, carrier=self.sender.party, answers=answers
        )
        answer = response_of(committed, self.sender, self.recipient)
        self.answers.put_nowait(answer)

    async def answer(self) -> PeerResponse:
        return await self.answers.get()

    async def growth(self, older: int) -> GrowthProof:
        raise AssertionError(f"no head was seen, and none of {older} leaves")

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
