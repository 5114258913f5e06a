"""Errors in what we issued (差错处理): withdrawn, asked for, made again, corrected.

Source: Hubei measures, articles 31 to 34.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.planning import draft_of, plan_again, withdraw
from counterfoil.business.tables import (
    GIVEN_BACK,
    InboxEntry,
    OutboxEntry,
    OutboxState,
)
from counterfoil.finance import budget, orders
from counterfoil.finance.books import Order as FolderOrder
from counterfoil.finance.kinds import (
    APPROPRIATION,
    LISTED,
    SPECIAL_PAYMENT,
    Office,
)
from counterfoil.office import Reference, Voucher, VoucherKey

_WITH_NOBODY: Final = GIVEN_BACK | {OutboxState.REFUSED, OutboxState.WITHDRAWN}
"""States of a voucher of ours that nobody has, or has any more."""
_ANSWERED: Final = frozenset(
    {OutboxState.RECEIPTED, OutboxState.DIFFERS, OutboxState.SETTLED}
)
"""States of a voucher of ours that its recipient has acted on."""


def entry_named(session: Session, number: str) -> OutboxEntry:
    """Return the newest issue of a number of ours; kinds have prefixes of their own.

    Raises:
        ValueError: We never made it.
    """
    entry = session.scalar(
        select(OutboxEntry)
        .where(OutboxEntry.number == number)
        .order_by(OutboxEntry.issue.desc(), OutboxEntry.id.desc())
    )
    if entry is None:
        msg = f"没有凭证{number}"
        raise ValueError(msg)
    return entry


def sent_as(session: Session, office: Office, number: str) -> Reference:
    """Return what names a voucher that we sent, from the folder or not.

    Source: Hubei measures, article 32: what was acted on goes back no more.

    Raises:
        ValueError: We never sent it, or its receipt is here.
    """
    order = session.scalar(
        select(FolderOrder)
        .where(FolderOrder.number == number)
        .order_by(FolderOrder.issue.desc())
    )
    if order is not None:
        key = VoucherKey(
            issuer=office.party,
            adm_div=office.adm_div,
            fiscal_year=order.fiscal_year,
            type_code=order.type_code,
            number=order.number,
            issue=order.issue,
        )
        return Reference(key, order.digest)
    entry = entry_named(session, number)
    if not entry.digest:
        msg = f"凭证{number}尚未发出"
        raise ValueError(msg)
    if entry.state in _ANSWERED:
        # Another recipient, who has not acted, would undo it alone.
        msg = f"凭证{number}已办理，不能退回，应开具凭证更正"
        raise ValueError(msg)
    return entry.reference


def withdraw_unsent(session: Session, number: str, reason: str) -> None:
    """Take back a voucher that is planned and not on its way out yet.

    Source: Hubei measures, article 32.

    Raises:
        ValueError: It is too late, or another's voucher is behind it: that is answered
            by its return.
    """
    entry = entry_named(session, number)
    _must_be_our_own(entry)
    withdraw(entry, reason)


def stopped(session: Session, cause: InboxEntry) -> bool:
    """Take back what was planned from another's voucher, if that can still be.

    Source: Hubei measures, article 32.

    Args:
        session: One transaction.
        cause: The voucher, whose issuer asks for it.

    Returns:
        Whether nothing that was made from it is, or may be, with anybody.
    """
    made = session.scalar(
        select(OutboxEntry)
        .where(OutboxEntry.cause == cause.digest)
        .order_by(OutboxEntry.id.desc())
    )
    if made is None:
        return True
    if made.state is OutboxState.PLANNED:
        try:
            withdraw(made, f"发送方要求退回原凭证{cause.number}")
        except ValueError:
            return False  # on its way out
    return made.state in _WITH_NOBODY


def issue_again(
    session: Session, office: Office, number: str, corrected: orders.Order | None
) -> Voucher:
    """Plan the next issue of a voucher that came back (重开).

    Source: Hubei measures, article 33: what came back is void, and a new one is made.

    Args:
        session: One transaction.
        office: Who we are.
        number: Its number.
        corrected: What the order should have said; None if it was sound.

    Returns:
        What the new issue says.

    Raises:
        ValueError: It did not come back, another's voucher is behind it, it is a list,
            or a correction is not of an order.
    """
    entry = entry_named(session, number)
    _must_be_our_own(entry)
    if entry.type_code in LISTED:
        msg = f"清单{number}按日重开"
        raise ValueError(msg)
    voucher = draft_of(entry)
    if corrected is not None:
        if entry.type_code not in {APPROPRIATION, SPECIAL_PAYMENT}:
            msg = f"凭证{number}不是拨款凭证"
            raise ValueError(msg)
        voucher = orders.voucher_of(office, entry.type_code, corrected, entry.planned)
        if voucher.key.number != number:
            msg = f"更正的拨款单{corrected.number}不是凭证{number}"
            raise ValueError(msg)
    again = plan_again(session, entry, voucher, entry.planned)
    return draft_of(again)


def correct(session: Session, office: Office, number: str, day: str) -> list[Voucher]:
    """Plan the voucher that takes a quota notice back, and names it (更正).

    Source: Hubei measures, article 34.

    Raises:
        ValueError: It is no quota notice, was taken back before, or more than is left
            was spent of it.
    """
    notice = draft_of(entry_named(session, number))
    reversal = budget.reversal_of(session, office, notice)
    return budget.enter(session, office, reversal, day)


def _must_be_our_own(entry: OutboxEntry) -> None:
    if entry.cause:
        msg = f"凭证{entry.number}由他方凭证生成，应退回原凭证"
        raise ValueError(msg)
