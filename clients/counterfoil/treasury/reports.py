"""The daily reports (日报) from our own books, for finance.

A report follows from the books alone: issued twice without a booking in between, it
has the same bytes, and the gateway changes nothing. Issued again after another booking
of that day, it is refused: the day was closed.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.office import Form, Voucher, VoucherKey
from counterfoil.office.vouchers import FieldValue
from counterfoil.treasury.accounts import balance_fen
from counterfoil.treasury.books import Posting
from counterfoil.treasury.kinds import BALANCE_REPORT, EXPENDITURE_REPORT, Office

_PREFIX: Final = {BALANCE_REPORT: "KC", EXPENDITURE_REPORT: "ZC"}
"""How the numbers of reports begin."""


def reports_of(session: Session, office: Office, day: str) -> list[Voucher]:
    """Return the reports of a day: balance (3402), and expenditure (3410) if any.

    Source: Hubei measures, article 3 and annexed tables 1 and 3 (附表1, 附表3).

    Args:
        session: The books.
        office: Who we are.
        day: In China, `yyyymmdd`.
    """
    reports = [balance_report(session, office, day)]
    spending = expenditure_report(session, office, day)
    return reports if spending is None else [*reports, spending]


def balance_report(session: Session, office: Office, day: str) -> Voucher:
    """Return the balance of the single account at the end of a day (库存日报表).

    Yesterday's balance, what came in and what was paid make today's balance.
    """
    yesterday = balance_fen(session, before=day)
    of_day = session.scalars(select(Posting.amount_fen).where(Posting.day == day)).all()
    came = sum(fen for fen in of_day if fen > 0)
    paid = -sum(fen for fen in of_day if fen < 0)
    fields: dict[str, FieldValue] = {"acct_date": day, "bank_code": office.tre_code}
    row: dict[str, FieldValue] = {
        "id": "1",
        "acct_code": office.account,
        "yesterday_balance_fen": yesterday,
        "today_receipt_fen": came,
        "today_pay_fen": paid,
        "today_balance_fen": yesterday + came - paid,
    }
    return _report(office, BALANCE_REPORT, day, Form(fields, (row,)))


def expenditure_report(session: Session, office: Office, day: str) -> Voucher | None:
    """Return what was spent by function (支出日报); None before the year's first.

    A refund is negative. Month and year are those up to the day.
    """
    postings = session.execute(
        select(Posting.function, Posting.day, Posting.amount_fen).where(
            Posting.day <= day, Posting.day >= f"{day[:4]}0101"
        )
    )
    today: Counter[str] = Counter()
    month: Counter[str] = Counter()
    year: Counter[str] = Counter()
    for function, when, fen in postings:
        year[function] -= fen
        if when[:6] == day[:6]:
            month[function] -= fen
        if when == day:
            today[function] -= fen
    if not year:
        return None
    rows: tuple[dict[str, FieldValue], ...] = tuple(
        {
            "id": str(place),
            "budget_subject_code": function,
            "pay_amt_fen": today[function],
            "month_amt_fen": month[function],
            "year_amt_fen": year[function],
        }
        for place, function in enumerate(sorted(year), start=1)
    )
    fields: dict[str, FieldValue] = {
        "fin_org_code": office.fin_org_code,
        "tre_code": office.tre_code,
        "report_date": day,
        "sum_money_fen": today.total(),
        "sum_month_amt_fen": month.total(),
        "sum_year_amt_fen": year.total(),
    }
    return _report(office, EXPENDITURE_REPORT, day, Form(fields, rows))


def _report(office: Office, type_code: int, day: str, form: Form) -> Voucher:
    """Return a report: its number follows from kind and day."""
    number, year = f"{_PREFIX[type_code]}{day}", day[:4]
    key = VoucherKey(
        issuer=office.party,
        adm_div=office.adm_div,
        fiscal_year=int(year),
        type_code=type_code,
        number=number,
    )
    fields: dict[str, FieldValue] = {
        "id": number,
        "adm_div_code": office.adm_div,
        "st_year": year,
        "vt_code": str(type_code),
        "vou_date": day,
        "voucher_no": number,
        **form.fields,
    }
    return Voucher(key=key, recipients=(office.finance,), form=Form(fields, form.rows))
