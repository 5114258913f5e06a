"""Asking to be paid: applications to finance, authorised payments to our bank.

What is asked for takes of the allotment in the transaction that plans its voucher; two
programs at the same books wait for each other there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from counterfoil.business import outbox
from counterfoil.business.numbers import next_in
from counterfoil.business.rows import put, put_one
from counterfoil.business.tables import OutboxEntry, OutboxState
from counterfoil.unit import accounts
from counterfoil.unit.forms import voucher_of
from counterfoil.unit.kinds import APPLICATION, PAYMENT, WAYS, Office
from counterfoil.unit.tables import Allotment, Line, Request, RequestState
from counterfoil.unit.wishes import BeyondAllotment, Item, Wish, item_of

_PREFIX: Final = {APPLICATION: "SQS", PAYMENT: "SZF"}
_FUNCTION_NAME: Final = select(Allotment.function_name).where(
    Allotment.fiscal_year == bindparam("year"),
    Allotment.way == bindparam("way"),
    Allotment.function == bindparam("function"),
)
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
    type_code = APPLICATION if wish.mode is None else PAYMENT
    asked = Request(
        type_code=type_code,
        number=_next_number(session, office, type_code, day),
        issue=1,
        fiscal_year=int(day[:4]),
        way=WAYS[type_code],
        mode=wish.mode,
        day=day,
        state=RequestState.OPEN,
        origin=wish.origin or None,
    )
    _fill(session, asked, wish.items)
    put_one(session, asked)
    for line in asked.lines:
        line.request_id = asked.id
    put(session, asked.lines)
    outbox.plan(session, voucher_of(asked, office), day)
    return asked


def withdraw(session: Session, number: str, reason: str) -> None:
    """Take back a request that is not on its way out yet; the allotment is free again.

    Raises:
        ValueError: There is none, or it is too late.
    """
    asked = _known(session, number)
    outbox.withdraw(_entry(session, asked), reason)
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
    _fill(session, asked, again)
    asked.state, asked.note, asked.day = RequestState.OPEN, "", day
    asked.issue += 1
    outbox.plan_again(session, entry, voucher_of(asked, office), day)
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


def _fill(session: Session, asked: Request, items: Sequence[Item]) -> None:
    """Give a request its lines, if the allotment allows them."""
    needs: Counter[str] = Counter()
    for item in items:
        if item.amount_fen <= 0:
            msg = "支付金额须大于零"
            raise ValueError(msg)
        needs[item.function] += item.amount_fen
    names = {
        function: _function_name(session, asked, function) for function in sorted(needs)
    }
    short = list(accounts.shortages(session, asked.fiscal_year, asked.way, needs))
    if short:
        raise BeyondAllotment("；".join(short))
    asked.lines += [
        Line(
            row_id=f"{asked.number}-{index}",
            function=item.function,
            function_name=names[item.function],
            payee_account=item.payee_account,
            payee_name=item.payee_name,
            payee_bank=item.payee_bank,
            purpose=item.purpose,
            amount_fen=item.amount_fen,
        )
        for index, item in enumerate(items, start=1)
    ]


def _function_name(session: Session, asked: Request, function: str) -> str:
    name = session.scalar(
        _FUNCTION_NAME,
        {"year": asked.fiscal_year, "way": asked.way, "function": function},
    )
    if name is None:
        msg = f"功能科目{function}没有{asked.way.chinese}用款计划"
        raise ValueError(msg)
    return name


def _next_number(session: Session, office: Office, type_code: int, day: str) -> str:
    """Return the next number of a day.

    It names the unit: a bank, and finance when it clears, may know payments of several
    units by their numbers alone.
    """
    stem = f"{_PREFIX[type_code]}{office.code}{day}"

    def made() -> int:
        alike = Request.type_code == type_code, Request.number.startswith(stem)
        return session.scalar(select(func.count()).where(*alike)) or 0

    return f"{stem}{next_in(session, stem, made):04}"


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
