"""What the books say: what is left of an allotment, what was paid for a request.

Every function takes a session, so that a decision and what follows from it can be one
transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import BindParameter, Select, bindparam, func, or_, select
from sqlalchemy.orm import Session, selectinload

from counterfoil.business.codes import PaymentWay
from counterfoil.business.prepared import Prepared
from counterfoil.unit.tables import (
    Allotment,
    Line,
    Match,
    MatchedRow,
    Posting,
    Refund,
    Request,
    RequestState,
)

_YEAR: Final[BindParameter[int]] = bindparam("year")
_WAY: Final[BindParameter[PaymentWay]] = bindparam("way")
_FUNCTION: Final[BindParameter[str]] = bindparam("function")
_ALLOTTED: Final = select(func.sum(Allotment.amount_fen)).where(
    Allotment.fiscal_year == _YEAR,
    Allotment.way == _WAY,
    Allotment.function == _FUNCTION,
)
_ASKED: Final = (
    select(func.sum(Line.amount_fen))
    .join(Request, Request.id == Line.request_id)
    .where(
        Request.state == RequestState.OPEN,
        Request.fiscal_year == _YEAR,
        Request.way == _WAY,
        Line.function == _FUNCTION,
    )
)
_TAKEN_ELSE: Final = select(func.sum(Posting.amount_fen)).where(
    Posting.fiscal_year == _YEAR,
    Posting.way == _WAY,
    Posting.function == _FUNCTION,
    or_(Posting.amount_fen < 0, Posting.request_id.is_(None)),
)
_LEFT: Final = Prepared(
    select(
        func.coalesce(_ALLOTTED.scalar_subquery(), 0)
        - func.coalesce(_ASKED.scalar_subquery(), 0)
        - func.coalesce(_TAKEN_ELSE.scalar_subquery(), 0)
    )
)
_FUNCTION_NAME: Final = Prepared(
    select(Allotment.function_name).where(
        Allotment.fiscal_year == _YEAR,
        Allotment.way == _WAY,
        Allotment.function == _FUNCTION,
    )
)
_LOCKED: Final = select(Allotment.id).where(Allotment.way == _WAY).with_for_update()
_KNOWN: Final = "requests of ours"
_REQUESTS: Final = (
    select(Request)
    .where(
        Request.type_code == bindparam("type_code"),
        Request.number.in_(bindparam("numbers", expanding=True)),
    )
    # With its lines: nobody looks a request up who does not want its amount.
    .options(selectinload(Request.lines))
)
_ENTERED: Final = Prepared(
    select(func.sum(Posting.amount_fen)).where(
        Posting.bank == bindparam("bank"), Posting.paid_by == bindparam("payment")
    )
)
_PAYER: Final = (
    select(Posting)
    .where(
        Posting.bank == bindparam("bank"),
        Posting.paid_by.in_(bindparam("numbers", expanding=True)),
    )
    .order_by(Posting.id)
    .limit(1)
)
_POSTED: Final = select(func.sum(Posting.amount_fen)).where(
    Posting.request_id == bindparam("request")
)
_PAID: Final = Prepared(_POSTED.where(Posting.amount_fen > 0))
_RETURNED: Final = Prepared(_POSTED.where(Posting.amount_fen < 0))


def left_fen(session: Session, fiscal_year: int, way: PaymentWay, function: str) -> int:
    """Return what is left of an allotment while what was asked for is under way.

    An open request takes all that it asks for, paid or not; what came back gives back.
    What finance paid without an application of ours was paid from the allotment too.
    """
    wanted = {"year": fiscal_year, "way": way, "function": function}
    return int(_LEFT.scalar(session, wanted) or 0)


def lock(session: Session, way: PaymentWay) -> None:
    """Keep the allotments of a way for this transaction: two at once would both fit.

    Only where a database lets several write at once do they wait for each other here.
    """
    session.execute(_LOCKED, {"way": way}).all()


def function_name(
    session: Session, fiscal_year: int, way: PaymentWay, function: str
) -> str | None:
    """Return the name of a function that has an allotment; None if it has none."""
    wanted = {"year": fiscal_year, "way": way, "function": function}
    name: str | None = _FUNCTION_NAME.scalar(session, wanted)
    return name


def expect(session: Session, named: Iterable[tuple[int, Sequence[str]]]) -> None:
    """Look up together the requests that `request` will be asked for; type and numbers.

    What is found is kept with the transaction, and that there is none, too: requests
    are not entered in a transaction in which notices are booked.
    """
    numbers: dict[int, set[str]] = {}
    for type_code, some in named:
        numbers.setdefault(type_code, set()).update(some)
    known: dict[tuple[int, str], Request | None] = session.info.setdefault(_KNOWN, {})
    for type_code, wanted in numbers.items():
        known |= dict.fromkeys(((type_code, one) for one in wanted), None)
        asked = {"type_code": type_code, "numbers": sorted(wanted)}
        for one in session.scalars(_REQUESTS, asked):
            known[type_code, one.number] = one


def request(session: Session, type_code: int, numbers: Sequence[str]) -> Request | None:
    """Return the first request of ours that one of these numbers names; else None."""
    known = session.info.get(_KNOWN, {})
    if not all((type_code, one) in known for one in numbers):
        expect(session, [(type_code, numbers)])
        known = session.info[_KNOWN]
    found = (known[type_code, one] for one in numbers)
    return next((one for one in found if one is not None), None)


def paid_fen(session: Session, asked: Request) -> int:
    """Return what was paid for a request, whatever came back later."""
    return int(_PAID.scalar(session, {"request": asked.id}) or 0)


def returned_fen(session: Session, asked: Request) -> int:
    """Return what came back of a request; zero or more."""
    return -int(_RETURNED.scalar(session, {"request": asked.id}) or 0)


def entered_fen(session: Session, bank: str, payment: str) -> int | None:
    """Return what is in the books of a bank's payment, less what came back.

    None: it is not in the books.
    """
    fen: int | None = _ENTERED.scalar(session, {"bank": bank, "payment": payment})
    return fen


def payer_of(session: Session, bank: str, numbers: Collection[str]) -> Posting | None:
    """Return a posting of a payment that has one of these numbers."""
    return session.scalar(_PAYER, {"bank": bank, "numbers": numbers})


def last_payment(session: Session, asked: Request) -> Posting | None:
    """Return a posting of the payment that was made last for a request."""
    return session.scalar(
        select(Posting)
        .where(Posting.request_id == asked.id, Posting.amount_fen > 0)
        .order_by(Posting.id.desc())
        .limit(1)
    )


def confirmed_fen(session: Session, asked: Request) -> int:
    """Return what we have confirmed of a request's refunds."""
    return _sum(
        session,
        select(func.sum(Match.amount_fen)).where(
            Match.request_id == asked.id, Match.reason == ""
        ),
    )


def confirmed_row_fen(session: Session, asked: Request, row_id: str) -> int:
    """Return what we have confirmed of refunds of one row."""
    return _sum(
        session,
        select(func.sum(MatchedRow.amount_fen))
        .join(Match, Match.digest == MatchedRow.digest)
        .where(
            Match.request_id == asked.id,
            Match.reason == "",
            MatchedRow.row_id == row_id,
        ),
    )


def refund(session: Session, number: str) -> Refund | None:
    """Return a notice of refund (2204) that came; None if there is none."""
    return session.scalar(select(Refund).where(Refund.number == number).limit(1))


def refunds_fen(session: Session, asked: Request) -> int:
    """Return what notices of refund say came back of a request."""
    return _sum(
        session,
        select(func.sum(Refund.amount_fen)).where(Refund.request_id == asked.id),
    )


def _sum(session: Session, query: Select[Any]) -> int:
    return int(session.scalar(query) or 0)
