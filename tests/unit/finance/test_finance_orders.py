"""Appropriations, and payments out of the special account."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from counterfoil.business.tables import OutboxState
from counterfoil.finance.kinds import (
    APPROPRIATION,
    APPROPRIATION_LIST,
    SPECIAL_PAYMENT,
)
from counterfoil.finance.orders import Order, read_order
from tests.unit.finance.finance_desk import House
from tests.unit.finance.papers import ACCOUNT, DAY, SCHOOL, SPECIAL_BANK, TREASURY

ORDER = Order(
    number="BK1",
    unit=SCHOOL.code,
    function="2010101",
    function_name="行政运行",
    amount_fen=900,
    purpose="校舍维修",
    payee_account="622200001111",
    payee_name="湖北建设公司",
    payee_bank_no="105521000000",
)
TEXT = """
number = "BK1"
unit = "101001"
function = "2010101"
function_name = "行政运行"
amount = "9.00"
purpose = "校舍维修"
[payee]
account = "622200001111"
name = "湖北建设公司"
bank_no = "105521000000"
"""


def test_an_order_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "order.toml"
    file.write_text(TEXT)

    assert read_order(file) == ORDER


@pytest.mark.parametrize("name", ["number", "amount", "purpose"])
def test_an_order_that_leaves_something_out_is_not_read(
    tmp_path: Path, name: str
) -> None:
    file = tmp_path / "order.toml"
    lines = [line for line in TEXT.splitlines() if not line.startswith(f"{name} =")]
    file.write_text("\n".join(lines))

    with pytest.raises(ValueError, match=f"{name} is missing"):
        read_order(file)


@pytest.mark.clause("hubei-26")
def test_an_appropriation_is_paid_by_the_treasury_booked_and_listed(
    house: House,
) -> None:
    voucher = house.order(APPROPRIATION, ORDER)
    assert voucher.recipients == (TREASURY,)
    assert voucher.form.text("pay_acct_no") == ACCOUNT
    assert house.state(APPROPRIATION) is OutboxState.SENT

    house.answered(APPROPRIATION)
    house.now += timedelta(days=1)
    house.turn()

    found = house.totals
    assert (found.appropriated_fen, found.expenditure_fen) == (900, 900)
    assert found.balance_fen == 100_000 - 900
    [listing] = house.issued(APPROPRIATION_LIST)
    assert listing.key.number == f"BD{DAY}"
    assert [row["ori_voucher_no"] for row in listing.form.rows] == ["SBBK1"]


def test_an_appropriation_whose_receipt_differs_is_neither_booked_nor_listed(
    house: House,
) -> None:
    house.order(APPROPRIATION, ORDER)

    house.answered(APPROPRIATION, short_fen=1)
    house.now += timedelta(days=1)
    house.turn()

    assert house.state(APPROPRIATION) is OutboxState.DIFFERS
    assert house.totals.expenditure_fen == 0
    assert house.issued(APPROPRIATION_LIST) == []


@pytest.mark.clause("hubei-28")
def test_a_special_payment_goes_to_its_bank_and_is_no_expenditure_of_the_budget(
    house: House,
) -> None:
    voucher = house.order(SPECIAL_PAYMENT, ORDER)
    assert voucher.recipients == (SPECIAL_BANK,)
    assert voucher.form.text("pay_acct_no") == "42000000301"
    assert house.state(SPECIAL_PAYMENT) is OutboxState.SENT

    house.answered(SPECIAL_PAYMENT)

    found = house.totals
    assert (found.special, found.special_fen) == (1, 900)
    assert (found.expenditure_fen, found.balance_fen) == (0, 100_000)
    assert found.special_balance_fen == 4_100


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (replace(ORDER, unit="9"), "未登记"),
        (replace(ORDER, amount_fen=0), "应大于零"),
        (replace(ORDER, amount_fen=-1), "应大于零"),
    ],
)
def test_an_order_that_is_wrong_is_not_entered(
    house: House, wrong: Order, told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        house.order(APPROPRIATION, wrong)

    assert house.issued(APPROPRIATION) == []


def test_an_order_is_entered_once_on_whatever_day(house: House) -> None:
    house.order(APPROPRIATION, ORDER)
    house.now += timedelta(days=1)

    with pytest.raises(ValueError, match="已录入"):
        house.order(APPROPRIATION, ORDER)

    assert len(house.issued(APPROPRIATION)) == 1
