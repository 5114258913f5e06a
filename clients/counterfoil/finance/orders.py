"""Entering orders to pay: appropriations (实拨) and out of the special account (专户).

number = "BK2026-001"        # an order is entered once
unit = "101001"
function = "2050202"
function_name = "小学教育"
amount = "12000.00"          # yuan
purpose = "校舍维修"

[payee]
account = "622200001111"
name = "湖北建设公司"
bank_no = "105521000000"
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from counterfoil.business.money import to_fen
from counterfoil.business.planning import find, plan
from counterfoil.finance.forms import made
from counterfoil.finance.kinds import APPROPRIATION, SPECIAL_PAYMENT, Account, Office
from counterfoil.office import Form, Voucher
from counterfoil.office.vouchers import FieldValue

_PREFIX: Final = {APPROPRIATION: "SB", SPECIAL_PAYMENT: "ZH"}
"""How the numbers of the vouchers begin; the order's own number follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order to pay one payee for one purpose.

    Attributes:
        number: Its own number.
        unit: The unit that it is for, by its code.
        function: Function (支出功能分类科目).
        function_name: What it is called; empty if nobody says.
        amount_fen: What is paid.
        purpose: What for (用途).
        payee_account: Payee's account.
        payee_name: Payee's name.
        payee_bank_no: Number of the payee's bank (行号).
    """

    number: str
    unit: str
    function: str
    function_name: str = ""
    amount_fen: int
    purpose: str
    payee_account: str
    payee_name: str
    payee_bank_no: str


def read_order(path: Path) -> Order:
    """Return what a file orders.

    Raises:
        OSError: The file cannot be read.
        ValueError: It does not say what such a file says.
    """
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        payee = tables["payee"]
        return Order(
            number=tables["number"],
            unit=tables["unit"],
            function=tables["function"],
            function_name=tables.get("function_name", ""),
            amount_fen=to_fen(tables["amount"]),
            purpose=tables["purpose"],
            payee_account=payee["account"],
            payee_name=payee["name"],
            payee_bank_no=payee["bank_no"],
        )
    except KeyError as error:
        msg = f"{path.name}: {error.args[0]} is missing"
        raise ValueError(msg) from error


def enter(
    session: Session, office: Office, type_code: int, order: Order, day: str
) -> Voucher:
    """Plan the voucher of an order, once.

    Source: Hubei measures, articles 26 (1) and 28 (1).

    Args:
        session: One transaction.
        office: Who we are.
        type_code: 5207 to the treasury, or 5267 to the special account's bank.
        order: The order.
        day: Today in China, `yyyymmdd`.

    Returns:
        The voucher.

    Raises:
        ValueError: It was entered before, names a unit that is not ours, pays nothing,
            or we have no special account.
    """
    if order.unit not in office.units:
        msg = f"预算单位{order.unit}未登记"
        raise ValueError(msg)
    if order.amount_fen <= 0:
        msg = f"拨款单{order.number}金额应大于零"
        raise ValueError(msg)
    voucher = voucher_of(office, type_code, order, day)
    if find(session, voucher.key) is not None:
        msg = f"拨款单{order.number}已录入"
        raise ValueError(msg)
    plan(session, voucher, day)
    return voucher


def voucher_of(office: Office, type_code: int, order: Order, day: str) -> Voucher:
    """Return the voucher of an order.

    Raises:
        ValueError: It is to be paid out of a special account, and we have none.
    """
    account = office.single
    if type_code == SPECIAL_PAYMENT:
        if office.special is None:
            msg = "未设置财政专户"
            raise ValueError(msg)
        account = office.special
    number = f"{_PREFIX[type_code]}{order.number}"
    voucher = made(office, type_code, number, day, _form(office, account, order))
    if account.bank:
        voucher = replace(voucher, recipients=(office.banks[account.bank].party,))
    return voucher


def _form(office: Office, account: Account, order: Order) -> Form:
    unit = office.units[order.unit]
    row: dict[str, FieldValue] = {
        "id": "1",
        "exp_func_code": order.function,
        "pay_amt_fen": order.amount_fen,
    }
    if order.function_name:
        row["exp_func_name"] = order.function_name
    fields: dict[str, FieldValue] = {
        "payee_acct_no": order.payee_account,
        "payee_acct_name": order.payee_name,
        "payee_acct_bank_no": order.payee_bank_no,
        "pay_acct_no": account.number,
        "pay_acct_name": account.name,
        "agency_code": unit.code,
        "agency_name": unit.name,
        "pay_summary_name": order.purpose,
        "pay_amt_fen": order.amount_fen,
    }
    return Form(fields, (row,))
