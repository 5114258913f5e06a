"""What follows on the answers to the vouchers that finance issues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from counterfoil.business.outcomes import REASON_MAX
from counterfoil.business.tables import (
    InboxEntry,
    InboxState,
    OutboxEntry,
)
from counterfoil.business.works import Issue
from counterfoil.finance import accounts, allotments, claims
from counterfoil.finance.kinds import (
    AGENCY_STATEMENT,
    APPROPRIATION,
    AUTHORISED_QUOTA,
    CHECK_REPLY,
    CLEARING_ORDER,
    DIRECT_QUOTA,
    EXPENDITURE_REPLY,
    LISTED,
    PAYMENT,
    REVENUE_REPLY,
    SPECIAL_PAYMENT,
    Office,
)
from counterfoil.finance.tables import Receipted
from counterfoil.office import Receipt, Step, Voucher

_STATED: Final = (AGENCY_STATEMENT, CHECK_REPLY, REVENUE_REPLY, EXPENDITURE_REPLY)
"""Statements and replies: nothing is booked for their answers."""


@dataclass(frozen=True, slots=True)
class OrderIssue(Issue):
    """An order to pay: its receipt is registered, and posted if it agrees.

    Source: Hubei measures, articles 26 (3), 27 (2) 3, 27 (4) 3 and 28 (3).
    """

    office: Office

    def receipted(
        self, session: Session, entry: OutboxEntry, voucher: Voucher, receipt: Receipt
    ) -> None:
        """Register the receipt; the ledger has the order if it agrees."""
        bank = self._bank(voucher)
        accounts.register(session, voucher, receipt, entry.note, bank)

    def _bank(self, voucher: Voucher) -> str:
        if voucher.key.type_code == CLEARING_ORDER:
            return self.office.banks[voucher.form.text("pay_bank_no")].party
        return voucher.recipients[0]


class PaymentIssue(OrderIssue):
    """A direct payment (5201), made from a unit's application."""

    def given_back(
        self, session: Session, entry: OutboxEntry, voucher: Voucher, step: Step
    ) -> None:
        """Give the allotment back, and the application to its unit.

        What is wrong with payee or amount is the unit's to put right: we may change
        nothing of what it applied for.

        Source: Hubei measures, article 33.
        """
        del voucher
        allotments.release(session, entry.cause)
        give_back(session, entry, f"代理银行退回：{step.explanation}")


class ClearingIssue(OrderIssue):
    """A clearing order (5301), made from a bank's application."""

    def given_back(
        self, session: Session, entry: OutboxEntry, voucher: Voucher, step: Step
    ) -> None:
        """Let the payments be applied for again, and give our half back to the bank.

        The treasury returns its own half, or the bank asks it to: see
        `business.recalls`.

        Source: Hubei measures, article 33.
        """
        del voucher
        claims.release_claims(session, entry.cause)
        allotments.release(session, entry.cause)
        give_back(session, entry, f"国库退回清算凭证：{step.explanation}")


class ListIssue(Issue):
    """A list (清单) that the treasury checks against its own receipts."""

    def given_back(
        self, session: Session, entry: OutboxEntry, voucher: Voucher, step: Step
    ) -> None:
        """Let what it named be listed again."""
        del voucher, step
        session.execute(
            update(Receipted)
            .where(
                Receipted.type_code == LISTED[entry.type_code],
                Receipted.listed_in == entry.number,
                Receipted.fiscal_year == entry.fiscal_year,
            )
            .values(listed_in="")
        )


def give_back(session: Session, order: OutboxEntry, why: str) -> None:
    """Have what an order was made from returned to whom it came from."""
    application = session.get(InboxEntry, order.cause)
    if application is not None and application.state is InboxState.TAKEN:
        application.state, application.note = InboxState.UNDONE, why[:REASON_MAX]


def issues_of(office: Office) -> dict[int, Issue]:
    """Return what follows for each kind that we issue, by type code."""
    return {
        PAYMENT: PaymentIssue(office),
        CLEARING_ORDER: ClearingIssue(office),
        APPROPRIATION: OrderIssue(office),
        SPECIAL_PAYMENT: OrderIssue(office),
        AUTHORISED_QUOTA: Issue(),
        DIRECT_QUOTA: Issue(),
        **{kind: ListIssue() for kind in LISTED},
        **dict.fromkeys(_STATED, Issue()),
    }
