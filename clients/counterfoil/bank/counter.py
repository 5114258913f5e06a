"""The counter (银行柜面): an electronic voucher and its paper have to meet.

Nothing is paid before both are there. What proves that they belong together is the
check code that the print carries: it follows from the voucher's bytes.

Source: Hubei measures, article 27 (3) 1 and 2.
"""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.bank.journal import GIVEN_BACK, Payment
from counterfoil.bank.kinds import AUTHORISED_PAYMENT
from counterfoil.bank.tables import Paper
from counterfoil.office import Form

CHECK_CODE: Final = re.compile(r"[0-9A-F]{8}", re.ASCII)
_AT_THE_COUNTER: Final = "1"
"""`FundDealModeCode` of what is paid at the counter; 2 is self-service (自助柜面)."""


class PaperRefused(ValueError):
    """A paper that nothing is paid on; the text says why, in Chinese."""


def check_code_of(digest: bytes) -> str:
    """Return the check code of a voucher: its digest's first eight digits."""
    return digest.hex()[:8].upper()


def is_by_counter(type_code: int, form: Form) -> bool:
    """Tell whether a voucher is paid at the counter only."""
    mode = form.text("fund_deal_mode_code")
    return type_code == AUTHORISED_PAYMENT and mode == _AT_THE_COUNTER


def enter(session: Session, number: str, check_code: str, day: str) -> bool:
    """Enter a paper that was handed in; tell whether it met its voucher.

    1. The check code is one.
    2. The paper was not honoured before.
    3. Its voucher, if it is here, is for the counter and was not given back.
    4. If vouchers of its number are here, it is the paper of one of them.

    A paper whose voucher is not here yet waits for it.

    Args:
        session: One transaction.
        number: The voucher's number, as the print has it.
        check_code: The check code, as the print has it.
        day: Today in China, `yyyymmdd`.

    Raises:
        PaperRefused: It is not the paper of a voucher that waits for one.
    """
    code = check_code.strip().upper()
    # (1) A slip of the pen is told at once.
    if CHECK_CODE.fullmatch(code) is None:
        raise PaperRefused("校验码应为8位十六进制数字")
    paper = session.scalar(select(Paper).filter_by(number=number, check_code=code))
    # (2) Else a copy of a paper would be honoured.
    if paper is not None and paper.payment is not None:
        raise PaperRefused("该纸质凭证已受理")
    payments = list(_of_number(session, number))
    own = next((one for one in payments if check_code_of(one.digest) == code), None)
    if own is not None:
        # (3) What was given back is void, whatever paper there is.
        if own.state in GIVEN_BACK:
            raise PaperRefused("电子凭证已退回或作废")
        if not own.by_counter:
            raise PaperRefused("该凭证为自助柜面办理，不凭纸质凭证")
    # (4) The number is right, and the bytes are others.
    elif any(one.state not in GIVEN_BACK for one in payments):
        raise PaperRefused("校验码与电子凭证不符")
    if paper is None:
        paper = Paper(number=number, check_code=code, day=day)
        session.add(paper)
    paper.refused = False
    if own is None:
        return False
    _meet(own, paper, day)
    return True


def meet_waiting(session: Session, payment: Payment, day: str) -> int:
    """Let a voucher that came meet the papers that wait for its number.

    Returns:
        How many papers were refused: their check codes are others.
    """
    refused = 0
    for paper in session.scalars(
        select(Paper).where(
            Paper.number == payment.number, Paper.payment.is_(None), ~Paper.refused
        )
    ):
        if paper.check_code == check_code_of(payment.digest):
            _meet(payment, paper, day)
        else:
            paper.refused = True
            refused += 1
    return refused


def _meet(payment: Payment, paper: Paper, day: str) -> None:
    paper.payment = payment.digest
    payment.paper = day


def _of_number(session: Session, number: str) -> list[Payment]:
    return list(
        session.scalars(
            select(Payment).where(
                Payment.type_code == AUTHORISED_PAYMENT, Payment.number == number
            )
        )
    )
