"""Our applications whose receipt does not agree, after people have agreed what holds.

Either the treasury has done what we applied for, and its receipt is wrong; or it has
done nothing, and what the application names is free for the next one. A part of it
cannot hold: which payments that would be, no receipt says.

Source: Hubei measures, articles 27 (4), 27 (5) and 34.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.bank.clearing import Applications
from counterfoil.bank.kinds import (
    APPLICATION,
    QUOTA_STATEMENT,
    REFUND_APPLICATION,
    UNIT_STATEMENT,
    Office,
)
from counterfoil.bank.refund_issues import RefundApplications
from counterfoil.business import settlements
from counterfoil.business.outcomes import Tell
from counterfoil.business.planning import draft_of
from counterfoil.business.tables import Holds, OutboxEntry, OutboxState

KINDS = (APPLICATION, REFUND_APPLICATION)
STATEMENTS = (UNIT_STATEMENT, QUOTA_STATEMENT)
"""Statements of ours: when one is settled, nothing is booked."""


def differing(session: Session, number: str, holds: Holds) -> OutboxEntry:
    """Return the application of a number whose receipt does not agree.

    Raises:
        ValueError: There is none, or a part of it is said to hold.
    """
    if holds is Holds.RECEIPT:
        msg = "申请划款、退款凭证只能确认为按凭证办理或未办理"
        raise ValueError(msg)
    entry = session.scalar(
        select(OutboxEntry).where(
            OutboxEntry.number == number,
            OutboxEntry.type_code.in_(KINDS),
            OutboxEntry.state == OutboxState.DIFFERS,
        )
    )
    if entry is None:
        msg = f"没有回单不符待处理的凭证{number}"
        raise ValueError(msg)
    return entry


def settle(
    session: Session, office: Office, entry: OutboxEntry, holds: Holds, tell: Tell
) -> None:
    """Book what holds of an application, on the day on which its receipt came.

    Args:
        session: The transaction in which the second person agreed.
        office: Who we are.
        entry: The application.
        holds: What was agreed.
        tell: Is told how many payments or refunds it is about.
    """
    entry.state = OutboxState.SETTLED
    applications = Applications(office, tell)
    refunds = RefundApplications(office, tell)
    issue = applications if entry.type_code == APPLICATION else refunds
    if holds is Holds.VOUCHER:
        issue.book(session, entry, entry.answered)
    else:
        issue.free(session, entry, "经协商确认未办理")


def unlike_books(session: Session, booked: Mapping[bytes, int]) -> Iterator[str]:
    """Yield where the books have what was settled otherwise than it holds, in Chinese.

    Args:
        session: The books.
        booked: What they say that each voucher moved, in fen, by its digest.
    """
    yield from settlements.unsound(session)
    for digest, holds in sorted(settlements.settled(session).items()):
        [entry] = session.scalars(select(OutboxEntry).filter_by(digest=digest))
        if entry.type_code in STATEMENTS:
            continue
        fen = draft_of(entry).form.fen("pay_amt_fen")
        wanted = fen if holds is Holds.VOUCHER else 0
        if booked.get(digest, 0) != wanted:
            yield f"凭证{entry.number}记账与协商处理的结果不符"
