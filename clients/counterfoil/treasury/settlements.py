"""A receipt or statement of ours that does not agree, after people have agreed on it.

Finance tells it, for it compares. Our books have what the voucher says, and nothing
else can hold here: what was paid otherwise, a correcting voucher puts right. The
receipt then is to be on no list any more, with finance as with us.

Source: Hubei measures, articles 26 (3), 27 (4) 4 and 34.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.settlements import is_settled
from counterfoil.business.tables import Holds
from counterfoil.treasury.books import DIFFERS, Incoming, State, Statement
from counterfoil.treasury.kinds import LISTED


def differing(session: Session, number: str) -> Statement | None:
    """Return the statement of ours of a number whose answer does not agree, or None."""
    return session.scalar(
        select(Statement).where(Statement.number == number, Statement.result == DIFFERS)
    )


def receipted(session: Session, number: str, holds: Holds) -> Incoming:
    """Return the voucher of a number that no list names yet, to be settled.

    Raises:
        ValueError: There is none, or more than one; or what was agreed is another thing
            than the voucher says.
    """
    if holds is not Holds.VOUCHER:
        msg = "国库已按凭证记账，只能确认凭证；差额应开具凭证更正"
        raise ValueError(msg)
    found = [
        one
        for one in session.scalars(
            select(Incoming).where(
                Incoming.number == number,
                Incoming.type_code.in_(LISTED.values()),
                Incoming.state == State.RECEIPTED,
                Incoming.listed_in == b"",
            )
        )
        if not is_settled(session, one.digest)
    ]
    if len(found) != 1:
        many = "不唯一" if found else "没有已回单、未列入清单的"
        msg = f"{many}凭证{number}"
        raise ValueError(msg)
    return found[0]
