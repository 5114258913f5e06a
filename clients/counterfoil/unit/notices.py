"""Entry notices (2205) and notices of refund (2204): what they change in the books.

Every function takes a session, so that a decision and what follows from it can be one
transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from counterfoil.business.codes import PaymentWay
from counterfoil.business.money import to_yuan
from counterfoil.business.rows import put
from counterfoil.office import Voucher
from counterfoil.office.vouchers import FieldValue
from counterfoil.unit import accounts
from counterfoil.unit.kinds import APPLICATION, PAYMENT, REFUND_NOTICE
from counterfoil.unit.tables import Posting, Refund, Request, RequestState

_AUTHORISED: Final = frozenset({str(PAYMENT), str(REFUND_NOTICE)})


def way_of(notice: Voucher) -> PaymentWay:
    """Return by which way the original of an entry notice was paid."""
    is_authorised = notice.form.text("ori_vt_code") in _AUTHORISED
    return PaymentWay.AUTHORISED if is_authorised else PaymentWay.DIRECT


def request_of(session: Session, notice: Voucher) -> Request | None:
    """Return what an entry notice is about; None if we did not ask for it.

    * An authorised payment (8202) by its number.
    * A refund of one (2204) by the notice of refund.
    * A direct payment (5201) by the application that its rows name (支付申请序号), or
      the reserved field that finance carries it in; once one is in the books, by the
      number of the payment too, so that its refund (2203) finds it.
    """
    original = notice.form.text("ori_vt_code")
    if original == str(REFUND_NOTICE):
        told = accounts.refund(session, notice.form.text("ori_voucher_no"))
        return None if told is None else session.get_one(Request, told.request_id)
    asked = accounts.request(session, *numbers_in(notice))
    if asked is not None or original == str(PAYMENT):
        return asked
    posted = accounts.payer_of(session, notice.key.issuer, _payments_in(notice))
    if posted is None or posted.request_id is None:
        return None
    return session.get_one(Request, posted.request_id)


def numbers_in(notice: Voucher) -> tuple[int, list[str]]:
    """Return by which numbers a notice may name a request of ours, and its type."""
    form = notice.form
    if notice.key.type_code == REFUND_NOTICE:
        return PAYMENT, [form.text("ori_bill_no")]
    if form.text("ori_vt_code") == str(PAYMENT):
        return PAYMENT, [form.text("ori_voucher_no")]
    names = [*(str(row.get("voucher_no", "")) for row in form.rows), form.text("hold1")]
    return APPLICATION, list(dict.fromkeys(filter(None, names)))


def payment_of(session: Session, notice: Voucher, asked: Request | None) -> str:
    """Return the number of the payment (8202, 5201) that an entry notice is about.

    What came back of a direct payment may name the refund (2203), which goes to
    finance: then it is the last payment of the application.
    """
    if asked is not None and asked.type_code == PAYMENT:
        return asked.number
    posted = accounts.payer_of(session, notice.key.issuer, _payments_in(notice))
    if posted is None and asked is not None and notice.form.fen("pay_amt_fen") < 0:
        posted = accounts.last_payment(session, asked)
    return posted.paid_by if posted else notice.form.text("ori_voucher_no")


@dataclass(frozen=True, slots=True)
class About:
    """What an entry notice is about.

    Attributes:
        asked: What we asked for; None if we did not.
        payment: Number of the payment (8202, 5201).
    """

    asked: Request | None
    payment: str


def about(session: Session, notice: Voucher) -> About:
    """Return what an entry notice is about; see `request_of`, `payment_of`."""
    asked = request_of(session, notice)
    return About(asked, payment_of(session, notice, asked))


def entry_hindrances(
    session: Session, notice: Voucher, subject: About
) -> Iterator[str]:
    """Yield why an entry notice cannot be in our books; nothing if it can.

    1. An authorised payment is one of ours.
    2. What it is about was not given back.
    3. A payment is entered once, and not beyond what was asked for.
    4. No more comes back than was paid.

    Source: Hubei measures, articles 27 (2) 3, 27 (3) 3 and 27 (5) 4.
    """
    fen, asked = notice.form.fen("pay_amt_fen"), subject.asked
    original = notice.form.text("ori_voucher_no")
    # (1) Nobody but us orders payments from our account.
    if asked is None and way_of(notice) is PaymentWay.AUTHORISED:
        yield f"本单位没有凭证{original}"
        return
    # (2) Finance or the bank told us that it would not be paid.
    if asked is not None and asked.state is not RequestState.OPEN:
        yield f"凭证{asked.number}已退回或撤回"
        return
    payment = subject.payment
    entered = accounts.entered_fen(session, notice.key.issuer, payment)
    if fen > 0:
        # (3) The same payment told twice was paid once.
        if entered is not None:
            yield f"支付凭证{payment}已入账"
        elif asked is not None:
            beyond = accounts.paid_fen(session, asked) + fen - asked.amount_fen
            if beyond > 0:
                yield f"入账金额超过凭证{asked.number}{to_yuan(beyond)}元"
    # (4) Else an allotment grows that nobody gave.
    elif (entered or 0) + fen < 0:
        yield f"退款金额超过支付凭证{payment}已入账金额{to_yuan(entered or 0)}元"


def post(session: Session, digest: bytes, notice: Voucher, subject: About) -> None:
    """Post an entry notice, row by row; `entry_hindrances` has found nothing."""
    asked, form = subject.asked, notice.form
    put(
        session,
        [
            Posting(
                digest=digest,
                request_id=asked.id if asked else None,
                fiscal_year=notice.key.fiscal_year,
                way=way_of(notice),
                function=_function(row, asked),
                amount_fen=int(row["pay_amt_fen"]),
                bank=notice.key.issuer,
                paid_by=subject.payment,
                notice=notice.key.number,
                day=form.text("x_pay_date"),
            )
            for row in form.rows
        ],
    )


def refunded(session: Session, notice: Voucher) -> Request | None:
    """Return the payment that a notice of refund (2204) is about; None if not ours."""
    return accounts.request(session, *numbers_in(notice))


def refund_hindrances(
    session: Session, notice: Voucher, asked: Request | None
) -> Iterator[str]:
    """Yield why a notice of refund (2204) cannot be ours; nothing if it can.

    Source: Hubei measures, article 27 (5) 4.
    """
    number = notice.form.text("ori_bill_no")
    if asked is None or asked.state is not RequestState.OPEN:
        yield f"本单位没有已支付的凭证{number}"
        return
    told = accounts.refunds_fen(session, asked) - notice.form.fen("pay_amt_fen")
    if told > asked.amount_fen:
        yield f"退款金额超过凭证{number}金额"


def note_refund(
    session: Session, digest: bytes, notice: Voucher, asked: Request | None
) -> None:
    """Write a notice of refund down; `refund_hindrances` has found nothing."""
    assert asked is not None, "`refund_hindrances` refuses it before"
    session.add(
        Refund(
            digest=digest,
            number=notice.key.number,
            request_id=asked.id,
            amount_fen=-notice.form.fen("pay_amt_fen"),
            day=notice.form.text("pay_date"),
        )
    )


def _payments_in(notice: Voucher) -> set[str]:
    """Return the numbers by which a notice may name its payment."""
    rows = {str(row.get("voucher_bill_no", "")) for row in notice.form.rows}
    return {notice.form.text("ori_voucher_no"), *rows} - {""}


def _function(row: Mapping[str, FieldValue], asked: Request | None) -> str:
    """Return the function of a row; what it does not state the request's row does."""
    stated = str(row.get("exp_func_code", ""))
    if stated or asked is None:
        return stated
    named = {line.row_id: line.function for line in asked.lines}
    return named.get(str(row["id"]), asked.lines[0].function)
