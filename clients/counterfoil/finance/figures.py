"""What finance's books say in short: for people, and for the balance of a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfoil.business.outbox import OPEN
from counterfoil.business.tables import (
    IN_WORK,
    InboxEntry,
    InboxState,
    OutboxEntry,
    OutboxState,
)
from counterfoil.finance.accounts import total_fen
from counterfoil.finance.entries import Title
from counterfoil.finance.kinds import (
    APPLICATION,
    APPROPRIATION,
    CLEARING_ORDER,
    LISTED,
    PAYMENT,
    REFUND,
    SPECIAL_PAYMENT,
    Office,
)
from counterfoil.finance.tables import (
    Allotment,
    AllotmentUse,
    Finding,
    Posting,
    Receipted,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The books in short; amounts in fen.

    `expenditure_fen` is what was paid directly (`direct_fen`) and appropriated, and
    what was cleared of authorised payments, less what was refunded.
    """

    revenue_fen: int
    expenditure_fen: int
    balance_fen: int
    """What the single account holds."""
    advanced_fen: int
    """Paid by agent banks, not yet cleared."""
    allotted_fen: int
    used_fen: int
    direct: int
    direct_fen: int
    appropriated: int
    appropriated_fen: int
    special: int
    special_fen: int
    special_balance_fen: int
    """What the special account holds."""
    cleared: int
    cleared_fen: int
    cleared_authorised_fen: int
    refunded: int
    refunded_fen: int
    """Greater than zero."""
    applied: int
    """Applications of units that came."""
    turned_down: int
    """Those that were rejected or returned."""
    listed: int
    """Lists that the treasury has sealed."""
    under_way: int
    """Vouchers of ours, and of others', that something is to follow on."""
    differs: int
    """Receipts that do not agree, and other findings: a person must look."""


def totals(session: Session, office: Office) -> Totals:
    """Return the books in short."""
    direct = _receipted(session, PAYMENT)
    appropriated = _receipted(session, APPROPRIATION)
    special = _receipted(session, SPECIAL_PAYMENT)
    cleared = _receipted(session, CLEARING_ORDER)
    refunded = _receipted(session, REFUND)
    return Totals(
        revenue_fen=-total_fen(session, Title.REVENUE),
        expenditure_fen=total_fen(session, Title.EXPENDITURE),
        balance_fen=office.opening_fen + total_fen(session, Title.SINGLE),
        advanced_fen=-total_fen(session, Title.ADVANCED),
        allotted_fen=_sum(session, Allotment),
        used_fen=_sum(session, AllotmentUse),
        direct=direct[0],
        direct_fen=direct[1],
        appropriated=appropriated[0],
        appropriated_fen=appropriated[1],
        special=special[0],
        special_fen=special[1],
        special_balance_fen=office.special_opening_fen
        + total_fen(session, Title.SPECIAL),
        cleared=cleared[0],
        cleared_fen=cleared[1],
        cleared_authorised_fen=_cleared_authorised_fen(session),
        refunded=refunded[0],
        refunded_fen=-refunded[1],
        applied=_inbox(session, APPLICATION),
        turned_down=_inbox(
            session, APPLICATION, InboxState.REJECTED, InboxState.RETURNED
        ),
        listed=_outbox(session, LISTED, OutboxState.RECEIPTED),
        under_way=_outbox(session, (), *OPEN)
        + _inbox(session, None, *IN_WORK, InboxState.STOPPED),
        differs=_outbox(session, (), OutboxState.DIFFERS, OutboxState.REFUSED)
        + (session.scalar(select(func.count()).select_from(Finding)) or 0),
    )


def _receipted(session: Session, kind: int) -> tuple[int, int]:
    count, fen = session.execute(
        select(func.count(), func.sum(Receipted.amount_fen)).where(
            Receipted.type_code == kind, Receipted.agrees
        )
    ).one()
    return int(count), int(fen or 0)


def _sum(session: Session, table: type[Allotment | AllotmentUse]) -> int:
    return int(session.scalar(select(func.sum(table.amount_fen))) or 0)


def _cleared_authorised_fen(session: Session) -> int:
    """Return the expenditure that clearing orders are: authorised payments."""
    return int(
        session.scalar(
            select(func.sum(Posting.amount_fen))
            .join(Receipted, Receipted.digest == Posting.digest)
            .where(Receipted.type_code == CLEARING_ORDER)
            .where(Posting.title == Title.EXPENDITURE)
        )
        or 0
    )


def _inbox(session: Session, kind: int | None, *states: InboxState) -> int:
    wanted = select(func.count()).select_from(InboxEntry)
    if kind is not None:
        wanted = wanted.where(InboxEntry.type_code == kind)
    if states:
        wanted = wanted.where(InboxEntry.state.in_(states))
    return session.scalar(wanted) or 0


def _outbox(session: Session, kinds: Iterable[int], *states: OutboxState) -> int:
    wanted = select(func.count()).where(OutboxEntry.state.in_(states))
    if wanted_kinds := list(kinds):
        wanted = wanted.where(OutboxEntry.type_code.in_(wanted_kinds))
    return session.scalar(wanted) or 0
