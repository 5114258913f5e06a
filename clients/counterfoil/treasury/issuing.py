"""What we issue: planned in the books, once for each period that it is about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.codes import wire_code
from counterfoil.business.planning import draft_of, plan, plan_again
from counterfoil.business.tables import GIVEN_BACK, OutboxEntry
from counterfoil.office import Form, Voucher, VoucherKey
from counterfoil.office.vouchers import FieldValue
from counterfoil.treasury.books import Statement
from counterfoil.treasury.kinds import ANSWERED, Office


class Name(NamedTuple):
    """What a voucher of ours is called.

    Attributes:
        type_code: Its kind.
        number: Its number, which follows from kind and period.
        day: Last day that it is about, `yyyymmdd`.
        recipient: Whom it goes to.
    """

    type_code: int
    number: str
    day: str
    recipient: str


def voucher_of(
    office: Office, name: Name, form: Form, *, has_id: bool = True
) -> Voucher:
    """Return a voucher of ours: what is in every form, and the rest of it.

    Args:
        office: Who we are.
        name: What it is called; it is dated on the last day that it is about.
        form: The rest.
        has_id: Whether its form has an `Id`.
    """
    year = name.day[:4]
    key = VoucherKey(
        issuer=office.party,
        adm_div=office.adm_div,
        fiscal_year=int(year),
        type_code=name.type_code,
        number=name.number,
    )
    fields: dict[str, FieldValue] = {
        **({"id": name.number} if has_id else {}),
        "adm_div_code": office.adm_div,
        "st_year": year,
        "vt_code": wire_code(name.type_code),
        "vou_date": name.day,
        "voucher_no": name.number,
        **form.fields,
    }
    return Voucher(key=key, recipients=(name.recipient,), form=Form(fields, form.rows))


def issue(session: Session, vouchers: Iterable[Voucher], today: str) -> int:
    """Plan vouchers; one that came back is planned again as its next issue (重开).

    Planned again while it stands, a voucher changes nothing.

    Args:
        session: The transaction that made them due.
        vouchers: What they say, as issue 1.
        today: In China, `yyyymmdd`.

    Returns:
        How many were not planned before.

    Raises:
        ValueError: One was planned with another content.
    """
    new = 0
    for voucher in vouchers:
        last = newest(session, voucher)
        if last is None:
            plan(session, voucher, today)
        elif last.state in GIVEN_BACK:
            plan_again(session, last, voucher, today)
        else:
            if last.issue == 1:
                plan(session, voucher, today)  # compares, and changes nothing
            continue
        if voucher.key.type_code in ANSWERED:
            _record(session, voucher, today)
        new += 1
    return new


def newest(session: Session, voucher: Voucher) -> OutboxEntry | None:
    """Return the newest issue of a voucher's number; None if it was never planned."""
    key = voucher.key
    return session.scalar(
        select(OutboxEntry)
        .where(
            OutboxEntry.issuer == key.issuer,
            OutboxEntry.adm_div == key.adm_div,
            OutboxEntry.fiscal_year == key.fiscal_year,
            OutboxEntry.type_code == key.type_code,
            OutboxEntry.number == key.number,
        )
        .order_by(OutboxEntry.issue.desc())
    )


def sent(session: Session, statement: Statement) -> Voucher:
    """Return what a statement of ours says, as it was issued last."""
    return draft_of(last(session, statement))


def last(session: Session, statement: Statement) -> OutboxEntry:
    """Return the last issue of a statement of ours, with what it says."""
    issues = session.scalars(
        select(OutboxEntry)
        .where(OutboxEntry.type_code == statement.type_code)
        .where(OutboxEntry.number == statement.number)
        .order_by(OutboxEntry.issue)
    ).all()
    return issues[-1]


def _record(session: Session, voucher: Voucher, today: str) -> None:
    """Note that an answer is due; of a next issue, anew."""
    name = (voucher.key.type_code, voucher.key.number)
    statement = session.get(Statement, name)
    if statement is None:
        statement = Statement(type_code=name[0], number=name[1])
        session.add(statement)
    statement.recipient = voucher.recipients[0]
    statement.day = voucher.form.text("vou_date")
    statement.sent = today
    statement.result = statement.note = statement.answered = ""
