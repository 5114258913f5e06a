"""What finance does about each kind that comes to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from counterfoil.business.planning import plan
from counterfoil.business.tables import InboxEntry
from counterfoil.business.works import Work
from counterfoil.finance import allotments, checks
from counterfoil.finance.clearing_works import ClearingWork
from counterfoil.finance.daily_check import CheckWork
from counterfoil.finance.forms import next_number, payment_of
from counterfoil.finance.kinds import (
    APPLICATION,
    BALANCE_REPORT,
    CLEARING_APPLICATION,
    DAILY_CHECK,
    EXPENDITURE_REPORT,
    EXPENDITURE_STATEMENT,
    PAYMENT,
    REFUND,
    REFUND_MATCH,
    REFUND_NOTICE,
    REVENUE_REPORT,
    REVENUE_STATEMENT,
    Office,
)
from counterfoil.finance.matching import MatchWork, RefundNoticeWork
from counterfoil.finance.refunds import RefundWork
from counterfoil.finance.remedies import stopped
from counterfoil.finance.replies import (
    ExpenditureStatementWork,
    RevenueStatementWork,
)
from counterfoil.finance.reports import BalanceWork, ExpenditureWork, RevenueWork
from counterfoil.office import Voucher


@dataclass(frozen=True, slots=True)
class ApplicationWork(Work):
    """A unit's application for direct payment (108201): one payment voucher each.

    Source: Hubei measures, article 27 (2) 1.
    """

    office: Office

    def objections(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Return what `checks` finds, and where the allotment is not enough."""
        del entry
        found = list(checks.objections(voucher, self.office))
        return found or self._shortages(session, voucher)

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Use the allotment and plan the payment; or return why it cannot be."""
        # Another application may have used the allotment since it was accepted.
        if short := self._shortages(session, voucher):
            return short
        allotments.use(session, entry.digest, checks.needs(voucher, self.office))
        number = next_number(session, PAYMENT, voucher.key.fiscal_year)
        payment = payment_of(voucher, self.office, number, entry.day)
        plan(session, payment, entry.day, cause=entry.digest)
        return ()

    def take_back(self, session: Session, entry: InboxEntry, voucher: Voucher) -> bool:
        """Let go of it unless the bank may have our payment: then that one answers."""
        del voucher
        if not stopped(session, entry):
            return False
        allotments.release(session, entry.digest)
        return True

    def _shortages(self, session: Session, voucher: Voucher) -> list[str]:
        needs = checks.needs(voucher, self.office)
        return list(allotments.shortages(session, needs))


def works_of(office: Office) -> dict[int, Work]:
    """Return what we do about each kind, by type code."""
    return {
        APPLICATION: ApplicationWork(office),
        CLEARING_APPLICATION: ClearingWork(office),
        REFUND: RefundWork(office),
        REFUND_MATCH: MatchWork(office),
        REFUND_NOTICE: RefundNoticeWork(office),
        REVENUE_REPORT: RevenueWork(office),
        BALANCE_REPORT: BalanceWork(office),
        EXPENDITURE_REPORT: ExpenditureWork(office),
        DAILY_CHECK: CheckWork(office),
        REVENUE_STATEMENT: RevenueStatementWork(office),
        EXPENDITURE_STATEMENT: ExpenditureStatementWork(office),
    }
