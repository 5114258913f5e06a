"""Lists (清单): which is due for a day, or what stands in its way.

There is one list a day and kind. It names every receipt of that day, so it waits until
no voucher that may still get one is under way, and it is not made while a receipt
does not agree: leaving that one out would be a list that the treasury rejects. Once
people have settled it, with the treasury too, no list names it (`settlements`).

Source: Hubei measures, articles 26 (3), 27 (4) 4 and 27 (5) 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.days import read_day, written
from counterfoil.business.outbox import OPEN
from counterfoil.business.planning import plan, plan_again
from counterfoil.business.tables import GIVEN_BACK, OutboxEntry
from counterfoil.finance.forms import list_number, list_of
from counterfoil.finance.kinds import LISTED, Office
from counterfoil.finance.tables import Receipted


@dataclass(frozen=True, slots=True)
class Listing:
    """A day of one kind that no list names yet, wholly or in part.

    Attributes:
        type_code: The list's kind.
        day: The day, `yyyymmdd`.
        fiscal_year: The treasury keeps the years apart.
        receipted: What is to be listed, by number.
        hindrances: Why it cannot be listed yet, in Chinese.
        before: The list of that day that came back, if one did.
    """

    type_code: int
    day: str
    fiscal_year: int
    receipted: Sequence[Receipted]
    hindrances: Sequence[str]
    before: OutboxEntry | None = None


def unlisted(session: Session, since: str, until: str) -> list[Listing]:
    """Return what is still to be listed of some days, oldest first.

    Args:
        session: One transaction.
        since: The first day, `yyyymmdd`; empty for all before.
        until: The last.
    """
    found: list[Listing] = []
    for type_code, kind in LISTED.items():
        days = session.execute(
            select(Receipted.day, Receipted.fiscal_year)
            .where(Receipted.type_code == kind, Receipted.listed_in == "")
            .where(Receipted.day.between(since, until))
            .distinct()
            .order_by(Receipted.day, Receipted.fiscal_year)
        )
        found += [
            _listing(session, type_code, row.day, row.fiscal_year) for row in days.all()
        ]
    return found


def unlisted_before(session: Session, today: str) -> list[Listing]:
    """Return what is still to be listed of the days that are over, oldest first."""
    return unlisted(session, "", written(read_day(today) - timedelta(days=1)))


def plan_list(session: Session, office: Office, due: Listing, today: str) -> None:
    """Plan a list that nothing stands in the way of."""
    voucher = list_of(office, due.type_code, due.day, due.receipted, today)
    if due.before is None:
        plan(session, voucher, today)
    else:
        plan_again(session, due.before, voucher, today)
    for one in due.receipted:
        one.listed_in = voucher.key.number


def _listing(session: Session, type_code: int, day: str, fiscal_year: int) -> Listing:
    kind = LISTED[type_code]
    receipted = session.scalars(
        select(Receipted)
        .where(
            Receipted.type_code == kind,
            Receipted.day == day,
            Receipted.fiscal_year == fiscal_year,
            Receipted.listed_in == "",
        )
        .order_by(Receipted.number)
    ).all()
    hindrances = [
        f"凭证{one.number}回单不符：{one.note}" for one in receipted if not one.agrees
    ]
    hindrances += [
        f"凭证{number}回单未到"
        for number in _under_way(session, kind, day, fiscal_year)
    ]
    before = _newest(session, type_code, day, fiscal_year)
    if before is not None and before.state not in GIVEN_BACK:
        hindrances.append(f"当日清单{before.number}已发出")
    return Listing(type_code, day, fiscal_year, receipted, hindrances, before)


def _under_way(
    session: Session, kind: int, day: str, fiscal_year: int
) -> Sequence[str]:
    """Return vouchers of ours that may still get a receipt of that day."""
    return session.scalars(
        select(OutboxEntry.number)
        .where(OutboxEntry.type_code == kind, OutboxEntry.planned <= day)
        .where(OutboxEntry.fiscal_year == fiscal_year)
        .where(OutboxEntry.state.in_(OPEN))
        .order_by(OutboxEntry.number)
    ).all()


def _newest(
    session: Session, type_code: int, day: str, fiscal_year: int
) -> OutboxEntry | None:
    return session.scalar(
        select(OutboxEntry)
        .where(
            OutboxEntry.type_code == type_code,
            OutboxEntry.number == list_number(type_code, day),
            OutboxEntry.fiscal_year == fiscal_year,
        )
        .order_by(OutboxEntry.issue.desc())
    )
