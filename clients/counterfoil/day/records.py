"""What a system's own books tell of what was carried: boxes, and what stands beside.

The bank keeps payments, finance the orders from its folder of files, and the treasury
what it acts on, in tables of their own; everything else stands in inbox and outbox.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from counterfoil.bank.forms import notices_of
from counterfoil.bank.journal import Payment, voucher_of
from counterfoil.bank.journal import State as Paid
from counterfoil.business.books import SqlBooks
from counterfoil.day import boxes
from counterfoil.day.carried import Carried, Some, Way, of_lines
from counterfoil.day.cast import PAYERS, UNITS, Institution
from counterfoil.day.stage import Stage
from counterfoil.domain.standing import Standing
from counterfoil.finance.books import Order
from counterfoil.finance.books import State as Ordered
from counterfoil.treasury.books import Incoming
from counterfoil.treasury.books import State as Acted

_PAYMENTS: Final[Mapping[Paid, Standing]] = {
    Paid.READ: Standing.ARRIVED,
    Paid.REJECTED: Standing.REJECTED,
    Paid.RECEIPTED: Standing.RECEIPTED,
    Paid.CLOSED: Standing.RECEIPTED,
    Paid.RETURNED: Standing.RETURNED,
    Paid.VOID: Standing.DISCARDED,
}
"""Where a payment's voucher stands; in every other state it is accepted."""
_ORDERS: Final[Mapping[Ordered, Standing]] = {
    Ordered.WRITTEN: Standing.DRAFT,
    Ordered.SENT: Standing.SENT,
    Ordered.ACCEPTED: Standing.ACCEPTED,
    Ordered.PAID: Standing.CLOSED,
    Ordered.DIFFERS: Standing.DISPUTED,
    Ordered.REJECTED: Standing.REJECTED,
    Ordered.RETURNED: Standing.RETURNED,
    Ordered.DISCARDED: Standing.DISCARDED,
}

_ACTS: Final[Mapping[Acted, Standing]] = {
    Acted.READ: Standing.ARRIVED,
    Acted.REJECTED: Standing.REJECTED,
    Acted.RECEIPTED: Standing.RECEIPTED,
    Acted.RETURNED: Standing.RETURNED,
    Acted.VOID: Standing.DISCARDED,
}
"""The same of what the treasury acts on."""

Lines = Iterable[tuple[Way, Some]]


def told_by_books(stage: Stage, one: Institution) -> dict[Way, Carried]:
    """Return what the own books of a party's system tell of its ways."""
    shared: set[Way] = set()  # of these the books know no more than what was sent
    books = SqlBooks(stage.books(one.code))
    try:
        with books.reading() as session:
            came = of_lines(_came(session, one), arrived=True)
            issued = of_lines(_issued(session, one, shared), arrived=False)
    finally:
        books.close()
    for way in shared:
        sent = issued[way]
        issued[way] = Carried(sent=sent.sent, sent_fen=sent.sent_fen)
    return {**came, **issued}


def _came(session: Session, one: Institution) -> Lines:
    yield from boxes.came(session, one.code)
    if one in PAYERS:
        yield from _payments(session, one.code)
    if one.kind == "treasury":
        yield from _acts(session, one.code)


def _issued(session: Session, one: Institution, shared: set[Way]) -> Lines:
    yield from boxes.issued(session, shared)
    if one.kind == "finance":
        yield from _orders(session, one.code)
    if one in PAYERS:
        yield from _notices(session, one.code, shared)


def _payments(session: Session, party: str) -> Lines:
    kept = (Payment.issuer, Payment.type_code, Payment.state)
    for issuer, type_code, state, count, fen in session.execute(
        select(*kept, func.count(), func.sum(Payment.amount_fen)).group_by(*kept)
    ):
        standing = _PAYMENTS.get(state, Standing.ACCEPTED)
        yield Way(issuer, party, type_code), Some(standing, count, fen)


def _acts(session: Session, party: str) -> Lines:
    kept = (Incoming.issuer, Incoming.type_code, Incoming.state)
    for issuer, type_code, state, count, fen in session.execute(
        select(*kept, func.count(), func.sum(Incoming.amount_fen)).group_by(*kept)
    ):
        standing = _ACTS.get(state, Standing.ACCEPTED)
        yield Way(issuer, party, type_code), Some(standing, count, fen)


def _orders(session: Session, party: str) -> Lines:
    kept = (Order.recipient, Order.type_code, Order.state)
    for recipient, type_code, state, count, fen in session.execute(
        select(*kept, func.count(), func.sum(Order.amount_fen)).group_by(*kept)
    ):
        yield Way(party, recipient, type_code), Some(_ORDERS[state], count, fen)


def _notices(session: Session, party: str, shared: set[Way]) -> Lines:
    """Yield the entry notices (入账通知书) that follow from what a bank paid.

    The bank does not write down whether a unit took one.
    """
    units = {unit.short: unit.code for unit in UNITS}
    paid = session.scalars(
        select(Payment)
        .where(Payment.state == Paid.CLOSED)
        .options(undefer(Payment.sealed))
        .execution_options(yield_per=boxes.ROWS)
    )
    for payment in paid:
        for notice in notices_of(payment, voucher_of(payment), party, units):
            [recipient] = notice.recipients
            way = Way(party, recipient, notice.key.type_code)
            shared.add(way)
            yield way, Some(Standing.SENT, 1, boxes.amount_of(notice))
        session.expunge(payment)
