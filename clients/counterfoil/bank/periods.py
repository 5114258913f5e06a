"""What our books say of a period, to be held against what others state of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.bank.journal import RECEIPTED, Payment
from counterfoil.bank.kinds import (
    APPLICATION,
    AUTHORISED_REFUND,
    DIRECT_REFUND,
    REFUND_APPLICATION,
    WAYS,
)
from counterfoil.bank.tables import Entry, Refund, RefundState, What, id_in
from counterfoil.business.codes import PaymentWay
from counterfoil.business.planning import draft_of
from counterfoil.business.tables import GIVEN_BACK, OutboxEntry

NAMED_AT_ONCE: Final = 500
"""Numbers that one query names; databases allow a few thousand."""
_REFUND_NOTICES: Final = frozenset({DIRECT_REFUND, AUTHORISED_REFUND})
KIND_OF: Final = {What.CLEARED: APPLICATION, What.REFUNDED: REFUND_APPLICATION}
"""Which kind of ours the treasury answered, by what its receipt booked."""


@dataclass(frozen=True, slots=True)
class Booked:
    """A voucher as our books have it.

    Attributes:
        number: Its number.
        amount_fen: Its amount; what was refunded is negative.
        day: When it was paid, cleared or refunded, `yyyymmdd`.
    """

    number: str
    amount_fen: int
    day: str


@dataclass(slots=True)
class Count:
    """So many vouchers, and their sum in fen."""

    number: int = 0
    amount_fen: int = 0


def paid_of(session: Session, account: str, first: str, last: str) -> list[Booked]:
    """Return what was paid out of an account in a period."""
    found = session.execute(
        select(Payment.number, Payment.amount_fen, Payment.pay_date)
        .where(
            Payment.account == account,
            Payment.state.in_(RECEIPTED),
            Payment.pay_date.between(first, last),
        )
        .order_by(Payment.number)
    )
    return [Booked(*one) for one in found]


def booked(
    session: Session, named: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], list[Booked]]:
    """Return what we have under kinds and numbers: payments, refund notices.

    Two units may use the same number: then it is more than one.
    """
    numbers: defaultdict[int, set[str]] = defaultdict(set)
    for type_code, number in named:
        numbers[type_code].add(number)
    found: defaultdict[tuple[int, str], list[Booked]] = defaultdict(list)
    for type_code, wanted in numbers.items():
        look = _refunds if type_code in _REFUND_NOTICES else _payments
        ordered = sorted(wanted)
        for start in range(0, len(ordered), NAMED_AT_ONCE):
            some = ordered[start : start + NAMED_AT_ONCE]
            for name, one in look(session, type_code, some):
                found[type_code, name].append(one)
    return dict(found)


def _payments(
    session: Session, type_code: int, numbers: Sequence[str]
) -> Iterator[tuple[str, Booked]]:
    """Yield the payments of a kind with these numbers."""
    for number, fen, day in session.execute(
        select(Payment.number, Payment.amount_fen, Payment.pay_date).where(
            Payment.type_code == type_code,
            Payment.number.in_(numbers),
            Payment.state.in_(RECEIPTED),
        )
    ):
        yield number, Booked(number, fen, day)


def _refunds(
    session: Session, _type_code: int, names: Sequence[str]
) -> Iterator[tuple[str, Booked]]:
    """Yield the refunds that these names mean."""
    found = {
        one.id: one
        for one in session.scalars(
            select(Refund).where(
                Refund.id.in_(set(map(id_in, names))),
                Refund.state == RefundState.REFUNDED,
            )
        )
    }
    for name in names:
        one = found.get(id_in(name))
        if one is not None:
            yield name, Booked(one.number, -one.amount_fen, one.refunded)


def answered(
    session: Session, first: str, last: str
) -> dict[tuple[int, PaymentWay], Count]:
    """Return what the treasury answered in a period, by kind and way of payment."""
    sums: defaultdict[tuple[int, PaymentWay], Count] = defaultdict(Count)
    for entry, way in _entries(session, first, last):
        count = sums[entry.type_code, way]
        count.number += 1
        count.amount_fen += draft_of(entry).form.fen("pay_amt_fen")
    return dict(sums)


def answered_on(session: Session, type_code: int, day: str) -> Iterator[Booked]:
    """Yield what of a kind the treasury answered on a day, by number."""
    for entry, _ in _entries(session, day, day):
        if entry.type_code == type_code:
            yield Booked(entry.number, draft_of(entry).form.fen("pay_amt_fen"), day)


def returned_of(session: Session, type_code: int, day: str) -> Iterator[Booked]:
    """Yield what of a kind was issued on a day and given back, by number."""
    for entry in session.scalars(
        select(OutboxEntry)
        .where(
            OutboxEntry.type_code == type_code,
            OutboxEntry.planned == day,
            OutboxEntry.state.in_(GIVEN_BACK),
        )
        .order_by(OutboxEntry.number)
    ):
        yield Booked(entry.number, draft_of(entry).form.fen("pay_amt_fen"), day)


def _entries(
    session: Session, first: str, last: str
) -> Iterator[tuple[OutboxEntry, PaymentWay]]:
    """Yield applications whose receipts state days of a period, with their ways."""
    found = session.execute(
        select(OutboxEntry, Payment.type_code)
        .join(Entry, Entry.digest == OutboxEntry.digest)
        .join(Payment, Payment.digest == Entry.payment)
        .where(Entry.what.in_(KIND_OF), Entry.day.between(first, last))
        .distinct()
        .order_by(OutboxEntry.number)
    )
    for entry, type_code in found:
        yield entry, WAYS[type_code]
