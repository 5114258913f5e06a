"""Money of our direct payments that came back to a bank (退款).

The bank asks first whether it is ours (102207), refunds it to the treasury (2302), of
whose receipt we get a copy, and then tells us (2203). The ledger has it by the copy
alone: the other two are compared, and change nothing there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfoil.business.money import to_yuan
from counterfoil.business.tables import InboxEntry
from counterfoil.business.works import Work
from counterfoil.finance import accounts
from counterfoil.finance.kinds import PAYMENT, Office
from counterfoil.finance.tables import Match, Receipted
from counterfoil.finance.verdicts import AGREES, DIFFERS, keep, kept
from counterfoil.office import Form, Receipt, Voucher


@dataclass(frozen=True, slots=True)
class MatchWork(Work):
    """A bank's question whether money is ours (102207): 0 it is, 1 it is not.

    Source: Hubei measures, article 27 (5) 1.
    """

    office: Office
    answers = True

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Decide whether it is ours: of our payment, and no more than was paid."""
        number = voucher.form.text("ori_voucher_no")
        fen = voucher.form.fen("pay_amt_fen")
        reason = self._objection(session, voucher, number, fen)
        if reason:
            form = Form({"x_check_result": DIFFERS, "x_check_reason": reason})
        else:
            form = Form({"x_check_result": AGREES})
            session.add(
                Match(
                    digest=entry.digest,
                    bank=voucher.key.issuer,
                    fiscal_year=voucher.key.fiscal_year,
                    number=number,
                    amount_fen=fen,
                )
            )
        keep(session, entry.digest, form)
        return ()

    def receipt(self, session: Session, entry: InboxEntry, voucher: Voucher) -> Receipt:
        """Return what was decided."""
        del voucher
        form = kept(session, entry.digest)
        return Receipt(voucher=entry.reference, by=self.office.party, form=form)

    def _objection(
        self, session: Session, voucher: Voucher, number: str, fen: int
    ) -> str:
        paid = payment_of(session, voucher, number)
        if paid is None:
            return f"支付凭证{number}不是本财政已支付的凭证"
        matched = session.scalar(
            select(func.sum(Match.amount_fen)).where(
                Match.bank == voucher.key.issuer,
                Match.fiscal_year == voucher.key.fiscal_year,
                Match.number == number,
            )
        )
        beyond = -fen - int(matched or 0) - paid.amount_fen
        return f"退款超过支付金额{to_yuan(beyond)}元" if beyond > 0 else ""


@dataclass(frozen=True, slots=True)
class RefundNoticeWork(Work):
    """A bank's notice that money of a direct payment came back (2203): only taken.

    Source: Hubei measures, article 27 (5) 4.
    """

    office: Office

    def objections(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Object to what is not of a payment of ours, or more than was paid."""
        del entry
        number = voucher.form.text("ori_bill_no")
        paid = payment_of(session, voucher, number)
        if paid is None:
            yield f"支付凭证{number}不是本财政已支付的凭证"
        elif -voucher.form.fen("pay_amt_fen") > paid.amount_fen:
            yield "退款金额超过支付金额"


def payment_of(session: Session, voucher: Voucher, number: str) -> Receipted | None:
    """Return the direct payment of ours that a bank's voucher is about."""
    key = voucher.key
    return accounts.receipted(
        session, PAYMENT, number, fiscal_year=key.fiscal_year, bank=key.issuer
    )
