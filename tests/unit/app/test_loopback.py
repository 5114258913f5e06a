"""Issuer and recipient on one gateway: the lane leads to ourselves."""

from __future__ import annotations

import pytest

from counterfoil.app.ports import LaneItem
from counterfoil.daemon.loopback import LoopbackLink, LoopbackStream
from counterfoil.domain.drafts import DraftRow
from counterfoil.domain.standing import Role, Standing
from tests.forms import sound_voucher
from tests.unit.app.house import House, recorded
from tests.unit.app.papers import FINANCE, UNIT

APPLICATION = 108201


@pytest.fixture
async def application(finance: House) -> DraftRow:
    """An application of the hosted unit to finance; it waits in the lane."""
    voucher = sound_voucher(APPLICATION, issuer=UNIT, to=(FINANCE,))
    return await finance.sent(voucher, party=UNIT)


async def sent(finance: House) -> tuple[list[LaneItem], LoopbackStream]:
    """Send what waits over a new stream."""
    link = LoopbackLink(receive=finance.receive, prove=finance.prove)
    batch = finance.vault.lane(link.peer.party, after=-1, limit=9)
    certificates = finance.certificates.of_batch(item.sealed for item in batch)
    stream = await link.open()
    await stream.send([item.sealed for item in batch], list(certificates))
    return batch, stream


def standing(finance: House, row: DraftRow, role: Role) -> Standing:
    entry = finance.vault.entry(row.key, role)
    assert entry is not None
    return entry.passages[0].standing


async def test_what_is_sent_arrives_and_is_proved(
    finance: House, application: DraftRow
) -> None:
    batch, stream = await sent(finance)

    response = await stream.answer()
    await recorded(finance.record(FINANCE), batch, response, now_us=finance.clock.us)

    assert [item.leaf.subject for item in batch] == [application.digest]
    assert standing(finance, application, Role.ISSUER) is Standing.ARRIVED
    assert standing(finance, application, Role.RECIPIENT) is Standing.ARRIVED
    assert finance.vault.lane_lengths() == {}


async def test_what_arrived_before_a_crash_is_known_and_proved(
    finance: House, application: DraftRow
) -> None:
    _, broken = await sent(finance)
    arrived = await broken.answer()  # and nobody records it
    broken.cancel()

    batch, stream = await sent(finance)
    response = await stream.answer()
    await recorded(finance.record(FINANCE), batch, response, now_us=finance.clock.us)

    assert response.outcomes[0].known_leaf == arrived.first_leaf
    assert standing(finance, application, Role.ISSUER) is Standing.ARRIVED
    assert finance.vault.lane_lengths() == {}


async def test_our_own_log_is_watched_like_a_peers(
    finance: House, application: DraftRow
) -> None:
    _, stream = await sent(finance)
    await stream.answer()

    await finance.record(FINANCE).watch(stream.growth)

    head = finance.heads.newest(f"{FINANCE}/log")
    assert head is not None
    assert head.head.size == finance.vault.size()


async def test_what_is_no_document_is_refused_alone(
    finance: House, application: DraftRow
) -> None:
    batch, _ = await sent(finance)
    link = LoopbackLink(receive=finance.receive, prove=finance.prove)
    stream = await link.open()
    certificates = finance.certificates.of_batch(item.sealed for item in batch)
    await stream.send([b"\xff", batch[0].sealed], list(certificates))

    broken, sound = (await stream.answer()).outcomes

    assert (broken.reason, broken.retryable) == ("MALFORMED_PAYLOAD", False)
    assert sound.new
