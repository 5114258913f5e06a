"""An inquiry shows since when the log has held each act, as far as that is proved."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from counterfoil.app.inquire import InquireVoucher
from counterfoil.app.prove import size_of
from counterfoil.app.time_stamps import StampedHead
from counterfoil.domain.standing import Act
from counterfoil.tlog.checkpoint import parse_checkpoint
from counterfoil.tlog.merkle import leaf_hash
from counterfoil.tlog.note import parse_note
from counterfoil.tlog.verification import verify_inclusion
from tests.unit.app.house import House, delivered
from tests.unit.app.papers import direct_payment

LONGER = f"420000-011/log\n1000\n{'A' * 43}=\n\n— 420000-011/log AAAAAAA=\n".encode()


@dataclass
class Stamped:
    """Stamped heads in memory."""

    heads: list[StampedHead] = field(default_factory=list)

    def stamp(self, house: House, time_us: int) -> None:
        self.take(house.vault.checkpoint(), time_us)

    def take(self, checkpoint: bytes, time_us: int) -> None:
        self.heads.append(
            StampedHead(
                size=size_of(checkpoint),
                checkpoint=checkpoint,
                response=b"token",
                time_us=time_us,
                accuracy_us=None,
            )
        )

    async def covering(self, indices: Iterable[int]) -> dict[int, StampedHead]:
        found = {}
        for index in indices:
            above = [one for one in self.heads if index < one.size]
            if above:
                found[index] = min(above, key=lambda one: one.size)
        return found


def inquiring(house: House, stamped: Stamped) -> InquireVoucher:
    return InquireVoucher(
        vault=house.vault,
        ledger=house.ledger,
        follower=house.follower,
        time_stamps=stamped,
    )


async def test_each_act_is_shown_with_its_earliest_time_stamp(
    finance: House, bank: House
) -> None:
    stamped = Stamped()
    row = await finance.sent(direct_payment())
    stamped.stamp(finance, 1)
    await finance.sent(direct_payment("2"))
    stamped.stamp(finance, 2)
    await delivered(finance, bank)
    stamped.stamp(finance, 3)

    way = await inquiring(finance, stamped)(row.digest, caller=finance.caller())

    assert [one.head.time_us for one in way.time_stamps] == [1, 3]
    acts = {act.index: act.leaf for act in way.acts}
    by_time = {one.head.time_us: one for one in way.time_stamps}
    assert {acts[index].act for index in by_time[1].proofs} == {Act.ENTER_AND_SEND}
    assert {acts[index].act for index in by_time[3].proofs} == {Act.DELIVER}
    for one in way.time_stamps:
        tree = parse_checkpoint(parse_note(one.head.checkpoint).text).head
        for index, proof in one.proofs.items():
            hashed = leaf_hash(acts[index].to_bytes())
            verify_inclusion(index, hashed, tree, proof)


async def test_what_came_since_the_last_time_stamp_has_none(finance: House) -> None:
    stamped = Stamped()
    await finance.sent(direct_payment("2"))
    stamped.stamp(finance, 1)
    row = await finance.sent(direct_payment())

    way = await inquiring(finance, stamped)(row.digest, caller=finance.caller())

    assert len(way.acts) == 1
    assert way.time_stamps == ()


async def test_a_head_of_another_log_proves_nothing_and_hinders_nothing(
    finance: House, bank: House, caplog: pytest.LogCaptureFixture
) -> None:
    row = await finance.sent(direct_payment())
    await delivered(finance, bank)
    stamped = Stamped()
    # Of fewer leaves, and of more than ours: after a restore perhaps.
    stamped.stamp(bank, 1)
    stamped.take(LONGER, 2)

    with caplog.at_level(logging.WARNING):
        way = await inquiring(finance, stamped)(row.digest, caller=finance.caller())

    assert len(way.acts) == 2
    assert way.time_stamps == ()
    assert caplog.text.count("a stamped head is not of this log") == 2


async def test_without_an_authority_nothing_is_shown(finance: House) -> None:
    row = await finance.sent(direct_payment())

    way = await finance.inquire(row.digest, caller=finance.caller())

    assert way.time_stamps == ()
