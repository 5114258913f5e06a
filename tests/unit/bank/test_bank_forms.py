"""Receipts and entry notices follow from the voucher and the journal."""

from __future__ import annotations

import pytest

from counterfoil.bank.checks import objections
from counterfoil.bank.forms import notices_of, receipt_of
from counterfoil.bank.journal import Payment
from counterfoil.bank.lines import lines_of
from counterfoil.office import Form, Voucher
from tests.unit.bank.papers import (
    AGENCY,
    BANK,
    OFFICE,
    UNIT,
    authorised_payment,
    direct_payment,
    special_payment,
)


def paid(voucher: Voucher) -> Payment:
    key = voucher.key
    return Payment(
        digest=bytes(32),
        issuer=key.issuer,
        adm_div=key.adm_div,
        fiscal_year=key.fiscal_year,
        type_code=key.type_code,
        number=key.number,
        issue=1,
        serial="000000000007",
        pay_date="20260301",
        amount_fen=voucher.form.fen("pay_amt_fen"),
    )


def notices(voucher: Voucher) -> list[Voucher]:
    return notices_of(paid(voucher), voucher, BANK, OFFICE.units)


def test_a_direct_payment_is_told_to_each_unit_that_its_rows_name() -> None:
    lines = (
        (AGENCY, "2010101", 100),
        ("101002", "2010101", 20),
        (AGENCY, "2010102", 3),
    )
    voucher = direct_payment("D1", lines)
    units = {AGENCY: UNIT, "101002": "420000-101002"}

    one, other = notices_of(paid(voucher), voucher, BANK, units)

    assert (one.key.number, one.recipients) == (f"RZ000000000007-{AGENCY}", (UNIT,))
    assert (one.form.fen("pay_amt_fen"), one.form.text("agency_code")) == (103, AGENCY)
    assert [row["id"] for row in one.form.rows] == ["D1-0", "D1-2"]
    assert (other.recipients, other.form.fen("pay_amt_fen")) == (("420000-101002",), 20)


def test_a_unit_whose_party_is_not_known_hears_nothing() -> None:
    assert notices(direct_payment("D1", (("999001", "2010101", 100),))) == []


def test_an_authorised_payment_is_told_to_its_issuer_whatever_its_rows_say() -> None:
    [notice] = notices(authorised_payment("U1", (("999001", "2010101", 100),)))

    assert notice.recipients == (UNIT,)


def test_a_payment_out_of_a_special_account_is_told_to_nobody() -> None:
    assert notices(special_payment("Z1")) == []


def test_a_notice_carries_what_the_unit_knows_its_own_by() -> None:
    [notice] = notices(direct_payment("D1", hold1="SQ1", hold2="二"))

    assert (notice.form.text("hold1"), notice.form.text("hold2")) == ("SQ1", "二")
    assert {row["voucher_no"] for row in notice.form.rows} == {"SQ-D1"}
    assert {row["voucher_bill_no"] for row in notice.form.rows} == {"D1"}


def test_a_receipt_of_a_special_account_states_its_rows() -> None:
    voucher = special_payment("Z1")

    form = receipt_of(paid(voucher), voucher, BANK).form

    assert form.fields == {"x_agent_business_no": "000000000007"}
    assert form.rows == tuple(
        {
            "id": f"Z1-{n}",
            "x_pay_date": "20260301",
            "x_agent_business_no": "000000000007",
            "x_pay_amt_fen": fen,
        }
        for n, fen in enumerate((100, 250))
    )


def test_the_payee_of_a_special_account_stands_in_the_main_part() -> None:
    voucher = special_payment("Z1")

    assert {line.account for line in lines_of(voucher.form)} == {"622200001111"}
    assert list(objections(voucher, [])) == []
    nobody = Voucher(
        key=voucher.key,
        recipients=voucher.recipients,
        form=Form({**voucher.form.fields, "payee_acct_no": "12"}, voucher.form.rows),
    )
    assert list(objections(nobody, [])) == ["第1行收款人账号不合规"]


@pytest.mark.parametrize(
    ("main", "row", "unit"),
    [("", "", "101"), ("9", "", "9"), ("9", "8", "8")],
)
def test_the_top_level_unit_is_named_or_told_by_the_agency(
    main: str, row: str, unit: str
) -> None:
    form = direct_payment("D1", sup_dep_code=main).form
    rows = [{**one, "sup_dep_code": row} for one in form.rows]

    lines = lines_of(Form(form.fields, tuple(rows)))

    assert {line.unit for line in lines} == {unit}


def test_a_receipt_states_by_which_way_it_was_dealt_with() -> None:
    voucher = authorised_payment("U1", counter=True)

    form = receipt_of(paid(voucher), voucher, BANK).form

    assert form.text("x_fund_deal_mode_code") == "1"
    assert form.text("x_fund_deal_mode_name") == "银行柜面"
