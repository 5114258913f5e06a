"""The vouchers that finance makes.

Everything follows from our books, so the same books give the same bytes again. A
number is made of the kind's prefix, the year, and how many we have made before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfoil.business.codes import wire_code
from counterfoil.business.numbers import next_in
from counterfoil.business.tables import OutboxEntry
from counterfoil.finance.kinds import (
    AGENCY_STATEMENT,
    APPROPRIATION_LIST,
    AUTHORISED_QUOTA,
    CHECK_REPLY,
    CLEARING_APPLICATION,
    CLEARING_LIST,
    CLEARING_ORDER,
    DIRECT_QUOTA,
    EXPENDITURE_REPLY,
    LISTED,
    PAYMENT,
    REFUND_LIST,
    REVENUE_REPLY,
    Office,
)
from counterfoil.finance.tables import Receipted
from counterfoil.office import Form, Voucher, VoucherKey
from counterfoil.office.vouchers import FieldValue

Fields = Mapping[str, FieldValue]

_PREFIX: Final[Mapping[int, str]] = {
    PAYMENT: "ZF",
    AUTHORISED_QUOTA: "SE",
    DIRECT_QUOTA: "ZE",
    CLEARING_ORDER: "QS",
    CLEARING_LIST: "QD",
    REFUND_LIST: "TD",
    APPROPRIATION_LIST: "BD",
    CHECK_REPLY: "PH",
    REVENUE_REPLY: "SH",
    EXPENDITURE_REPLY: "CH",
}
"""How the numbers of each kind begin."""


_WITHOUT_ID: Final = frozenset(
    {CHECK_REPLY, REVENUE_REPLY, EXPENDITURE_REPLY, AGENCY_STATEMENT}
)
"""Kinds whose form has no `Id`."""
_WITHOUT_TREASURY: Final = frozenset({PAYMENT, AGENCY_STATEMENT})
"""Kinds whose form does not name the treasury."""


def _named(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}_{what}" for name in names for what in ("code", "name"))


_PAID_FOR: Final = (
    *_named("fund_type", "bgt_type", "pro_cat", "sup_dep", "agency"),
    *_named("exp_func", "exp_eco", "dep_pro"),
    *("payee_acct_no", "payee_acct_name", "payee_acct_bank_name"),
    *("payee_acct_bank_no", "pay_amt_fen"),
)
_PAYMENT_MAIN: Final = (
    *_PAID_FOR,
    *_named("pay_type", "mof_dep", "set_mode", "business_type", "pay_summary"),
    *_named("exp_func1", "exp_func2", "exp_func3"),
    *("pay_acct_no", "pay_acct_name", "pay_acct_bank_name"),
)
"""Fields of an application that stand in the payment voucher too."""
_PAYMENT_ROW: Final = ("id", *_PAID_FOR, *_named("pay_kind"), "remark")
"""The same of its rows."""


def next_number(session: Session, type_code: int, year: int) -> str:
    """Return the number of the next voucher of a kind that we make."""

    def made() -> int:
        first = select(func.count()).where(
            OutboxEntry.type_code == type_code,
            OutboxEntry.fiscal_year == year,
            OutboxEntry.issue == 1,
        )
        return session.scalar(first) or 0

    stem = f"{_PREFIX[type_code]}{year}"
    return f"{stem}{next_in(session, stem, made):06}"


def list_number(type_code: int, day: str) -> str:
    """Return the number of the list of a day: there is one."""
    return f"{_PREFIX[type_code]}{day}"


def payment_of(application: Voucher, office: Office, number: str, day: str) -> Voucher:
    """Return the payment voucher (5201) for a unit's application (108201).

    What is paid to whom is the unit's; number and bank are ours. Every row names the
    application (支付申请序号), by which the unit knows its own again.

    Source: Hubei measures, article 27 (2) 1.
    """
    asked, theirs = application.key.number, application.form
    unit = office.units[theirs.text("agency_code")]
    bank = office.banks[unit.bank]
    top: Fields = {"sup_dep_code": unit.top}
    rows = tuple(
        {
            **_taken(row, _PAYMENT_ROW),
            **top,
            "voucher_bill_id": number,
            "voucher_bill_no": number,
            "voucher_no": asked,
        }
        for row in theirs.rows
    )
    fields = {
        **_taken(theirs.fields, _PAYMENT_MAIN),
        **top,
        "st_year": str(application.key.fiscal_year),
        "pay_bank_code": bank.code,
        "hold1": asked,
    }
    payment = made(office, PAYMENT, number, day, Form(fields, rows))
    return replace(payment, recipients=(bank.party,))


def order_of(application: Voucher, office: Office, number: str, day: str) -> Voucher:
    """Return the clearing order (5301) for a bank's application (2301).

    It says what the application says: bank, accounts, way and rows.

    Source: Hubei measures, article 27 (4) 2.
    """
    form = application.form
    fields = {
        **form.fields,
        "ori_vt_code": wire_code(CLEARING_APPLICATION),
        "ori_voucher_no": application.key.number,
    }
    return made(office, CLEARING_ORDER, number, day, Form(fields, form.rows))


def list_of(
    office: Office, type_code: int, day: str, receipted: Sequence[Receipted], today: str
) -> Voucher:
    """Return the list (清单) of what was receipted on a day: of one fiscal year.

    Source: Hubei measures, articles 26 (3), 27 (4) 4 and 27 (5) 5.
    """
    ori, year = wire_code(LISTED[type_code]), receipted[0].fiscal_year
    rows: tuple[Fields, ...] = tuple(
        {
            "id": str(place),
            "ori_vt_code": ori,
            "ori_voucher_no": one.number,
            "pay_amt_fen": one.amount_fen,
        }
        for place, one in enumerate(receipted, start=1)
    )
    fields: Fields = {
        "st_year": str(year),
        "clear_date": day,
        "all_num": len(rows),
        "all_amt_fen": sum(int(row["pay_amt_fen"]) for row in rows),
    }
    number = list_number(type_code, day)
    return made(office, type_code, number, today, Form(fields, rows))


def made(
    office: Office,
    type_code: int,
    number: str,
    day: str,
    form: Form,
) -> Voucher:
    """Return a voucher to the treasury: what every kind says of itself, and a form.

    Args:
        office: Who we are.
        type_code: The kind.
        number: Its number.
        day: Day of its making in China, `yyyymmdd`.
        form: What it says beside; `st_year` if it is of another fiscal year than its
            day, as what follows on a voucher of last year.
    """
    year = form.text("st_year") or day[:4]
    key = VoucherKey(
        issuer=office.party,
        adm_div=office.adm_div,
        fiscal_year=int(year),
        type_code=type_code,
        number=number,
    )
    fields: dict[str, FieldValue] = {
        **form.fields,
        "adm_div_code": office.adm_div,
        "st_year": year,
        "vt_code": wire_code(type_code),
        "vou_date": day,
        "voucher_no": number,
    }
    if type_code not in _WITHOUT_ID:
        fields["id"] = number
    if type_code not in _WITHOUT_TREASURY:
        fields["tre_code"] = office.tre_code
    if type_code != PAYMENT:
        fields["fin_org_code"] = office.fin_org_code
    return Voucher(key=key, recipients=(office.treasury,), form=Form(fields, form.rows))


def _taken(fields: Fields, names: Sequence[str]) -> dict[str, FieldValue]:
    return {name: fields[name] for name in names if name in fields}
