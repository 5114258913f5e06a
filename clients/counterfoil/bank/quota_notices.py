"""Notices of clearing quota (额度) that finance sends us beside the treasury."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete
from sqlalchemy.orm import Session

from counterfoil.bank.kinds import AUTHORISED_QUOTA, Office
from counterfoil.bank.tables import QuotaChange
from counterfoil.business.codes import PaymentWay
from counterfoil.business.tables import InboxEntry
from counterfoil.business.works import Work
from counterfoil.office import Form, Voucher


class QuotaNotice(Work):
    """A notice of clearing quota that finance sent to us too (5106, 5108).

    It is the treasury that keeps quota and answers. A notice that replaces another
    takes its place. One that the treasury gives back finance asks us for too.

    Source: Hubei measures, articles 27 (1) and 33.
    """

    def __init__(self, office: Office) -> None:
        self.office = office

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Write down what it adds to our quota, or takes; another bank's is none."""
        if voucher.replaces:
            session.execute(
                delete(QuotaChange).where(QuotaChange.digest == voucher.replaces)
            )
        if voucher.form.text("pay_bank_no") != self.office.number:
            return ()
        authorised = entry.type_code == AUTHORISED_QUOTA
        way = PaymentWay.AUTHORISED if authorised else PaymentWay.DIRECT
        for row in map(Form, voucher.form.rows):
            session.add(
                QuotaChange(
                    digest=entry.digest,
                    adm_div=entry.adm_div,
                    fiscal_year=entry.fiscal_year,
                    way=way.value,
                    fund=voucher.form.text("fund_type_code"),
                    unit=row.text("sup_dep_code"),
                    unit_name=row.text("sup_dep_name"),
                    function=row.text("exp_func_code"),
                    function_name=row.text("exp_func_name"),
                    amount_fen=row.fen("plan_amt_fen" if authorised else "pay_amt_fen"),
                    day=entry.day,
                )
            )
        return ()

    def take_back(self, session: Session, entry: InboxEntry, voucher: Voucher) -> bool:
        """Strike it out: quota that the treasury does not keep is none."""
        del voucher
        session.execute(delete(QuotaChange).where(QuotaChange.digest == entry.digest))
        return True
