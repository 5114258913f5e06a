"""Asking to be paid: applications to finance, authorised payments to our bank.

What is asked for takes of the allotment in the transaction that plans its voucher; two
programs at the same books wait for each other there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfoil.business import planning
from counterfoil.business.codes import PaymentWay
from counterfoil.business.numbers import next_in
from counterfoil.business.rows import put, put_known
from counterfoil.business.tables import OutboxEntry, OutboxState
from counterfoil.unit.forms import voucher_of
from counterfoil.unit.kinds import APPLICATION, PAYMENT, WAYS, Office
from counterfoil.unit.left import Left
from counterfoil.unit.tables import Line, Request, RequestState
from counterfoil.unit.wishes import BeyondAllotment, Item, Wish, item_of

_PREFIX: Final = {APPLICATION: "SQS", PAYMENT: "SZF"}
_RETURNABLE: Final = frozenset({OutboxState.SENT, OutboxState.ACCEPTED})


def enter(session: Session, office: Office, wish: Wish, day: str) -> Request:
    """Enter a request and plan its voucher.

    Args:
        session: One transaction.
        office: Who we are.
        wish: What is wanted.
        day: Today in China, `yyyymmdd`.

    Raises:
        BeyondAllotment: The allotment is not enough.
        ValueError: It is no amount, or of no allotment.
    """
    [entered] = enter_each(session, office, [wish], day)
    if isinstance(entered, BeyondAllotment):
        raise entered
    return entered


def enter_each(
    session: Session, office: Office, wishes: Sequence[Wish], day: str
) -> list[Request | BeyondAllotment]:
    """Enter requests and plan their vouchers: those that the allotments allow, in turn.

    Args:
        session: One transaction.
        office: Who we are.
        wishes: What is wanted; the first are the first to take of an allotment.
        day: Today in China, `yyyymmdd`.

    Returns:
        For each wish its request, or why there is none.

    Raises:
        ValueError: One is no amount, or of no allotment.
    """
    left = Left(session, int(day[:4]))
    asked = [_asked(left, wish, day) for wish in wishes]
    entered = [one for one in asked if isinstance(one, Request)]
    _number(session, office, entered, day)
    put_known(session, entered, by=Request.number)
    for one in entered:
        for line in one.lines:
            line.request_id = one.id
    put(session, (line for one in entered for line in one.lines))
    planning.plan_all(session, [voucher_of(one, office) for one in entered], day)
    return asked


def withdraw(session: Session, number: str, reason: str) -> None:
    """Take back a request that is not on its way out yet; the allotment is free again.

    Raises:
        ValueError: There is none, or it is too late.
    """
    asked = _known(session, number)
    planning.withdraw(_entry(session, asked), reason)
    asked.state, asked.note = RequestState.WITHDRAWN, reason


def reissue(
    session: Session, office: Office, number: str, items: Sequence[Item], day: str
) -> Request:
    """Ask again under the number of a request that was given back, as its next issue.

    Args:
        session: One transaction.
        office: Who we are.
        number: The request's number.
        items: What is asked for now; as before if empty.
        day: Today in China, `yyyymmdd`.

    Raises:
        BeyondAllotment: The allotment is not enough.
        ValueError: There is none, it was not given back, or it is of another year.
    """
    asked = _known(session, number)
    entry = _entry(session, asked)
    if asked.state is not RequestState.GIVEN_BACK:
        msg = f"{number} was not given back"
        raise ValueError(msg)
    if int(day[:4]) != asked.fiscal_year:
        msg = f"{number} is of {asked.fiscal_year}"
        raise ValueError(msg)
    again = items or [item_of(line) for line in asked.lines]
    asked.lines.clear()
    session.flush()
    asked.lines += _lines(Left(session, asked.fiscal_year), asked.way, again)
    _name_lines(asked)
    asked.state, asked.note, asked.day = RequestState.OPEN, "", day
    asked.issue += 1
    planning.plan_again(session, entry, voucher_of(asked, office), day)
    return asked


def sent(session: Session, number: str) -> tuple[Request, OutboxEntry]:
    """Return a request that was sent and is not answered, and its voucher.

    Raises:
        ValueError: There is none, or a return cannot be asked for any more.
    """
    asked = _known(session, number)
    entry = _entry(session, asked)
    if entry.state not in _RETURNABLE:
        msg = f"{number} is {entry.state.value}: no return can be asked for"
        raise ValueError(msg)
    return asked, entry


def find(session: Session, number: str) -> tuple[Request, OutboxEntry]:
    """Return a request of ours and the voucher of its latest issue.

    Raises:
        ValueError: There is none.
    """
    asked = _known(session, number)
    return asked, _entry(session, asked)


def _asked(left: Left, wish: Wish, day: str) -> Request | BeyondAllotment:
    """Return the request of a wish, which has no number yet; or why there is none."""
    type_code = APPLICATION if wish.mode is None else PAYMENT
    asked = Request(
        type_code=type_code,
        issue=1,
        fiscal_year=left.fiscal_year,
        way=WAYS[type_code],
        mode=wish.mode,
        day=day,
        state=RequestState.OPEN,
        origin=wish.origin or None,
    )
    try:
        asked.lines += _lines(left, asked.way, wish.items)
    except BeyondAllotment as refusal:
        return refusal
    return asked


def _lines(left: Left, way: PaymentWay, items: Sequence[Item]) -> list[Line]:
    """Return the lines of a request, if the allotments allow them, and take of these.

    Raises:
        BeyondAllotment: The allotment is not enough.
        ValueError: It is no amount, or of no allotment.
    """
    needs: Counter[str] = Counter()
    for item in items:
        if item.amount_fen <= 0:
            msg = "支付金额须大于零"
            raise ValueError(msg)
        needs[item.function] += item.amount_fen
    names = {function: left.name_of(way, function) for function in sorted(needs)}
    if short := list(left.shortages(way, needs)):
        raise BeyondAllotment("；".join(short))
    left.take(way, needs)
    return [
        Line(
            function=item.function,
            function_name=names[item.function],
            payee_account=item.payee_account,
            payee_name=item.payee_name,
            payee_bank=item.payee_bank,
            purpose=item.purpose,
            amount_fen=item.amount_fen,
        )
        for item in items
    ]


def _number(
    session: Session, office: Office, entered: Sequence[Request], day: str
) -> None:
    """Give requests the next numbers of a day, and their lines the places behind them.

    A number names the unit: a bank, and finance when it clears, may know payments of
    several units by their numbers alone.
    """
    for type_code, prefix in _PREFIX.items():
        some = [one for one in entered if one.type_code == type_code]
        if not some:
            continue
        stem = f"{prefix}{office.code}{day}"
        made = partial(_count, session, type_code, stem)
        first = next_in(session, stem, made, len(some))
        for number, one in enumerate(some, start=first):
            one.number = f"{stem}{number:04}"
            _name_lines(one)


def _count(session: Session, type_code: int, stem: str) -> int:
    """Return how many requests have numbers that begin so."""
    alike = Request.type_code == type_code, Request.number.startswith(stem)
    return session.scalar(select(func.count()).where(*alike)) or 0


def _name_lines(asked: Request) -> None:
    for index, line in enumerate(asked.lines, start=1):
        line.row_id = f"{asked.number}-{index}"


def _known(session: Session, number: str) -> Request:
    asked = session.scalar(select(Request).where(Request.number == number))
    if asked is None:
        msg = f"there is no request {number}"
        raise ValueError(msg)
    return asked


def _entry(session: Session, asked: Request) -> OutboxEntry:
    entry = session.scalar(
        select(OutboxEntry).where(
            OutboxEntry.type_code == asked.type_code,
            OutboxEntry.number == asked.number,
            OutboxEntry.issue == asked.issue,
        )
    )
    assert entry is not None, "a request is planned when it is entered"
    return entry
