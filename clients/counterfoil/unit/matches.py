"""Refunds that the bank matched with a payment (退款匹配): ours, or not."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from counterfoil.business.money import to_yuan
from counterfoil.business.outcomes import REASON_MAX
from counterfoil.office import Voucher
from counterfoil.unit import accounts
from counterfoil.unit.kinds import PAYMENT
from counterfoil.unit.tables import Match, MatchedRow, Request, RequestState


def is_awaited(session: Session, matched: Voucher) -> bool:
    """Tell whether the payment is ours and its entry notice is still under way."""
    asked = _request(session, matched)
    return (
        asked is not None
        and asked.state is RequestState.OPEN
        and not accounts.paid_fen(session, asked)
    )


def answer(session: Session, digest: bytes, matched: Voucher) -> Match:
    """Decide whether a refund is of a payment of ours, and write it down.

    One that we do not confirm may come again, matched otherwise.

    Source: Hubei measures, article 27 (5) 1.
    """
    asked = _request(session, matched)
    reasons = list(_doubts(session, matched, asked))
    match = Match(
        digest=digest,
        request_id=asked.id if asked else None,
        amount_fen=-matched.form.fen("pay_amt_fen"),
        reason="；".join(reasons)[:REASON_MAX],
        rows=[
            MatchedRow(
                row_id=str(row.get("ori_vou_detail_no", "")),
                amount_fen=-int(row["pay_amt_fen"]),
            )
            for row in matched.form.rows
        ],
    )
    session.add(match)
    return match


def _doubts(session: Session, matched: Voucher, asked: Request | None) -> Iterator[str]:
    """Yield why a refund is not ours, in Chinese; nothing if it is.

    1. The payment is an authorised one of ours, and was paid.
    2. No more comes back than was paid, counting what we have confirmed.
    3. The same of each row that is named.
    """
    number = matched.form.text("ori_voucher_no")
    # (1) What finance paid directly is for finance to confirm.
    if asked is None or asked.state is not RequestState.OPEN:
        yield f"凭证{number}不是本单位已支付的授权支付凭证"
        return
    # (2) A bank may match two refunds with one payment, but not beyond it.
    gone = max(
        accounts.confirmed_fen(session, asked), accounts.returned_fen(session, asked)
    )
    left = accounts.paid_fen(session, asked) - gone
    if -matched.form.fen("pay_amt_fen") > left:
        yield f"退款金额超过凭证{number}可退金额{to_yuan(left)}元"
        return
    # (3) A row's payee sends back what that payee was paid.
    lines = {line.row_id: line.amount_fen for line in asked.lines}
    for row in matched.form.rows:
        row_id = str(row.get("ori_vou_detail_no", ""))
        if not row_id:
            continue
        if row_id not in lines:
            yield f"凭证{number}没有明细{row_id}"
        elif -int(row["pay_amt_fen"]) > lines[row_id] - accounts.confirmed_row_fen(
            session, asked, row_id
        ):
            yield f"明细{row_id}退款金额超过支付金额"


def _request(session: Session, matched: Voucher) -> Request | None:
    form = matched.form
    if form.text("ori_vt_code") != str(PAYMENT):
        return None
    return accounts.request(session, PAYMENT, [form.text("ori_voucher_no")])
