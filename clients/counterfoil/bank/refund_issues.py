"""What follows on the answers about refunds: of payers, and of the treasury."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.bank.journal import Payment
from counterfoil.bank.kinds import Office
from counterfoil.bank.refund_notices import refund_notices
from counterfoil.bank.refunds import apply_for_refunds, back_of, hold
from counterfoil.bank.tables import Entry, Refund, RefundState, What
from counterfoil.business.outcomes import NOTE_MAX, Tell
from counterfoil.business.planning import plan
from counterfoil.business.tables import OutboxEntry, OutboxState
from counterfoil.business.works import Issue
from counterfoil.office import Receipt, Step, Voucher


@dataclass(frozen=True, slots=True)
class Confirmations(Issue):
    """What follows on a payer's answer (退款确认).

    Attributes:
        office: Who we are.
        tell: Is told what was confirmed and what was not.
    """

    office: Office
    tell: Tell

    def receipted(
        self, session: Session, entry: OutboxEntry, voucher: Voucher, receipt: Receipt
    ) -> None:
        """Confirmed, it is the payer's again; else it is nobody's yet.

        Source: Hubei measures, article 27 (5) 1.
        """
        del voucher
        for refund in _asked_by(session, entry):
            if receipt.form.text("x_check_result") != "0":
                self._lose(refund, receipt.form.text("x_check_reason"))
                continue
            refund.state = RefundState.CONFIRMED
            _book(session, refund, entry, What.CAME_BACK, entry.answered)
            self.tell("confirmed", 1)
        apply_for_refunds(session, self.office, entry.answered)

    def given_back(
        self, session: Session, entry: OutboxEntry, voucher: Voucher, step: Step
    ) -> None:
        """Take a question that was not answered as a no."""
        del voucher
        for refund in _asked_by(session, entry):
            self._lose(refund, step.explanation)

    def _lose(self, refund: Refund, why: str) -> None:
        refund.state, refund.note = RefundState.UNMATCHED, why[:NOTE_MAX]
        self.tell("unmatched", 1)


@dataclass(frozen=True, slots=True)
class RefundApplications(Issue):
    """What follows on the answers to our refund applications (2302).

    Attributes:
        office: Who we are.
        tell: Is told how many refunds the treasury has, or returned.
    """

    office: Office
    tell: Tell

    def receipted(
        self, session: Session, entry: OutboxEntry, voucher: Voucher, receipt: Receipt
    ) -> None:
        """Book that the treasury has the money, and tell payers and units.

        Source: Hubei measures, article 27 (5) 4.
        """
        del voucher
        if entry.state is OutboxState.RECEIPTED:
            self.book(session, entry, receipt.form.text("x_clear_date"))

    def book(self, session: Session, entry: OutboxEntry, day: str) -> None:
        """Book that the treasury has had the money of an application since a day."""
        refunds = list(_named_by(session, entry))
        for refund in refunds:
            refund.state = RefundState.REFUNDED
            refund.refunded = day
            _book(session, refund, entry, What.REFUNDED, refund.refunded)
            for notice in refund_notices(self.office, back_of(session, refund)):
                plan(session, notice, entry.answered, cause=entry.digest)
        self.tell("refunded", len(refunds))

    def given_back(
        self, session: Session, entry: OutboxEntry, voucher: Voucher, step: Step
    ) -> None:
        """Hold the refunds back until the next application."""
        del voucher
        self.free(session, entry, step.explanation)

    def free(self, session: Session, entry: OutboxEntry, why: str) -> None:
        """Hold the refunds back that an application names: nothing was refunded."""
        refunds = list(_named_by(session, entry))
        hold(refunds, why)
        self.tell("held", len(refunds))


def _book(
    session: Session, refund: Refund, entry: OutboxEntry, what: What, day: str
) -> None:
    """Write down what a refund changes in the payer's account."""
    came = what is What.CAME_BACK
    session.add(
        Entry(
            digest=entry.digest,
            payment=refund.payment,
            refund=refund.id,
            what=what,
            account=session.get_one(Payment, refund.payment).account,
            amount_fen=refund.amount_fen if came else -refund.amount_fen,
            day=day,
        )
    )


def _asked_by(session: Session, entry: OutboxEntry) -> Iterator[Refund]:
    yield from session.scalars(
        select(Refund).where(
            Refund.confirmation == entry.id, Refund.state == RefundState.MATCHED
        )
    )


def _named_by(session: Session, entry: OutboxEntry) -> Iterator[Refund]:
    yield from session.scalars(
        select(Refund).where(
            Refund.application == entry.id, Refund.state == RefundState.APPLIED
        )
    )
