"""Refunds (退款): money comes back, is matched, confirmed, and given back.

A refund counts against the row that it is matched with from the first moment on, so
that several under way at once never come to more than was paid.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfoil.bank.applications import ROWS_MAX
from counterfoil.bank.issued import next_number, refused_at_home
from counterfoil.bank.journal import RECEIPTED, Payment, voucher_of
from counterfoil.bank.kinds import REFUND_APPLICATION, REFUND_MATCH, WAYS, Office
from counterfoil.bank.lines import lines_of
from counterfoil.bank.refund_forms import (
    Back,
    by_heading,
    match_notice,
    refund_application,
)
from counterfoil.bank.tables import Refund, RefundState, id_in
from counterfoil.business.outcomes import NOTE_MAX
from counterfoil.business.planning import plan

REASON_MAX_BYTES: Final = 255
"""Bytes in GBK of a reason; the notices allow no more."""
_TAKEN: Final = frozenset(RefundState) - {RefundState.UNMATCHED}
"""States in which a refund counts against the row that it is matched with."""


class NotRefundable(ValueError):
    """Money that is not, or not wholly, the named payment's; says why, in Chinese."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """To which paid row a branch says that money belongs (预匹配).

    Attributes:
        number: The payment's number.
        row_id: The row's id.
        type_code: The payment's kind; 0 if the number alone tells.
    """

    number: str
    row_id: str
    type_code: int = 0


def came_back(
    session: Session, office: Office, match: Match, came: tuple[int, str], day: str
) -> Refund:
    """Note money that came back, and ask the payer whether it is its own.

    Args:
        session: One transaction.
        office: Who we are.
        match: To which paid row the branch says that it belongs.
        came: How much came, in fen, and why, as the payee's bank says.
        day: Today in China, `yyyymmdd`.

    Raises:
        NotRefundable: It cannot be that row's.
    """
    amount_fen, reason = came
    if not 0 < len(reason.encode("gbk", errors="replace")) <= REASON_MAX_BYTES:
        raise NotRefundable("退款原因为空或过长")
    payment = _payment(session, match)
    _require_room(session, payment, match.row_id, amount_fen)
    refund = Refund(
        payment=payment.digest,
        row_id=match.row_id,
        amount_fen=amount_fen,
        reason=reason,
        came=day,
        state=RefundState.MATCHED,
    )
    session.add(refund)
    session.flush()  # gives the refund its number
    _ask(session, office, refund, payment, day)
    return refund


def match_again(
    session: Session, office: Office, number: str, match: Match, day: str
) -> Refund:
    """Match money that was not the first payer's with another payment.

    Raises:
        NotRefundable: It is not known, not unmatched, or cannot be that row's.
    """
    refund = session.get(Refund, id_in(number))
    if refund is None:
        raise NotRefundable(f"无退款{number}")
    if refund.state is not RefundState.UNMATCHED:
        raise NotRefundable(f"退款{number}不是未匹配状态")
    payment = _payment(session, match)
    _require_room(session, payment, match.row_id, refund.amount_fen)
    refund.payment, refund.row_id = payment.digest, match.row_id
    refund.state, refund.note = RefundState.MATCHED, ""
    _ask(session, office, refund, payment, day)
    return refund


def apply_for_refunds(
    session: Session, office: Office, day: str, *, held: bool = False
) -> int:
    """Apply for every refund that is confirmed and whose payment was cleared.

    What the treasury has not paid yet it cannot have back: the refund waits until the
    payment itself is cleared, in full.

    Args:
        session: One transaction.
        office: Who we are.
        day: Today in China, `yyyymmdd`.
        held: Whether to name again what the treasury returned.

    Returns:
        How many refunds were applied for.
    """
    if held:
        _free_what_was_never_sent(session)
    session.flush()  # what was changed just now counts
    states = {RefundState.CONFIRMED, *({RefundState.HELD} if held else ())}
    due = [
        back_of(session, one)
        for one in session.scalars(
            select(Refund)
            .join(Payment, Payment.digest == Refund.payment)
            .where(Refund.state.in_(states), Payment.cleared != "")
            .order_by(Refund.id)
        )
    ]
    for heading, backs in by_heading(due).items():
        for start in range(0, len(backs), ROWS_MAX):
            some = backs[start : start + ROWS_MAX]
            # Finance's list names the refunds of all banks by their numbers alone.
            prefix = f"TH{day}{office.code}{heading.way.value}"
            number = next_number(session, REFUND_APPLICATION, prefix)
            application = refund_application(office, heading, number, day, some)
            entry = plan(session, application, day)
            session.flush()  # gives the entry its id
            for back in some:
                back.refund.state = RefundState.APPLIED
                back.refund.application = entry.id
    return len(due)


def _payment(session: Session, match: Match) -> Payment:
    """Return the payment that a match names.

    Raises:
        NotRefundable: There is none, or more than one.
    """
    kinds = {match.type_code} if match.type_code else set(WAYS)
    found = session.scalars(
        select(Payment).where(
            Payment.number == match.number,
            Payment.type_code.in_(kinds & set(WAYS)),
            Payment.state.in_(RECEIPTED),
        )
    ).all()
    if not found:
        raise NotRefundable(f"无已支付并已回单的集中支付凭证{match.number}")
    if len(found) > 1:
        raise NotRefundable(f"凭证号{match.number}不唯一，须指明凭证类型")
    return found[0]


def _require_room(
    session: Session, payment: Payment, row_id: str, amount_fen: int
) -> None:
    """Check that a refund and those before it come to no more than was paid.

    Source: Hubei measures, article 27 (5): a refund takes back what was paid.

    Raises:
        NotRefundable: They would, or there is no such row.
    """
    lines = lines_of(voucher_of(payment).form)
    paid = next((one.amount_fen for one in lines if one.row_id == row_id), None)
    if paid is None:
        raise NotRefundable(f"凭证{payment.number}无明细{row_id}")
    if amount_fen <= 0:
        raise NotRefundable("退款金额应大于零")
    taken = session.scalar(
        select(func.sum(Refund.amount_fen)).where(
            Refund.payment == payment.digest,
            Refund.row_id == row_id,
            Refund.state.in_(_TAKEN),
        )
    )
    if (taken or 0) + amount_fen > paid:
        raise NotRefundable("退款合计超过该明细的支付金额")


def _ask(
    session: Session, office: Office, refund: Refund, payment: Payment, day: str
) -> None:
    """Plan the question to the payer."""
    refund.asked += 1
    notice = match_notice(office, Back(refund, payment, voucher_of(payment)))
    entry = plan(session, notice, day, cause=payment.digest)
    session.flush()  # gives the entry its id
    refund.confirmation = entry.id


def back_of(session: Session, refund: Refund) -> Back:
    """Return a refund with what it was paid by."""
    payment = session.get_one(Payment, refund.payment)
    return Back(refund, payment, voucher_of(payment))


def hold(refunds: Iterable[Refund], why: str) -> None:
    """Have refunds named again by the next application that is asked for."""
    for refund in refunds:
        refund.state, refund.application = RefundState.HELD, None
        refund.note = why[:NOTE_MAX]


def _free_what_was_never_sent(session: Session) -> None:
    """Free what our own gateway would not take: a question, or an application."""
    for entry in refused_at_home(session, REFUND_MATCH):
        for refund in session.scalars(
            select(Refund).filter_by(confirmation=entry.id, state=RefundState.MATCHED)
        ):
            refund.state, refund.note = RefundState.UNMATCHED, entry.note
    for entry in refused_at_home(session, REFUND_APPLICATION):
        named = select(Refund).filter_by(
            application=entry.id, state=RefundState.APPLIED
        )
        hold(session.scalars(named), entry.note)
