"""What became of a voucher: told whole, with proofs, and only to those concerned."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

import pytest

from counterfoil.app.inquire import Way
from counterfoil.app.ports import LogRecord, Query
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.drafts import DraftRow
from counterfoil.domain.refusals import LeafNotFound, VoucherNotFound
from counterfoil.domain.standing import Act, Standing
from counterfoil.tlog.checkpoint import open_checkpoint, parse_checkpoint
from counterfoil.tlog.merkle import leaf_hash
from counterfoil.tlog.note import parse_note
from counterfoil.tlog.proof_file import ProofFile
from counterfoil.tlog.sm3 import sm3
from counterfoil.tlog.verification import verify_inclusion
from tests.unit.app.house import SEVERAL, House, delivered, name_of
from tests.unit.app.papers import (
    BANK,
    FINANCE,
    OTHER_BANK,
    UNIT,
    direct_payment,
    draft_of,
    entry_notice,
)

T = TypeVar("T")


def check_proofs(house: House, way: Way) -> None:
    """Check every proof as a third party would."""
    head = open_checkpoint(
        way.checkpoint,
        origin=f"{house.party}/log",
        required=house.keys.verifiers(house.party),
    ).checkpoint.head
    for act in way.acts:
        hashed = leaf_hash(act.leaf.to_bytes())
        verify_inclusion(act.index, hashed, head, act.inclusion_proof)


async def accepted(finance: House, bank: House) -> DraftRow:
    row = await finance.sent(direct_payment())
    await delivered(finance, bank)
    await bank.step(DocumentKind.ACCEPTANCE, row, "")
    await delivered(bank, finance)
    return row


@pytest.mark.clause("hubei-18")
async def test_one_inquiry_shows_the_whole_way_with_proofs(
    finance: House, bank: House
) -> None:
    row = await accepted(finance, bank)
    await finance.sent(direct_payment("2"))  # of which nothing is told

    way = await finance.inquire(row.key, caller=finance.caller())

    assert [(act.leaf.act, act.leaf.kind) for act in way.acts] == [
        (Act.ENTER_AND_SEND, DocumentKind.VOUCHER),
        (Act.DELIVER, DocumentKind.VOUCHER),
        (Act.ARRIVE, DocumentKind.ACCEPTANCE),
    ]
    assert len(way.documents) == 2
    assert way.entry.passages[0].standing is Standing.ACCEPTED
    check_proofs(finance, way)


async def test_the_way_is_proved_by_the_sm3_tree_too_if_that_is_asked_for(
    finance: House, bank: House
) -> None:
    row = await accepted(finance, bank)

    way = await finance.inquire(row.key, caller=finance.caller(), sm3=True)
    plain = await finance.inquire(row.key, caller=finance.caller())
    theirs = await bank.inquire(row.key, caller=bank.caller(), sm3=True)

    checkpoint = parse_checkpoint(parse_note(way.sm3_checkpoint).text)
    assert checkpoint.origin == f"{FINANCE}/log-sm3"
    assert len(way.acts) == 3
    for act in way.acts:
        hashed, proof = leaf_hash(act.leaf.to_bytes(), sm3), act.sm3_inclusion_proof
        verify_inclusion(act.index, hashed, checkpoint.head, proof, sm3)
    check_proofs(finance, way)
    # Nobody asked, or there is no such tree: all else is told.
    for other in (plain, theirs):
        assert other.sm3_checkpoint == b""
        assert {act.sm3_inclusion_proof for act in other.acts} == {()}
        assert other.acts


async def test_both_sides_are_told_by_key_and_by_digest(
    finance: House, bank: House
) -> None:
    row = await accepted(finance, bank)

    for house in (finance, bank):
        by_key = await house.inquire(row.key, caller=house.caller())
        by_digest = await house.inquire(row.digest, caller=house.caller())
        assert by_key.key == by_digest.key == row.key
        assert by_key.acts == by_digest.acts
        check_proofs(house, by_key)


@pytest.mark.clause("hubei-16")
async def test_the_peers_proof_of_arrival_stands_alone(
    finance: House, bank: House
) -> None:
    row = await accepted(finance, bank)

    way = await finance.inquire(row.key, caller=finance.caller())

    (proof,) = [act.peer_proof for act in way.acts if act.peer_proof]
    file = ProofFile.from_bytes(proof)
    theirs = bank.vault.leaf(file.index)
    assert (theirs.act, theirs.document) == (Act.ARRIVE, row.digest)
    assert file.extra == theirs.to_bytes()
    file.verify(
        leaf_hash(theirs.to_bytes()),
        origin=f"{BANK}/log",
        required=finance.keys.verifiers(BANK),
    )


async def test_a_voucher_that_was_withdrawn_and_sealed_again_has_its_proof_too(
    finance: House, bank: House
) -> None:
    row = await finance.sealed(direct_payment())
    await finance.cancel([(row.digest, "gz")], caller=finance.caller())
    finance.clock.us += 1_000_000  # the second seal states another time
    await finance.seal([row.digest], send=True, caller=finance.caller())
    await delivered(finance, bank)

    way = await finance.inquire(row.key, caller=finance.caller())

    acts = [act.leaf.act for act in way.acts]
    assert acts == [Act.ENTER, Act.WITHDRAW, Act.ENTER_AND_SEND, Act.DELIVER]
    file = ProofFile.from_bytes(way.acts[-1].peer_proof)
    file.verify(
        leaf_hash(bank.vault.leaf(0).to_bytes()),
        origin=f"{BANK}/log",
        required=finance.keys.verifiers(BANK),
    )


@pytest.mark.refusal("VOUCHER_NOT_FOUND")
async def test_only_issuer_and_recipient_are_told(finance: House, bank: House) -> None:
    row = await accepted(finance, bank)
    others = [
        (finance, finance.caller(party=UNIT)),
        (bank, bank.caller(party=OTHER_BANK)),
    ]

    for house, caller in others:
        for asked in (row.key, row.digest):
            with pytest.raises(VoucherNotFound):
                await house.inquire(asked, caller=caller)


@pytest.mark.refusal("VOUCHER_NOT_FOUND")
async def test_what_is_not_in_the_vault_is_not_found(finance: House) -> None:
    draft = await finance.written(direct_payment())

    for asked in (draft.key, draft.digest, bytes(32)):
        with pytest.raises(VoucherNotFound):
            await finance.inquire(asked, caller=finance.caller())


async def test_a_search_finds_what_was_committed_when_it_was_asked(
    finance: House,
) -> None:
    rows = [await finance.sent(direct_payment(number)) for number in "123"]

    found = await finance.search(Query(desk=FINANCE))
    theirs = await finance.search(Query(desk=UNIT))

    assert [one.digest for one in found] == [row.digest for row in reversed(rows)]
    assert theirs == []


# --- what peers are told ---------------------------------------------------------


async def test_peers_are_told_of_their_own_vouchers_only(
    finance: House, bank: House
) -> None:
    row = await accepted(finance, bank)
    asked = [
        (row.key, row.digest),
        (row.key, bytes(32)),
        name_of(direct_payment("9")),
    ]

    to_finance = bank.tell(asked, carrier=FINANCE)
    to_bank = finance.tell(asked, carrier=BANK)
    to_other = bank.tell(asked, carrier=OTHER_BANK)

    for told in (to_finance, to_bank):
        assert [one and one.standing for one in told] == [
            Standing.ACCEPTED,
            None,
            None,
        ]
    assert to_other == [None, None, None]


async def test_each_recipient_is_told_of_its_own_passage(
    finance: House, bank: House
) -> None:
    finance.catalogue = bank.catalogue = SEVERAL
    row = await finance.sent(direct_payment(to=(BANK, OTHER_BANK)))
    await delivered(finance, bank)

    (to_bank,) = finance.tell([(row.key, row.digest)], carrier=BANK)
    (to_other,) = finance.tell([(row.key, row.digest)], carrier=OTHER_BANK)

    assert to_bank is not None
    assert to_other is not None
    assert (to_bank.recipient, to_bank.standing) == (BANK, Standing.ARRIVED)
    assert (to_other.recipient, to_other.standing) == (OTHER_BANK, Standing.SENT)


async def test_the_carrier_of_a_hosted_party_is_told(
    finance: House, bank: House
) -> None:
    notice = entry_notice()
    await bank.submit([draft_of(notice)], caller=bank.caller())

    (told,) = bank.tell([name_of(notice)], carrier=FINANCE)

    assert told is not None
    assert told.recipient == UNIT


# --- reading and watching --------------------------------------------------------


async def next_of(stream: AsyncIterator[T]) -> T:
    return await asyncio.wait_for(anext(stream), 30)


async def test_what_is_not_answered_is_read_again(finance: House, bank: House) -> None:
    for number in "123":
        await finance.sent(direct_payment(number))
    await delivered(finance, bank)

    def read(types: frozenset[int] = frozenset()) -> AsyncIterator[list[object]]:
        return bank.read(  # type: ignore[return-value]
            caller=bank.caller(),
            types=types,
            batch_max=2,
            bytes_max=2**20,
            follow=False,
        )

    first = [len(batch) async for batch in read()]
    again = [len(batch) async for batch in read()]
    others = [batch async for batch in read(frozenset({8202}))]

    assert first == again == [2, 1]
    assert others == []


async def test_what_is_read_together_is_bounded_in_bytes(
    finance: House, bank: House
) -> None:
    for number in "1234":
        await finance.sent(direct_payment(number))
    await delivered(finance, bank)
    (one, *_) = bank.vault.waiting(BANK, after=-1, limit=9)

    for bytes_max, lengths in (
        (1, [1, 1, 1, 1]),  # none fits, and all are told
        (2 * len(one.sealed) + 99, [2, 2]),
        (3 * len(one.sealed) + 99, [3, 1]),
        (9 * len(one.sealed), [4]),
    ):
        batches = [
            batch
            async for batch in bank.read(
                caller=bank.caller(),
                types=frozenset(),
                batch_max=9,
                bytes_max=bytes_max,
                follow=False,
            )
        ]
        assert [len(batch) for batch in batches] == lengths
        leaves = [waiting.leaf_index for batch in batches for waiting in batch]
        assert leaves == sorted(set(leaves))
        assert len(leaves) == 4


async def test_a_reader_that_follows_gets_what_arrives_later(
    finance: House, bank: House
) -> None:
    stream = bank.read(
        caller=bank.caller(),
        types=frozenset(),
        batch_max=9,
        bytes_max=2**20,
        follow=True,
    )
    waiting = asyncio.create_task(next_of(stream))
    row = await finance.sent(direct_payment())
    await delivered(finance, bank)

    (one,) = await waiting

    assert one.key == row.key
    await stream.aclose()  # type: ignore[attr-defined]


async def test_acknowledged_steps_are_not_read_again(
    finance: House, bank: House
) -> None:
    await accepted(finance, bank)
    (told,) = finance.vault.waiting(FINANCE, after=-1, limit=9)

    await finance.read.acknowledge(
        (told.leaf_index,), caller=finance.caller(party=UNIT)
    )
    assert finance.vault.waiting(FINANCE, after=-1, limit=9)
    await finance.read.acknowledge((told.leaf_index,), caller=finance.caller())

    assert finance.vault.waiting(FINANCE, after=-1, limit=9) == []


def watched(
    house: House, after: int | None = None, *, from_start: bool, party: str = FINANCE
) -> AsyncIterator[list[LogRecord]]:
    return house.watch(
        caller=house.caller(party=party), after=after, from_start=from_start
    )


async def test_a_watcher_sees_the_changes_of_its_own_vouchers_and_can_resume(
    finance: House, bank: House
) -> None:
    row = await accepted(finance, bank)
    await bank.submit([draft_of(entry_notice())], caller=bank.caller())
    await delivered(bank, finance)  # for the unit, not for finance

    seen = await next_of(watched(finance, from_start=True))
    # Both at once: a watcher asks the same way before and after its first change.
    rest = await next_of(watched(finance, seen[0].index, from_start=True))
    theirs = await next_of(watched(finance, from_start=True, party=UNIT))

    assert {record.key for record in seen} == {row.key}
    assert seen[0].index == 0
    assert rest == seen[1:]
    assert [record.key for record in theirs] == [name_of(entry_notice())[0]]


async def test_a_watcher_from_now_on_hears_nothing_of_the_past(
    finance: House,
) -> None:
    await finance.sent(direct_payment("1"))
    stream = watched(finance, from_start=False)
    waiting = asyncio.create_task(next_of(stream))
    await asyncio.sleep(0)  # lets the watcher take its place

    later = await finance.sent(direct_payment("2"))

    assert {record.key for record in await waiting} == {later.key}


@pytest.mark.refusal("LEAF_NOT_FOUND")
async def test_a_watcher_that_saw_more_than_there_is_is_not_kept_waiting(
    finance: House,
) -> None:
    for after in (0, 2**64 - 1):
        with pytest.raises(LeafNotFound):
            await next_of(watched(finance, after, from_start=True))
    await finance.sent(direct_payment("1"))
    size = finance.vault.size()

    with pytest.raises(LeafNotFound):
        await next_of(watched(finance, size, from_start=False))

    waiting = asyncio.create_task(next_of(watched(finance, size - 1, from_start=True)))
    await asyncio.sleep(0)
    await finance.sent(direct_payment("2"))
    assert (await waiting)[0].index == size
