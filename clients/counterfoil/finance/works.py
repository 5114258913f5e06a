"""What finance does about each kind that comes to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from counterfoil.business.codes import PaymentWay, way_of
from counterfoil.business.inbox import voucher_of
from counterfoil.business.outbox import plan
from counterfoil.business.tables import InboxEntry
from counterfoil.business.works import Work, receipt_differences
from counterfoil.finance import accounts, allotments, checks, clearing
from counterfoil.finance.forms import next_number, order_of, payment_of
from counterfoil.finance.kinds import (
    APPLICATION,
    BALANCE_REPORT,
    CLEARING_APPLICATION,
    CLEARING_ORDER,
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
from counterfoil.finance.replies import (
    CheckWork,
    ExpenditureStatementWork,
    RevenueStatementWork,
)
from counterfoil.finance.reports import BalanceWork, ExpenditureWork, RevenueWork
from counterfoil.office import Receipt, Voucher


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

    def _shortages(self, session: Session, voucher: Voucher) -> list[str]:
        needs = checks.needs(voucher, self.office)
        return list(allotments.shortages(session, needs))


@dataclass(frozen=True, slots=True)
class ClearingWork(Work):
    """A bank's application for clearing (2301): one clearing order each.

    It is answered by the treasury, not by us: we accept it, and order.

    Source: Hubei measures, article 27 (4) 2.
    """

    office: Office

    def objections(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Return where it is wrong by itself, or differs from our own orders."""
        del entry
        found = list(clearing.objections(voucher, self.office))
        return found or self._hindrances(session, voucher)

    def is_due(self, session: Session, entry: InboxEntry) -> bool:
        """Tell whether every direct payment that it names has its receipt."""
        _, known = self._known(session, voucher_of(entry))
        return all(paid.places is not None for paid in known.values())

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Claim the payments and plan the order; or return why it cannot be."""
        # Another application of this turn may name the same payment.
        if reasons := self._hindrances(session, voucher):
            return reasons
        way = _way(voucher)
        numbers = clearing.payments_in(voucher)
        accounts.claim(session, entry.digest, voucher, numbers, way)
        allotments.use(session, entry.digest, clearing.needs(voucher, way))
        number = next_number(session, CLEARING_ORDER, voucher.key.fiscal_year)
        order = order_of(voucher, self.office, number, entry.day)
        plan(session, order, entry.day, cause=entry.digest)
        return ()

    def copied(self, session: Session, voucher: Voucher, receipt: Receipt) -> None:
        """Compare the treasury's receipt of the application; our order has its own."""
        _note_differences(session, voucher, receipt)

    def _hindrances(self, session: Session, voucher: Voucher) -> list[str]:
        asked, known = self._known(session, voucher)
        way = _way(voucher)
        return [
            *clearing.differences(asked, known, way),
            *allotments.shortages(session, clearing.needs(voucher, way)),
        ]

    def _known(
        self, session: Session, voucher: Voucher
    ) -> tuple[Mapping[str, clearing.Places], Mapping[str, clearing.Paid]]:
        asked = clearing.payments_in(voucher)
        return asked, accounts.known_payments(session, voucher, asked, _way(voucher))


@dataclass(frozen=True, slots=True)
class RefundWork(Work):
    """A bank's refund (2302): the treasury answers it, and we get a copy.

    Source: Hubei measures, article 27 (5) 4 and 5.
    """

    office: Office

    def copied(self, session: Session, voucher: Voucher, receipt: Receipt) -> None:
        """Book negative expenditure, and give the allotment back, once."""
        differences = _note_differences(session, voucher, receipt)
        bank = voucher.key.issuer
        is_new = accounts.register(session, voucher, receipt, differences, bank)
        if is_new and not differences:
            back = self._given_back(session, voucher)
            allotments.use(session, receipt.voucher.digest, back)

    def _given_back(
        self, session: Session, voucher: Voucher
    ) -> dict[allotments.AllotmentKey, int]:
        """Return what a refund gives back to allotments; amounts are negative."""
        way, key = _way(voucher), voucher.key
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


def _way(voucher: Voucher) -> PaymentWay:
    way = way_of(voucher.form.text("pay_type_code"))
    assert way is not None, "`clearing.objections` refuses it before"
    return way


def _note_differences(session: Session, voucher: Voucher, receipt: Receipt) -> str:
    """Compare the copy of a receipt with its original; return where they differ."""
    differences = "；".join(receipt_differences(voucher.form, receipt.form))
    if differences:
        day = accounts.day_of_act(receipt.form)
        accounts.find_fault(session, receipt.voucher, differences, day)
    return differences
