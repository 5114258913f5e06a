"""The detail of a clearing application, which waits for it and must agree with it."""

from __future__ import annotations

import pytest

from counterfoil.business.tables import InboxEntry, InboxState
from counterfoil.domain.standing import Standing
from counterfoil.office import Form, Voucher, VoucherKey
from counterfoil.office.vouchers import FieldValue
from tests.unit.treasury.papers import (
    BANK,
    BANK_NO,
    DAY,
    OTHER_NO,
    TRE_CODE,
    TREASURY,
    application,
)
from tests.unit.treasury.treasury_desk import Treasury


def detail(
    names: str, paid: tuple[tuple[str, int], ...], bank_no: str = BANK_NO
) -> Voucher:
    rows: tuple[dict[str, FieldValue], ...] = tuple(
        {
            "id": str(n),
            "e_voucher_type": "5201",
            "voucher_no": payment,
            "agency_code": "101001",
            "exp_func_code": "2010101",
            "pay_amt_fen": fen,
            "x_pay_date": DAY,
        }
        for n, (payment, fen) in enumerate(paid, start=1)
    )
    fields: dict[str, FieldValue] = {
        "id": f"M{names}",
        "adm_div_code": "420000",
        "st_year": "2026",
        "vt_code": "2311",
        "vou_date": DAY,
        "voucher_no": f"M{names}",
        "ori_voucher_no": names,
        "tre_code": TRE_CODE,
        "pay_bank_no": bank_no,
        "child_pack_num": 1,
        "cur_pack_no": 1,
        "all_num": len(rows),
        "all_amt_fen": sum(fen for _, fen in paid),
    }
    key = VoucherKey(
        issuer=BANK,
        adm_div="420000",
        fiscal_year=2026,
        type_code=102311,
        number=f"M{names}",
    )
    return Voucher(key=key, recipients=(TREASURY,), form=Form(fields, rows))


def state(treasury: Treasury, digest: bytes) -> InboxState:
    with treasury.books.reading() as session:
        return session.get_one(InboxEntry, digest).state


def test_a_detail_waits_for_its_application_and_is_kept(treasury: Treasury) -> None:
    [digest] = treasury.run_all(detail("S1", (("ZF0", 100), ("ZF1", 200), ("ZF1", 50))))
    assert state(treasury, digest) is InboxState.ACCEPTED

    treasury.run_all(application("S1"))

    assert state(treasury, digest) is InboxState.TAKEN
    assert treasury.standing(digest) is Standing.ACCEPTED


@pytest.mark.parametrize("paid", [(("ZF0", 101),), (("ZF9", 1),)])
def test_a_detail_that_differs_from_its_application_is_returned(
    treasury: Treasury, paid: tuple[tuple[str, int], ...]
) -> None:
    treasury.run_all(application("S1"))

    [digest] = treasury.run_all(detail("S1", paid))

    assert treasury.standing(digest) is Standing.RETURNED
    assert f"支付凭证{paid[0][0]}明细" in treasury.reason(digest)


def test_a_detail_of_another_banks_is_rejected(treasury: Treasury) -> None:
    [digest] = treasury.run_all(detail("S1", (("ZF0", 100),), OTHER_NO))

    assert treasury.standing(digest) is Standing.REJECTED
