"""What older systems read: a voucher or its receipt as a national document."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.drafts import DraftRow
from counterfoil.domain.refusals import BatchTooLarge, CounterfoilError, FormRefused
from counterfoil.domain.standing import Act, Role
from counterfoil.ledger.errors import LedgerUnavailable
from counterfoil.ledger.ledger import SqlLedger
from counterfoil.sealed.v1 import voucher_pb2
from counterfoil.wire.national_read import read_national
from counterfoil.wire.national_voucher import ANSWERED, VOUCHER
from tests.unit.app.house import House, delivered, filled_in, fine, reasons
from tests.unit.app.papers import (
    OTHER_BANK,
    UNIT,
    direct_payment,
    encoded,
    receipt_for,
)


async def asked(
    house: House,
    *rows: DraftRow,
    party: str = "",
    encoding: str = "GBK",
    bytes_max: int = 1_048_576,
) -> list[bytes | CounterfoilError]:
    return await house.national(
        [(row.key, row.digest) for row in rows],
        encoding=encoding,
        bytes_max=bytes_max,
        caller=house.caller(party=party),
    )


async def paid(finance: House, bank: House, voucher: voucher_pb2.Voucher) -> DraftRow:
    """Take a voucher to its receipt; the receipt has not been delivered."""
    row = await finance.sent(voucher)
    await delivered(finance, bank)
    await bank.step(DocumentKind.ACCEPTANCE, row, "")
    await delivered(bank, finance)
    for act in (Act.BEGIN, Act.END_DONE):
        await bank.acts([(act, row.key, row.digest)], caller=bank.caller())
    receipt = encoded(receipt_for(voucher, row.digest))
    (issued,) = await bank.receipts([filled_in(row, receipt)], caller=bank.caller())
    fine(issued)
    return row


@pytest.mark.clause("hubei-15a")
async def test_both_sides_read_the_form_that_was_issued(
    finance: House, bank: House
) -> None:
    voucher = direct_payment()
    row = await finance.sent(voucher)
    await delivered(finance, bank)

    (ours,) = await asked(finance, row)
    (theirs,) = await asked(bank, row)

    assert ours == theirs
    (read,) = read_national(fine(ours))
    assert (read.voucher_flag, read.form) == (VOUCHER, voucher.direct_payment)
    assert (read.vt_code, read.voucher_no) == ("5201", voucher.key.number)


async def test_a_receipt_is_the_voucher_with_its_boxes_filled_in(
    finance: House, bank: House
) -> None:
    voucher = direct_payment()
    row = await paid(finance, bank, voucher)

    (before,) = await asked(finance, row)
    (theirs,) = await asked(bank, row)
    await delivered(bank, finance)
    (ours,) = await asked(finance, row)

    assert read_national(fine(before))[0].voucher_flag == VOUCHER
    assert ours == theirs
    (read,) = read_national(fine(ours))
    assert read.voucher_flag == ANSWERED
    assert read.receipt == receipt_for(voucher, row.digest).direct_payment


@pytest.mark.clause("hubei-15a")
@pytest.mark.refusal("FORM_REFUSED")
async def test_a_character_that_gbk_lacks_is_refused_with_its_field(
    finance: House,
) -> None:
    voucher = direct_payment()
    voucher.direct_payment.rows[0].payee_acct_name = "䶮氏㛃商行"
    row = await finance.sent(voucher)

    (in_gbk,) = await asked(finance, row)
    (in_gb18030,) = await asked(finance, row, encoding="GB18030")

    assert isinstance(in_gbk, FormRefused)
    (violation,) = in_gbk.violations
    assert violation.path.endswith("rows[0].payee_acct_name")
    assert violation.rule == "text.encoding"
    (read,) = read_national(fine(in_gb18030))
    assert read.form == voucher.direct_payment


async def test_a_party_whose_systems_read_gb18030_gets_it_unasked(
    finance: House, bank: House
) -> None:
    voucher = direct_payment()
    voucher.direct_payment.rows[0].payee_acct_name = "䶮氏㛃商行"
    row = await finance.sent(voucher)
    await delivered(finance, bank)
    reader = replace(bank.registry.party(bank.party), encoding="GB18030")
    parties = {**bank.registry.parties, bank.party: reader}
    bank.registry = replace(bank.registry, parties=parties)

    (theirs,) = await asked(bank, row, encoding="")
    (ours,) = await asked(finance, row, encoding="")

    assert b'encoding="GB18030"' in fine(theirs)
    assert read_national(fine(theirs))[0].form == voucher.direct_payment
    assert isinstance(ours, FormRefused)


@pytest.mark.refusal("VOUCHER_NOT_FOUND")
async def test_only_the_sides_of_a_voucher_get_it(
    finance: House, bank: House, other_bank: House
) -> None:
    row = await finance.sent(direct_payment())
    await delivered(finance, bank)

    assert reasons(await asked(finance, row, party=UNIT)) == ["VOUCHER_NOT_FOUND"]
    assert reasons(await asked(other_bank, row, party=OTHER_BANK)) == [
        "VOUCHER_NOT_FOUND"
    ]


@pytest.mark.refusal("LEDGER_UNAVAILABLE")
async def test_a_receipt_that_cannot_be_found_now_is_not_left_out(
    finance: House, bank: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = await paid(finance, bank, direct_payment("1"))
    plain = await finance.sent(direct_payment("2"))
    await delivered(finance, bank)

    async def failing(_ledger: SqlLedger, _digest: bytes) -> NoReturn:
        raise LedgerUnavailable("the ledger's database does not answer")

    monkeypatch.setattr(SqlLedger, "acts", failing)

    assert reasons(await asked(bank, answered, plain)) == ["LEDGER_UNAVAILABLE", ""]


async def test_one_that_cannot_be_written_holds_up_no_other(finance: House) -> None:
    rare, plain = direct_payment("1"), direct_payment("2")
    rare.direct_payment.rows[0].payee_acct_name = "䶮"
    rows = [await finance.sent(one) for one in (rare, plain)]

    assert reasons(await asked(finance, *rows)) == ["FORM_REFUSED", ""]


@pytest.mark.refusal("BATCH_TOO_LARGE")
async def test_an_answer_has_as_many_documents_as_it_holds_and_always_one(
    finance: House,
) -> None:
    rows = [await finance.sent(direct_payment(number)) for number in "1234"]
    entries = finance.vault.entries([row.key for row in rows], Role.ISSUER)
    sizes = [len(finance.vault.document(one.document)) for one in entries if one]

    whole = await asked(finance, *rows)
    some = await asked(finance, *rows, bytes_max=sum(sizes[:3]))
    first = await asked(finance, *rows, bytes_max=1)

    assert all(isinstance(one, bytes) for one in whole)
    assert some[:3] == whole[:3]
    assert first[0] == whole[0]
    for refused in (some[3], *first[1:]):
        assert isinstance(refused, BatchTooLarge)
    assert len(first) == len(some) == len(rows)
