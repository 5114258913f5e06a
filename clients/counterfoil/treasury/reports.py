"""The daily reports (日报) from our own books, for finance.

A report follows from the books alone, and its day is closed with it: made again, it has
the same bytes, and the gateway changes nothing.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.office import Form, Voucher
from counterfoil.office.vouchers import FieldValue
from counterfoil.treasury import totals
from counterfoil.treasury.accounts import balance_fen
from counterfoil.treasury.books import Posting
from counterfoil.treasury.issuing import Name, voucher_of
from counterfoil.treasury.kinds import (
    BALANCE_REPORT,
    EXPENDITURE_REPORT,
    REVENUE_REPORT,
    Office,
)
from counterfoil.treasury.subjects import name_of

_PREFIX: Final = {
    BALANCE_REPORT: "KC",
    EXPENDITURE_REPORT: "ZC",
    REVENUE_REPORT: "SR",
}
"""How the numbers of reports begin."""
_OF_A_DAY: Final = {"period_type": "日", "period_type_code": "1"}


def reports_of(session: Session, office: Office, day: str) -> list[Voucher]:
    """Return the reports of a day: balance; revenue and expenditure, if any.

    Source: Hubei measures, articles 3 and 25 and annexed tables 1 to 3 (附表1-3).

    Args:
        session: The books.
        office: Who we are.
        day: In China, `yyyymmdd`.
    """
    reports = (
        balance_report(session, office, day),
        revenue_report(session, office, day),
        expenditure_report(session, office, day),
    )
    return [report for report in reports if report is not None]


def balance_report(session: Session, office: Office, day: str) -> Voucher:
    """Return the balance of the single account at the end of a day (库存日报表).

    Yesterday's balance, what came in and what was paid make today's balance.
    """
    yesterday = balance_fen(session, before=day)
    # Income by subject, as the day's report tells it: a correction takes from its own.
    of_day = [
        *session.scalars(select(Posting.amount_fen).where(Posting.day == day)),
        *totals.revenue(session, day).day.values(),
    ]
    came = sum(fen for fen in of_day if fen > 0)
    paid = -sum(fen for fen in of_day if fen < 0)
    fields: dict[str, FieldValue] = {
        "acct_date": day,
        "bank_code": office.tre_code,
        **_OF_A_DAY,
    }
    row: dict[str, FieldValue] = {
        "id": "1",
        "acct_code": office.account,
        "yesterday_balance_fen": yesterday,
        "today_receipt_fen": came,
        "today_pay_fen": paid,
        "today_balance_fen": yesterday + came - paid,
    }
    return _report(office, BALANCE_REPORT, day, Form(fields, (row,)))


def revenue_report(session: Session, office: Office, day: str) -> Voucher | None:
    """Return what came in by level and subject (收入日报表); None before the first.

    Day, month and year are those up to the day, of this year.

    Source: Hubei measures, article 25, 1.
    """
    sums = totals.revenue(session, day)
    if not sums.year:
        return None
    rows: tuple[dict[str, FieldValue], ...] = tuple(
        {
            "adm_div_code": office.adm_div,
            "st_year": day[:4],
            "budget_level_code": level,
            "budget_subject_code": subject,
            "budget_subject_name": name_of(subject),
            "day_amt_fen": sums.day[level, subject],
            "month_amt_fen": sums.month[level, subject],
            "year_amt_fen": sums.year[level, subject],
        }
        for level, subject in sorted(sums.year)
    )
    fields: dict[str, FieldValue] = {
        "belong_flag": "0",
        "report_date": day,
        "fin_org_code": office.fin_org_code,
        "tre_code": office.tre_code,
        "sum_money_fen": sums.day.total(),
        **_OF_A_DAY,
    }
    return _report(office, REVENUE_REPORT, day, Form(fields, rows))


def expenditure_report(session: Session, office: Office, day: str) -> Voucher | None:
    """Return what was spent by function (支出日报); None before the year's first.

    A refund is negative. Month and year are those up to the day.
    """
    sums = totals.spending(session, day)
    if not sums.year:
        return None
    rows: tuple[dict[str, FieldValue], ...] = tuple(
        {
            "id": str(place),
            "budget_subject_code": function,
            "pay_amt_fen": sums.day[function],
            "month_amt_fen": sums.month[function],
            "year_amt_fen": sums.year[function],
        }
        for place, function in enumerate(sorted(sums.year), start=1)
    )
    fields: dict[str, FieldValue] = {
        "fin_org_code": office.fin_org_code,
        "tre_code": office.tre_code,
        "report_date": day,
        "sum_money_fen": sums.day.total(),
        "sum_month_amt_fen": sums.month.total(),
        "sum_year_amt_fen": sums.year.total(),
    }
    return _report(office, EXPENDITURE_REPORT, day, Form(fields, rows))


def _report(office: Office, type_code: int, day: str, form: Form) -> Voucher:
    """Return a report: its number follows from kind and day."""
    number = f"{_PREFIX[type_code]}{day}"
    return voucher_of(office, Name(type_code, number, day, office.finance), form)
