"""The statements of a month (月报、对账单), from our own books.

They follow from the books alone, and the month is closed with them: made again, they
have the same bytes. At a year's end the year is stated beside its last month.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfoil.business.codes import PaymentWay, wire_code
from counterfoil.office import Form, Voucher
from counterfoil.office.vouchers import FieldValue
from counterfoil.treasury import totals
from counterfoil.treasury.books import Incoming
from counterfoil.treasury.issuing import Name, voucher_of
from counterfoil.treasury.kinds import (
    APPLICATION,
    BANK_STATEMENT,
    EXPENDITURE_STATEMENT,
    NAMES,
    REFUND,
    REVENUE_STATEMENT,
    Office,
)
from counterfoil.treasury.periods import Period, ending_with
from counterfoil.treasury.reports import balance_report
from counterfoil.treasury.subjects import ALL_LEVELS, ALL_OFFICES, name_of

PACKET: Final = 500
"""Rows of a packet (分包); the national specification has no more in one."""
_OWN_LEVEL: Final = "0"
"""辖属标志: the figures are of this level."""
_GENERAL: Final = "1"
"""报表种类 and 资金性质: within the general budget."""

Row = dict[str, FieldValue]


def of_month(session: Session, office: Office, month: Period) -> list[Voucher]:
    """Return the statements of a month: to finance, and to every bank.

    Source: Hubei measures, article 29 (1) and (3).

    Args:
        session: The books.
        office: Who we are.
        month: Which.
    """
    made: list[Voucher] = []
    for period in ending_with(month):
        made += revenue_statement(session, office, period)
        made += expenditure_statement(session, office, period)
    made.append(balance_report(session, office, month.last))
    made += [
        bank_statement(session, office, party, month) for party in office.bank_parties()
    ]
    return made


def revenue_statement(
    session: Session, office: Office, period: Period
) -> Iterator[Voucher]:
    """Yield the packets of the statement of revenue; none before the year's first.

    Source: Hubei measures, article 29 (1) and annexed table 2 (附表2).
    """
    sums = totals.revenue(session, period.last)
    current = sums.month if len(period.name) == len("yyyymm") else sums.year
    rows: list[Row] = [
        {
            "adm_div_code": office.adm_div,
            "st_year": period.last[:4],
            "tax_org_code": ALL_OFFICES[0],
            "tax_org_name": ALL_OFFICES[1],
            "budget_type": _GENERAL,
            "budget_level_code": level,
            "budget_subject_code": subject,
            "budget_subject_name": name_of(subject),
            "cur_income_amt_fen": current[level, subject],
            "sum_income_amt_fen": sums.year[level, subject],
        }
        for level, subject in sorted(sums.year)
    ]
    head: Row = {"fund_type_code": _GENERAL, "budget_level_code": ALL_LEVELS}
    yield from _packets(office, (REVENUE_STATEMENT, "SR"), period, head, rows)


def expenditure_statement(
    session: Session, office: Office, period: Period
) -> Iterator[Voucher]:
    """Yield the packets of the statement of expenditure; none before the first.

    Source: Hubei measures, article 29 (1) and annexed table 3 (附表3).
    """
    sums = totals.spending(session, period.last)
    current = sums.month if len(period.name) == len("yyyymm") else sums.year
    rows: list[Row] = [
        {
            "exp_func_code": function,
            "exp_func_name": name_of(function),
            "cur_pay_amt_fen": current[function],
            "sum_pay_amt_fen": sums.year[function],
        }
        for function in sorted(sums.year)
    ]
    yield from _packets(office, (EXPENDITURE_STATEMENT, "ZC"), period, {}, rows)


def bank_statement(
    session: Session, office: Office, party: str, month: Period
) -> Voucher:
    """Return what was cleared and refunded with a bank, by kind and way.

    A row for every kind and way, also where there was nothing.

    Source: Hubei measures, article 29 (3) and annexed table 16 (附表16).
    """
    numbers = office.numbers_of(party)
    counted = {
        (type_code, way): (count, int(fen))
        for type_code, way, count, fen in session.execute(
            select(
                Incoming.type_code,
                Incoming.way,
                func.count(),
                func.sum(Incoming.amount_fen),
            )
            .where(Incoming.bank_no.in_(numbers))
            .where(Incoming.serial > 0)
            .where(Incoming.day.between(month.first, month.last))
            .group_by(Incoming.type_code, Incoming.way)
        )
    }
    rows: list[Row] = []
    for type_code in (APPLICATION, REFUND):
        for way in PaymentWay:
            count, fen = counted.get((type_code, way.value), (0, 0))
            rows.append(
                {
                    "e_voucher_type": wire_code(type_code),
                    "e_voucher_type_name": NAMES[type_code],
                    "pay_type_code": way.value,
                    "pay_type_name": way.chinese,
                    "all_num": count,
                    "all_amt_fen": fen,
                }
            )
    fields: Row = {"tre_code": office.tre_code, "check_date": month.last}
    if code := office.code_of(party):
        fields["pay_bank_code"] = code
    name = Name(BANK_STATEMENT, f"DZ{month.name}-{numbers[0]}", month.last, party)
    return voucher_of(office, name, Form(fields, tuple(rows)))


def _packets(
    office: Office,
    kind: tuple[int, str],
    period: Period,
    head: Row,
    rows: Sequence[Row],
) -> Iterator[Voucher]:
    """Yield a statement to finance in packets of at most `PACKET` rows."""
    type_code, prefix = kind
    check_number = f"{prefix}{period.name}"
    packets = [rows[n : n + PACKET] for n in range(0, len(rows), PACKET)]
    amount = (
        "cur_income_amt_fen" if type_code == REVENUE_STATEMENT else "cur_pay_amt_fen"
    )
    for place, packet in enumerate(packets, start=1):
        fields: Row = {
            "voucher_check_no": check_number,
            "child_pack_num": len(packets),
            "cur_pack_no": place,
            "belong_flag": _OWN_LEVEL,
            "bill_kind": _GENERAL,
            "fin_org_code": office.fin_org_code,
            "tre_code": office.tre_code,
            "tre_name": office.name,
            "begin_date": period.first,
            "end_date": period.last,
            "all_num": len(packet),
            "all_amt_fen": sum(int(row[amount]) for row in packet),
            **head,
        }
        numbered = tuple(
            {"id": str(PACKET * (place - 1) + n), **row}
            for n, row in enumerate(packet, start=1)
        )
        name = Name(
            type_code, packet_number(check_number, place), period.last, office.finance
        )
        yield voucher_of(office, name, Form(fields, numbered), has_id=False)


def packet_number(check_number: str, packet: int) -> str:
    """Return the number of a packet: the first has the statement's own."""
    return check_number if packet == 1 else f"{check_number}-{packet}"
