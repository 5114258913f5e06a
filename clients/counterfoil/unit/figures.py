"""What the books say in short, for a person or a program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from counterfoil.business.codes import PaymentWay
from counterfoil.business.tables import OutboxEntry, OutboxState
from counterfoil.unit.accounts import left_fen
from counterfoil.unit.tables import (
    Allotment,
    Check,
    Line,
    Match,
    Posting,
    Refund,
    Request,
    RequestState,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the books say in short; amounts in fen.

    Attributes:
        allotted_fen: What we may spend.
        left_fen: What is left of it while what we asked for is under way.
        applications: Applications (8201) that stand: planned, under way or paid.
        applied_fen: What they ask for.
        payments: Authorised payments (8202) that stand.
        ordered_fen: What they order.
        given_back: Requests that were rejected or returned, and not made again.
        withdrawn: Requests that we took back before they were sent.
        differing: Payments whose receipt does not agree with what we ordered.
        received: Direct payments that the bank told us of.
        received_fen: What was paid by them.
        unasked_fen: What of that finance paid without an application of ours.
        paid: Authorised payments that the bank told us of.
        paid_fen: What was paid by them.
        refunds: Refunds that the bank told us of, of either way.
        refunded_fen: What came back by them.
        direct_refunded_fen: What of that was paid directly.
        refund_notices: Notices of refund (2204).
        confirmed: Matched refunds that we confirmed.
        unconfirmed: Matched refunds that were not ours.
        statements: Statements that we answered, by packs.
        disputed: Those of them that our books do not confirm.
    """

    allotted_fen: int
    left_fen: int
    applications: int
    applied_fen: int
    payments: int
    ordered_fen: int
    given_back: int
    withdrawn: int
    differing: int
    received: int
    received_fen: int
    unasked_fen: int
    paid: int
    paid_fen: int
    refunds: int
    refunded_fen: int
    direct_refunded_fen: int
    refund_notices: int
    confirmed: int
    unconfirmed: int
    statements: int
    disputed: int


def figures(session: Session) -> Figures:
    """Return what the books say in short."""
    applications, applied_fen = _standing(session, PaymentWay.DIRECT)
    payments, ordered_fen = _standing(session, PaymentWay.AUTHORISED)
    is_payment = Posting.amount_fen > 0
    received, received_fen = _posted(
        session, is_payment, Posting.way == PaymentWay.DIRECT
    )
    paid, paid_fen = _posted(session, is_payment, Posting.way == PaymentWay.AUTHORISED)
    is_refund = Posting.amount_fen < 0
    refunds, back_fen = _posted(session, is_refund)
    _, direct_back_fen = _posted(session, is_refund, Posting.way == PaymentWay.DIRECT)
    is_disputed = or_(Check.reason != "", Check.differences.any())
    return Figures(
        allotted_fen=_number(session, select(func.sum(Allotment.amount_fen))),
        left_fen=sum(fen for *_, fen in remains(session)),
        applications=applications,
        applied_fen=applied_fen,
        payments=payments,
        ordered_fen=ordered_fen,
        given_back=_count(
            session, Request.id, Request.state == RequestState.GIVEN_BACK
        ),
        withdrawn=_count(session, Request.id, Request.state == RequestState.WITHDRAWN),
        differing=_count(
            session, OutboxEntry.id, OutboxEntry.state == OutboxState.DIFFERS
        ),
        received=received,
        received_fen=received_fen,
        unasked_fen=_posted(session, Posting.request_id.is_(None))[1],
        paid=paid,
        paid_fen=paid_fen,
        refunds=refunds,
        refunded_fen=-back_fen,
        direct_refunded_fen=-direct_back_fen,
        refund_notices=_count(session, Refund.digest),
        confirmed=_count(session, Match.digest, Match.reason == ""),
        unconfirmed=_count(session, Match.digest, Match.reason != ""),
        statements=_count(session, Check.digest),
        disputed=_count(session, Check.digest, is_disputed),
    )


def remains(session: Session) -> list[tuple[int, PaymentWay, str, int]]:
    """Return what is left of every allotment: year, way, function, fen."""
    keys = session.execute(
        select(Allotment.fiscal_year, Allotment.way, Allotment.function)
        .distinct()
        .order_by(Allotment.fiscal_year, Allotment.way, Allotment.function)
    )
    return [
        (year, way, function, left_fen(session, year, way, function))
        for year, way, function in keys
    ]


def _standing(session: Session, way: PaymentWay) -> tuple[int, int]:
    """Return how many requests of a way stand, and what they ask for."""
    which = (Request.state == RequestState.OPEN, Request.way == way)
    asked = select(func.sum(Line.amount_fen)).join(
        Request, Request.id == Line.request_id
    )
    return _count(session, Request.id, *which), _number(session, asked.where(*which))


def _posted(session: Session, *which: ColumnElement[bool]) -> tuple[int, int]:
    """Return how many notices were posted, and what they add up to."""
    return (
        _count(session, Posting.digest.distinct(), *which),
        _number(session, select(func.sum(Posting.amount_fen)).where(*which)),
    )


def _count(
    session: Session, what: SQLColumnExpression[Any], *which: ColumnElement[bool]
) -> int:
    return _number(session, select(func.count(what)).where(*which))


def _number(session: Session, query: Select[Any]) -> int:
    return int(session.scalar(query) or 0)
