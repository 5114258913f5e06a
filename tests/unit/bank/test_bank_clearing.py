"""What was paid is applied for, cleared, or free again; nothing twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.bank import clearing
from counterfoil.bank.applications import Paid, packed
from counterfoil.bank.core import Fate
from counterfoil.bank.journal import Payment, State
from counterfoil.bank.kinds import APPLICATION, DETAIL
from counterfoil.bank.lines import lines_of
from counterfoil.business.tables import OutboxState
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import FormRefused
from counterfoil.office import Form
from tests.unit.bank.bank_house import BankHouse
from tests.unit.bank.papers import (
    FINANCE,
    FINANCE_ACCOUNT,
    OFFICE,
    TOTAL,
    TREASURY,
    UNIT_ACCOUNT,
    authorised_payment,
    direct_payment,
    special_payment,
)

FIRST = "SQ202603011101"


def test_what_was_paid_is_applied_for_by_way_with_its_detail(house: BankHouse) -> None:
    house.pay(direct_payment("D1"), direct_payment("D2"), authorised_payment("U1"))

    assert house.apply() == 3
    house.turn()

    assert house.applied(APPLICATION) == [FIRST, "SQ202603011201"]
    assert house.applied(DETAIL) == ["MX202603011101", "MX202603011201"]
    application = house.issued(FIRST)
    assert application.recipients == (TREASURY, FINANCE)
    form = application.form
    assert (form.fen("pay_amt_fen"), form.text("pay_type_code")) == (2 * TOTAL, "11")
    assert form.text("clear_acct_no") == OFFICE.treasury.account
    assert [
        (row["voucher_no"], row["sup_dep_code"], row["exp_func_code"])
        for row in form.rows
    ] == [
        (number, "101", function)
        for number in ("D1", "D2")
        for function in ("2010101", "2010102")
    ]
    detail = house.issued("MX202603011101").form
    assert detail.text("ori_voucher_no") == FIRST
    assert (detail.fields["all_num"], detail.fen("all_amt_fen")) == (2, 2 * TOTAL)
    assert [row["voucher_no"] for row in detail.rows] == ["D1", "D2"]
    assert {row["agency_code"] for row in detail.rows} == {"101001"}


def test_rows_of_one_function_are_one_row_of_the_application(house: BankHouse) -> None:
    same = (("101001", "2010101", 100), ("101002", "2010101", 250))
    house.pay(direct_payment("D1", same))
    house.apply()

    [row] = house.issued(FIRST).form.rows
    assert row["pay_amt_fen"] == TOTAL
    [detail] = house.issued("MX202603011101").form.rows
    assert (detail["agency_code"], detail["pay_amt_fen"]) == ("101001", TOTAL)


def test_the_unit_that_a_voucher_names_is_the_one_whose_quota_clears(
    house: BankHouse,
) -> None:
    house.pay(direct_payment("D1", sup_dep_code="999"))
    house.apply()

    rows = house.issued(FIRST).form.rows
    assert {row["sup_dep_code"] for row in rows} == {"999"}


def test_no_payment_is_ever_in_two_applications(house: BankHouse) -> None:
    house.pay(direct_payment("D1"))

    assert [house.apply(), house.apply()] == [1, 0]
    house.turn()
    assert house.apply() == 0
    house.clear(FIRST)
    assert house.apply() == 0
    assert house.applied(APPLICATION) == [FIRST]


def test_what_was_not_paid_is_not_applied_for(house: BankHouse) -> None:
    house.go_wrong(D1=Fate.REFUSED, D2=Fate.LOST_AFTER)
    refused, unknown, bad = house.arrive(
        direct_payment("D1"), direct_payment("D2"), direct_payment("D3", pay_amt_fen=1)
    )
    house.work_once()

    assert house.state(refused) is State.RETURNED
    assert house.state(unknown) is State.DOUBTED
    assert house.state(bad) is State.REJECTED
    assert house.apply() == 0

    house.turn()  # the core can tell now: it was paid, once
    assert house.core.times_paid() == (1, TOTAL)
    assert house.apply() == 1


def test_what_comes_out_of_a_special_account_is_not_cleared(house: BankHouse) -> None:
    [digest] = house.pay(special_payment("Z1"))

    assert house.state(digest) is State.CLOSED
    assert house.apply() == 0
    assert (house.totals().paid, house.totals().special_fen) == (0, TOTAL)


def test_the_receipt_clears_the_payments_and_the_account_stands_at_zero(
    house: BankHouse,
) -> None:
    digests = house.pay(direct_payment("D1"), direct_payment("D2"))
    assert house.balance_fen(FINANCE_ACCOUNT) == -2 * TOTAL
    house.apply()
    house.turn()

    house.clear(FIRST)

    assert {house.payment(one).cleared for one in digests} == {"20260301"}
    assert house.balance_fen(FINANCE_ACCOUNT) == 0
    assert house.totals().cleared_fen == house.totals().paid_fen == 2 * TOTAL
    assert house.told["cleared"] == 2


def test_a_receipt_that_comes_twice_is_booked_once(house: BankHouse) -> None:
    house.pay(authorised_payment("U1"))
    house.apply()
    house.turn()
    house.clear("SQ202603011201")

    house.desk.again()
    house.turn()

    assert house.totals().cleared_fen == TOTAL
    assert house.balance_fen(UNIT_ACCOUNT) == 0


def test_a_receipt_that_differs_clears_nothing(house: BankHouse) -> None:
    [digest] = house.pay(direct_payment("D1"))
    house.apply()
    house.turn()

    house.clear(FIRST, fen=TOTAL - 1)

    assert house.issued_state(FIRST) is OutboxState.DIFFERS
    assert house.payment(digest).cleared == ""
    assert house.totals().cleared_fen == 0
    assert house.apply() == 0, "a person must look first"


def test_only_the_treasury_clears(house: BankHouse) -> None:
    [digest] = house.pay(direct_payment("D1"))
    house.apply()
    house.turn()

    house.clear(FIRST, by=FINANCE)

    assert house.payment(digest).cleared == ""
    assert house.balance_fen(FINANCE_ACCOUNT) == -TOTAL


@pytest.mark.parametrize("kind", [DocumentKind.RETURN, DocumentKind.REJECTION])
def test_what_was_given_back_is_applied_for_under_another_number(
    house: BankHouse, kind: DocumentKind
) -> None:
    house.pay(direct_payment("D1"))
    house.apply()
    house.turn()

    house.give_back(FIRST, "直接支付额度不足", kind)

    assert house.told["freed"] == 1
    assert house.totals().cleared_fen == 0
    assert [house.apply(), house.apply()] == [1, 0]
    again = house.issued("SQ202603011102")
    assert again.form.rows == house.issued(FIRST).form.rows
    house.turn()
    house.clear("SQ202603011102")
    assert house.balance_fen(FINANCE_ACCOUNT) == 0


def test_a_receipt_after_the_return_clears_nothing(house: BankHouse) -> None:
    house.pay(direct_payment("D1"))
    house.apply()
    house.turn()
    house.give_back(FIRST, "直接支付额度不足")

    house.clear(FIRST)

    assert house.totals().cleared_fen == 0


def test_what_our_own_gateway_refused_is_applied_for_again(house: BankHouse) -> None:
    house.pay(direct_payment("D1"))
    house.apply()
    house.desk.refuse_to_issue("write", FIRST, FormRefused("a row is wrong"))
    house.turn()
    assert house.issued_state(FIRST) is OutboxState.REFUSED

    assert house.apply() == 1
    assert house.applied(APPLICATION) == [FIRST, "SQ202603011102"]


def test_years_and_divisions_are_cleared_apart(house: BankHouse) -> None:
    other = direct_payment("D2", adm_div_code="420100")
    elsewhere = replace(other, key=replace(other.key, adm_div="420100"))
    house.pay(direct_payment("D1"), elsewhere)
    house.apply()

    assert house.applied(APPLICATION) == [FIRST, "SQ202603011102"]
    assert house.issued("SQ202603011102").key.adm_div == "420100"


def test_funds_are_cleared_apart_and_a_payment_out_of_several_is_one(
    house: BankHouse,
) -> None:
    other, mixed = (direct_payment(number) for number in ("D2", "D3"))
    rows = [dict(row) for row in other.form.rows]
    for row in rows:
        row["fund_type_code"] = "222"
    other = replace(other, form=Form(other.form.fields, tuple(rows)))
    mixed = replace(
        mixed, form=Form(mixed.form.fields, (mixed.form.rows[0], {**rows[1]}))
    )
    house.pay(direct_payment("D1"), other, mixed)
    house.apply()

    funds = {
        row["voucher_no"]: house.issued(number).form.text("fund_type_code")
        for number in house.applied(APPLICATION)
        for row in house.issued(number).form.rows
    }
    assert funds == {"D1": "111", "D2": "222", "D3": ""}


def test_many_payments_go_in_several_applications_each_a_transaction(
    house: BankHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.pay(*(direct_payment(f"D{n}") for n in range(5)))
    monkeypatch.setattr(clearing, "ROWS_MAX", 2)

    assert house.apply() == 5

    named = [
        {row["voucher_no"] for row in house.issued(number).form.rows}
        for number in house.applied(APPLICATION)
    ]
    assert named == [{"D0", "D1"}, {"D2", "D3"}, {"D4"}]


def test_an_application_holds_so_many_rows_and_divides_no_payment() -> None:
    lines = lines_of(direct_payment("D1").form)
    paid = [Paid(Payment(number=f"D{n}"), lines) for n in range(5)]

    packs = list(packed(paid, rows_max=5))

    assert [len(pack) for pack in packs] == [2, 2, 1]
    assert [one for pack in packs for one in pack] == paid
    assert [len(pack) for pack in packed(paid, rows_max=1)] == [1] * 5
    assert list(packed([])) == []
