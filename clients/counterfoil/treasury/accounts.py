"""What the books say: balances, quotas and who is the partner of whom.

Every function takes a session, so that a decision and what follows from it can be one
transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from counterfoil.business.codes import PaymentWay
from counterfoil.business.tables import SettlementEntry
from counterfoil.treasury.books import (
    DIFFERS,
    GIVEN_BACK,
    Income,
    Incoming,
    Opening,
    Posting,
    QuotaChange,
    State,
    Statement,
)
from counterfoil.treasury.entries import QuotaKey
from counterfoil.treasury.kinds import (
    APPLICATION,
    APPROPRIATION,
    LISTED,
    ORDER,
    REFUND,
    Office,
)

QUOTA_COLUMNS: Final = (
    QuotaChange.fiscal_year,
    QuotaChange.bank_no,
    QuotaChange.way,
    QuotaChange.function,
    QuotaChange.unit,
    QuotaChange.fund,
)
"""What tells whose quota a change is of."""
_IS_CLEARED: Final = Incoming.type_code.in_({ORDER, REFUND})


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the books say in short; amounts in fen.

    Opening, income and refunds less what was appropriated and cleared make the
    balance.
    """

    arrived: int
    waiting: int
    receipted: int
    returned: int
    rejected: int
    stopped: int
    incomes: int
    opening_fen: int
    income_fen: int
    appropriated_fen: int
    cleared_fen: int
    refunded_fen: int
    balance_fen: int
    quota_fen: int
    statements: int
    answered: int
    differing: int


def balance_fen(session: Session, *, before: str = "") -> int:
    """Return what the single account holds, or held before a day (`yyyymmdd`)."""
    return _sum(session, Opening.amount_fen) + sum(
        _sum(session, table.amount_fen, table.day < before if before else None)
        for table in (Posting, Income)
    )


def balances(session: Session, bank_no: str) -> dict[QuotaKey, int]:
    """Return what is left of every quota of a bank."""
    return _quota_sums(session, QuotaChange.bank_no == bank_no)


def cleared(session: Session, bank_no: str) -> dict[QuotaKey, int]:
    """Return what was cleared of every quota of a bank, less what was refunded."""
    sums = _quota_sums(session, QuotaChange.bank_no == bank_no, _IS_CLEARED)
    return {key: -fen for key, fen in sums.items()}


def cleared_for(session: Session, bank_no: str, payment: str) -> dict[QuotaKey, int]:
    """Return the same of one payment alone, by its number."""
    sums = _quota_sums(
        session,
        QuotaChange.bank_no == bank_no,
        QuotaChange.payment == payment,
        _IS_CLEARED,
    )
    return {key: -fen for key, fen in sums.items()}


def same_number(session: Session, one: Incoming) -> list[Incoming]:
    """Return the other vouchers of the same number that came first.

    What was given back, or is about to be rejected, does not count.
    """
    return _earlier(
        one,
        session.scalars(
            select(Incoming).where(
                Incoming.issuer == one.issuer,
                Incoming.adm_div == one.adm_div,
                Incoming.fiscal_year == one.fiscal_year,
                Incoming.type_code == one.type_code,
                Incoming.number == one.number,
            )
        ),
    )


def applications(session: Session, order: Incoming, office: Office) -> list[Incoming]:
    """Return the applications that an order names, newest issue first.

    They are those of the order's bank: two banks may use the same number. A bank that
    is no longer in the configuration has none.
    """
    bank = office.banks.get(order.bank_no)
    if bank is None:
        return []
    return list(
        session.scalars(
            select(Incoming)
            .where(
                Incoming.type_code == APPLICATION,
                Incoming.number == order.application,
                Incoming.issuer == bank.party,
                Incoming.adm_div == order.adm_div,
                Incoming.fiscal_year == order.fiscal_year,
            )
            .order_by(Incoming.issue.desc())
        )
    )


def orders_of(session: Session, order: Incoming, office: Office) -> list[Incoming]:
    """Return other orders for the application of an order that came first.

    What was given back, or is about to be rejected, does not count.
    """
    party = office.banks[order.bank_no].party
    numbers = [bank.number for bank in office.banks.values() if bank.party == party]
    return _earlier(
        order,
        session.scalars(
            select(Incoming).where(
                Incoming.type_code == ORDER,
                Incoming.application == order.application,
                Incoming.bank_no.in_(numbers),
                Incoming.adm_div == order.adm_div,
                Incoming.fiscal_year == order.fiscal_year,
            )
        ),
    )


def to_be_listed(
    session: Session, listing: Incoming, day: str, bank_numbers: Iterable[str]
) -> list[Incoming]:
    """Return the vouchers whose receipts of a day no list names yet.

    Args:
        session: The books.
        listing: The list.
        day: Day that it is about (`ClearDate`), in China.
        bank_numbers: Of these banks only; of all if empty.
    """
    wanted = select(Incoming).where(
        Incoming.type_code == LISTED[listing.type_code],
        Incoming.adm_div == listing.adm_div,
        Incoming.fiscal_year == listing.fiscal_year,
        Incoming.state == State.RECEIPTED,
        Incoming.day == day,
        Incoming.listed_in == b"",
        # What people have settled is on no list: finance compared it, and it differed.
        Incoming.digest.not_in(
            select(SettlementEntry.digest).where(SettlementEntry.second != "")
        ),
    )
    numbers = set(bank_numbers)
    if numbers:
        wanted = wanted.where(Incoming.bank_no.in_(numbers))
    return list(session.scalars(wanted.order_by(Incoming.number)))


def next_serial(session: Session) -> int:
    """Return the number of the next booking."""
    return (session.scalar(select(func.max(Incoming.serial))) or 0) + 1


def figures(session: Session) -> Figures:
    """Return the books in short."""
    counted = session.execute(
        select(Incoming.state, func.count().label("number")).group_by(Incoming.state)
    )
    counts = {row.state: int(row.number) for row in counted}
    posted = {
        type_code: int(fen)
        for type_code, fen in session.execute(
            select(Incoming.type_code, func.sum(Posting.amount_fen))
            .join(Incoming, Incoming.digest == Posting.digest)
            .group_by(Incoming.type_code)
        )
    }
    results = {
        result: int(count)
        for result, count in session.execute(
            select(Statement.result, func.count()).group_by(Statement.result)
        )
    }
    return Figures(
        arrived=sum(counts.values()),
        waiting=counts.get(State.ACCEPTED, 0),
        receipted=counts.get(State.RECEIPTED, 0),
        returned=counts.get(State.RETURNED, 0),
        rejected=counts.get(State.REJECTED, 0),
        stopped=counts.get(State.STOPPED, 0),
        incomes=session.scalar(select(func.count()).select_from(Income)) or 0,
        opening_fen=_sum(session, Opening.amount_fen),
        income_fen=_sum(session, Income.amount_fen),
        appropriated_fen=-posted.get(APPROPRIATION, 0),
        cleared_fen=-posted.get(ORDER, 0),
        refunded_fen=posted.get(REFUND, 0),
        balance_fen=balance_fen(session),
        quota_fen=_sum(session, QuotaChange.amount_fen),
        statements=sum(results.values()),
        answered=sum(count for result, count in results.items() if result),
        differing=results.get(DIFFERS, 0),
    )


def key_of(change: QuotaChange | Row[*tuple[Any, ...]]) -> QuotaKey:
    """Return whose quota a change is of, or a row of `QUOTA_COLUMNS`."""
    return QuotaKey(
        fiscal_year=change.fiscal_year,
        bank_no=change.bank_no,
        way=PaymentWay(change.way),
        function=change.function,
        unit=change.unit,
        fund=change.fund,
    )


def _quota_sums(session: Session, *where: ColumnElement[bool]) -> dict[QuotaKey, int]:
    """Return the sum of some changes of quota, by whose quota they are of."""
    found = session.execute(
        select(*QUOTA_COLUMNS, func.sum(QuotaChange.amount_fen).label("fen"))
        .join(Incoming, Incoming.digest == QuotaChange.digest)
        .where(*where)
        .group_by(*QUOTA_COLUMNS)
    )
    return {key_of(row): int(row.fen) for row in found}


def _earlier(one: Incoming, others: Iterable[Incoming]) -> list[Incoming]:
    """Return those of `others` that stand in the way of a voucher that was read.

    Of several that were read together the first by number and issue goes on.
    """
    return [
        other
        for other in others
        if other.digest != one.digest
        and other.state not in GIVEN_BACK
        and (
            other.state is not State.READ
            or (not other.note and _place(other) < _place(one))
        )
    ]


def _place(one: Incoming) -> tuple[str, int]:
    return one.number, one.issue


def _sum(
    session: Session,
    amount: InstrumentedAttribute[int],
    where: ColumnElement[bool] | None = None,
) -> int:
    """Return the sum of a column; 0 of no row."""
    wanted = select(func.sum(amount))
    if where is not None:
        wanted = wanted.where(where)
    return int(session.scalar(wanted) or 0)
