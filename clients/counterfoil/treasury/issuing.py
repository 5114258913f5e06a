"""What we issue: planned in the books, once for each period that it is about."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.outbox import plan, plan_again
from counterfoil.business.tables import GIVEN_BACK, OutboxEntry
from counterfoil.office import Voucher


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
