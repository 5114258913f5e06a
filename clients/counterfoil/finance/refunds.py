"""The copies of the treasury's receipts (回单抄送): refunds are booked by them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from counterfoil.business.codes import PaymentWay
from counterfoil.business.works import Work, receipt_differences
from counterfoil.finance import accounts, allotments
from counterfoil.finance.clearing import way_in
from counterfoil.finance.kinds import (
    PAYMENT,
    Office,
)
from counterfoil.office import Receipt, Voucher


@dataclass(frozen=True, slots=True)
class RefundWork(Work):
    """A bank's refund (2302): the treasury answers it, and we get a copy.

    Source: Hubei measures, article 27 (5) 4 and 5.
    """

    office: Office

    def copied(self, session: Session, voucher: Voucher, receipt: Receipt) -> None:
        """Book negative expenditure, and give the allotment back, once."""
        differences = note_differences(session, voucher, receipt)
        bank = voucher.key.issuer
        is_new = accounts.register(session, voucher, receipt, differences, bank)
        if is_new and not differences:
            back = given_back(session, voucher)
            allotments.use(session, receipt.voucher.digest, back)


def given_back(
    session: Session, voucher: Voucher
) -> dict[allotments.AllotmentKey, int]:
    """Return what a refund gives back to allotments; amounts are negative."""
    way, key = way_in(voucher), voucher.key
    amounts: dict[allotments.AllotmentKey, int] = {}
    for row in voucher.form.rows:
        paid = accounts.receipted(
            session,
            PAYMENT,
            str(row["ori_voucher_no"]),
            fiscal_year=key.fiscal_year,
            bank=key.issuer,
        )
        whose = allotments.AllotmentKey(
            fiscal_year=key.fiscal_year,
            top=str(row["sup_dep_code"]),
            unit=paid.unit if paid and way is PaymentWay.DIRECT else "",
            function=str(row["exp_func_code"]),
            way=way,
        )
        amounts[whose] = amounts.get(whose, 0) + int(row["pay_amt_fen"])
    return amounts


def note_differences(session: Session, voucher: Voucher, receipt: Receipt) -> str:
    """Compare the copy of a receipt with its original; return where they differ."""
    differences = "；".join(receipt_differences(voucher.form, receipt.form))
    if differences:
        day = accounts.day_of_act(receipt.form)
        accounts.find_fault(session, receipt.voucher, differences, day)
    return differences
