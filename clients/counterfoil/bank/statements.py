"""Month's end: the statements that we make from our own books (对账)."""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from counterfoil.bank.journal import RECEIPTED, Payment, voucher_of
from counterfoil.bank.kinds import (
    APPLICATION,
    AUTHORISED_PAYMENT,
    ENTRY_NOTICE,
    WAYS,
    Office,
)
from counterfoil.bank.lines import by_agency, lines_of
from counterfoil.bank.quota import quota_lines
from counterfoil.bank.refunds import back_of
from counterfoil.bank.statement_forms import (
    Movement,
    Period,
    UnitStatement,
    quota_statement,
)
from counterfoil.bank.tables import QuotaChange, Refund, RefundState
from counterfoil.business.books import SqlBooks
from counterfoil.business.days import written
from counterfoil.business.planning import find, plan
from counterfoil.business.tables import OutboxEntry
from counterfoil.office import Voucher, opened_payload, payload_of

READ_AT_ONCE: Final = 500
"""Vouchers of a month that are in memory together."""


class MonthChanged(ValueError):
    """Something was booked in a month while its statements were made."""

    def __init__(self, month: str) -> None:
        super().__init__(
            f"{month} changed while its statements were made: give the command again"
        )


def month_end(month: str) -> date:
    """Return the last day of a month, `yyyymm`.

    Raises:
        ValueError: It is no month.
    """
    first = date.fromisoformat(f"{month}01")
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def plan_statements(books: SqlBooks, office: Office, month: str, day: str) -> int:
    """Plan the statements of a month, those that were not planned before.

    Args:
        books: Our books.
        office: Who we are.
        month: `yyyymm`.
        day: Today in China, `yyyymmdd`.

    Returns:
        How many documents were planned.

    Raises:
        ValueError: It is no month, or it has not ended.
    """
    if written(month_end(month)) >= day:
        msg = f"{month} has not ended"
        raise ValueError(msg)
    # A month that is over changes no more: it is read first, and nobody waits for it.
    # As bytes, for what a month's statements say is large otherwise.
    with books.reading() as session:
        made = [payload_of(one) for one in statements_of(session, office, month, day)]
    count = 0
    with books.writing() as session:
        for one in map(opened_payload, made):
            if find(session, one.key) is None:
                plan(session, one, day)
                count += 1
    return count


def statements_of(
    session: Session, office: Office, month: str, day: str
) -> Iterator[Voucher]:
    """Yield the statements of a month: quota to the treasury, payments to each unit.

    No more than a packet of each unit is in memory at a time.

    Raises:
        MonthChanged: Something was booked in the month meanwhile.

    Source: Hubei measures, article 29 (3) and (4).
    """
    last = written(month_end(month))
    for adm_div in _divisions(session):
        period = Period(
            adm_div=adm_div, month=month, first=f"{month}01", last=last, day=day
        )
        lines = quota_lines(session, adm_div, int(month[:4]), period.first, last)
        yield from quota_statement(office, period, lines)
        totals = Counter(unit for unit, _ in _movements(session, office, period))
        statements = {
            unit: UnitStatement(office, period, unit, total)
            for unit, total in totals.items()
        }
        for unit, movement in _movements(session, office, period):
            if unit not in statements or statements[unit].is_whole:
                raise MonthChanged(month)
            yield from statements[unit].add(movement)
        if not all(one.is_whole for one in statements.values()):
            raise MonthChanged(month)


def _divisions(session: Session) -> list[str]:
    """Return the divisions that we have paid or hold quota for."""
    return sorted(
        {
            *session.scalars(select(QuotaChange.adm_div).distinct()),
            *session.scalars(
                select(OutboxEntry.adm_div)
                .where(OutboxEntry.type_code == APPLICATION)
                .distinct()
            ),
            *session.scalars(select(Payment.adm_div).distinct()),
        }
    )


def _movements(
    session: Session, office: Office, period: Period
) -> Iterator[tuple[tuple[str, str], Movement]]:
    """Yield what was paid for each unit, and what came back, by agency and party.

    A unit that we do not know the party of has no statement, unless it issues
    payments itself.
    """
    yield from _paid(session, office, period)
    for refund in session.scalars(
        select(Refund)
        .where(
            Refund.state == RefundState.REFUNDED,
            Refund.refunded.between(period.first, period.last),
        )
        .order_by(Refund.id)
        .execution_options(yield_per=READ_AT_ONCE)
    ):
        back = back_of(session, refund)
        party = _party(office, back.payment, back.line.agency)
        if party and back.payment.adm_div == period.adm_div:
            yield (
                (back.line.agency, party),
                Movement(
                    type_code=ENTRY_NOTICE,
                    number=f"RZ{refund.number}",
                    function=back.line.function,
                    amount_fen=-refund.amount_fen,
                    day=refund.refunded,
                    account=back.payment.account,
                ),
            )


def _paid(
    session: Session, office: Office, period: Period
) -> Iterator[tuple[tuple[str, str], Movement]]:
    """Yield what was paid for each unit, by agency and party."""
    for payment in session.scalars(
        select(Payment)
        .where(
            Payment.adm_div == period.adm_div,
            Payment.type_code.in_(WAYS),
            Payment.state.in_(RECEIPTED),
            Payment.pay_date.between(period.first, period.last),
        )
        .order_by(Payment.type_code.desc(), Payment.pay_date, Payment.number)
        .options(undefer(Payment.sealed))
        .execution_options(yield_per=READ_AT_ONCE)
    ):
        groups = by_agency(lines_of(voucher_of(payment).form))
        for agency, lines in groups.items():
            functions = {line.function for line in lines}
            party = _party(office, payment, agency)
            if party:
                yield (
                    (agency, party),
                    Movement(
                        type_code=payment.type_code,
                        number=payment.number,
                        function=functions.pop() if len(functions) == 1 else "",
                        amount_fen=sum(line.amount_fen for line in lines),
                        day=payment.pay_date,
                        account=payment.account,
                    ),
                )


def _party(office: Office, payment: Payment, agency: str) -> str:
    if payment.type_code == AUTHORISED_PAYMENT:
        return payment.issuer
    return office.units.get(agency, "")
