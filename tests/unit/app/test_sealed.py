"""Vouchers are given again as they were sealed: many at once, to their sides only."""

from __future__ import annotations

import pytest

from counterfoil.app.inquire import Way
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.drafts import DraftRow
from counterfoil.domain.refusals import CounterfoilError, VaultCorrupt
from counterfoil.domain.voucher import VoucherKey
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.vault.memory_engine import MemoryEngine
from tests.doubles import kept
from tests.unit.app.house import House, delivered, fine, name_of, reasons
from tests.unit.app.papers import (
    BANK,
    OTHER_BANK,
    UNIT,
    direct_payment,
    draft_of,
    entry_notice,
)

PLENTY = 1 << 20


Named = tuple[VoucherKey, bytes]


async def asked(
    house: House,
    *vouchers: Named,
    party: str = "",
    bytes_max: int = PLENTY,
) -> list[list[bytes | CounterfoilError]]:
    batches = house.given_again(
        vouchers,
        bytes_max=bytes_max,
        caller=house.caller(party=party),
    )
    return [batch async for batch in batches]


def name(row: DraftRow) -> Named:
    return row.key, row.digest


async def way(house: House, named: Named) -> Way:
    return await house.inquire(named[0], caller=house.caller())


async def test_both_sides_get_what_was_sealed_whatever_became_of_it(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment())
    await delivered(finance, bank)
    [[before]] = await asked(finance, name(row))
    await bank.step(DocumentKind.RETURN, row)
    await delivered(bank, finance)

    [[ours]] = await asked(finance, name(row))
    [[theirs]] = await asked(bank, name(row))

    assert isinstance(ours, bytes)
    assert ours == theirs == before
    assert ours == (await way(finance, name(row))).documents[0]
    assert sealed_pb2.Sealed.FromString(ours).payload == row.payload


async def test_many_come_in_the_order_asked_with_the_refused_in_their_places(
    finance: House,
) -> None:
    rows = [name(await finance.sent(direct_payment(str(n)))) for n in range(3)]
    draft = name(await finance.written(direct_payment("draft")))
    # More than are looked up together, and the refused first, last and between.
    wanted = [draft, *rows * 30, draft, *rows, draft]
    sealed = [(await way(finance, row)).documents[0] for row in rows]

    batches = await asked(finance, *wanted)

    given = [one for batch in batches for one in batch]
    refused = [at for at, one in enumerate(given) if not isinstance(one, bytes)]
    assert refused == [0, 91, 95]
    assert [one for one in given if isinstance(one, bytes)] == sealed * 31
    assert all(batches)


async def test_no_more_bytes_come_at_a_time_than_may_unless_one_alone_has_more(
    finance: House,
) -> None:
    rows = [name(await finance.sent(direct_payment(str(n)))) for n in range(5)]
    [everything] = await asked(finance, *rows)
    size = max(len(one) for one in everything if isinstance(one, bytes))

    alone = await asked(finance, *rows, bytes_max=1)
    in_pairs = await asked(finance, *rows, bytes_max=2 * size)

    assert [len(batch) for batch in alone] == [1] * 5
    assert [len(batch) for batch in in_pairs] == [2, 2, 1]
    for batches in (alone, in_pairs):
        assert [one for batch in batches for one in batch] == everything


@pytest.mark.refusal("VOUCHER_NOT_FOUND")
async def test_only_the_sides_of_a_voucher_get_it_and_by_its_own_digest_only(
    finance: House, bank: House, other_bank: House
) -> None:
    row = await finance.sent(direct_payment())
    await delivered(finance, bank)

    for house, party, digest in (
        (finance, UNIT, row.digest),
        (other_bank, OTHER_BANK, row.digest),
        (bank, BANK, bytes(32)),
    ):
        [batch] = await asked(house, (row.key, digest), party=party)
        assert reasons(batch) == ["VOUCHER_NOT_FOUND"]


@pytest.mark.refusal("VOUCHER_NOT_FOUND")
async def test_what_was_never_sealed_or_was_withdrawn_is_not_given(
    finance: House,
) -> None:
    draft = await finance.written(direct_payment("1"))
    withdrawn = await finance.sealed(direct_payment("2"))
    await finance.cancel([(withdrawn.digest, "gz")], caller=finance.caller())

    [batch] = await asked(finance, name(draft), name(withdrawn))

    assert reasons(batch) == ["VOUCHER_NOT_FOUND"] * 2


@pytest.mark.refusal("VOUCHER_NOT_FOUND")
async def test_a_hosted_partys_voucher_is_not_its_hosts(
    finance: House, bank: House
) -> None:
    ((_, outcome),) = await bank.submit(
        [draft_of(entry_notice())], caller=bank.caller()
    )
    fine(outcome)
    row = name_of(entry_notice())
    await delivered(bank, finance)

    [hosted] = await asked(finance, row, party=UNIT)
    [host] = await asked(finance, row)

    assert hosted == [bank.vault.document(0)]
    assert reasons(host) == ["VOUCHER_NOT_FOUND"]


@pytest.mark.refusal("VAULT_CORRUPT")
async def test_a_document_that_no_longer_matches_the_log_is_not_given(
    finance: House,
) -> None:
    rows = [name(await finance.sent(direct_payment(str(n)))) for n in range(3)]
    entry = kept(finance.vault, rows[1][0])
    engine = finance.vault._engine
    assert entry is not None
    assert isinstance(engine, MemoryEngine)
    engine._documents[entry.document] += b"?"

    with pytest.raises(VaultCorrupt):
        await asked(finance, *rows)

    [[sound]] = await asked(finance, rows[2])
    assert isinstance(sound, bytes)
