"""Clearing (清算): what was paid is applied for, cleared, or free again.

A payment names the one living application that names it, so there is never a second.
It is named in the transaction that plans the application, and freed in the one that
books its return.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from counterfoil.bank.applications import (
    ROWS_MAX,
    Heading,
    Paid,
    application_of,
    detail_of,
    packed,
)
from counterfoil.bank.issued import next_number, refused_at_home
from counterfoil.bank.journal import RECEIPTED, Payment, voucher_of
from counterfoil.bank.kinds import APPLICATION, WAYS, Office
from counterfoil.bank.lines import lines_of
from counterfoil.bank.refunds import apply_for_refunds
from counterfoil.bank.tables import Entry, What
from counterfoil.business.books import SqlBooks
from counterfoil.business.outcomes import Tell
from counterfoil.business.planning import plan
from counterfoil.business.tables import OutboxEntry, OutboxState
from counterfoil.business.works import Issue
from counterfoil.office import Receipt, Step, Voucher


def apply_for_clearing(books: SqlBooks, office: Office, day: str) -> int:
    """Apply for everything that was paid and receipted and that no application names.

    Each application is a transaction of its own, so that a running system, if this is
    a command beside it, is not kept waiting.

    Args:
        books: Our books.
        office: Who we are.
        day: Today in China, `yyyymmdd`.

    Returns:
        How many payments were applied for.
    """
    with books.writing() as session:
        _free_what_was_never_sent(session)
    total = 0
    while True:
        with books.writing() as session:
            count = _apply_for_some(session, office, day)
        if not count:
            return total
        total += count


def _apply_for_some(session: Session, office: Office, day: str) -> int:
    """Apply for as many payments of one way as one application may name."""
    due = (
        select(Payment)
        .where(
            Payment.type_code.in_(WAYS),
            Payment.state.in_(RECEIPTED),
            Payment.application.is_(None),
        )
        .order_by(Payment.type_code, Payment.number, Payment.issue)
    )
    first = session.scalars(due.limit(1)).first()
    if first is None:
        return 0
    alike = due.filter_by(
        type_code=first.type_code,
        adm_div=first.adm_div,
        fiscal_year=first.fiscal_year,
    )
    payments = session.scalars(
        alike.options(undefer(Payment.sealed)).limit(ROWS_MAX)
    ).all()
    groups: dict[Heading, list[Paid]] = {}
    for payment in payments:
        paid = Paid(payment, lines_of(voucher_of(payment).form))
        groups.setdefault(Heading.of(payment, paid.lines), []).append(paid)
    for heading, group in groups.items():
        for pack in packed(group):
            _plan(session, office, heading, day, pack)
    return len(payments)


@dataclass(frozen=True, slots=True)
class Applications(Issue):
    """What follows on the answers to our applications (2301).

    Attributes:
        office: Who we are.
        tell: Is told how many payments were cleared or freed.
    """

    office: Office
    tell: Tell

    def receipted(
        self, session: Session, entry: OutboxEntry, voucher: Voucher, receipt: Receipt
    ) -> None:
        """Mark the payments as cleared, on the day that the treasury states.

        Finance has the application too, but it is the treasury that clears. A receipt
        that differs clears nothing: a person must look.

        Source: Hubei measures, article 27 (4) 3.
        """
        del voucher
        if entry.state is not OutboxState.RECEIPTED:
            return
        if receipt.by != self.office.treasury.party:
            return
        self.book(session, entry, receipt.form.text("x_clear_date"))

    def book(self, session: Session, entry: OutboxEntry, day: str) -> None:
        """Mark the payments that an application names as cleared on a day."""
        payments = list(_named_by(session, entry))
        for payment in payments:
            payment.cleared = day
            session.add(
                Entry(
                    digest=entry.digest,
                    payment=payment.digest,
                    what=What.CLEARED,
                    account=payment.account,
                    amount_fen=payment.amount_fen,
                    day=day,
                )
            )
        self.tell("cleared", len(payments))
        # Money that came back before the treasury had paid it waits for this.
        apply_for_refunds(session, self.office, entry.answered)

    def given_back(
        self, session: Session, entry: OutboxEntry, voucher: Voucher, step: Step
    ) -> None:
        """Free the payments: the next application may name them again.

        Source: Hubei measures, article 27 (4) 2: over the quota nothing is cleared.
        """
        del voucher
        self.free(session, entry, step.explanation)

    def free(self, session: Session, entry: OutboxEntry, why: str) -> None:
        """Free the payments that an application names: nothing was cleared."""
        del why
        self.tell("freed", _free(session, entry))


def _plan(
    session: Session, office: Office, heading: Heading, day: str, paid: list[Paid]
) -> None:
    """Plan an application and its detail, and have the payments name it."""
    number = next_number(session, APPLICATION, f"SQ{day}{heading.way}")
    application = application_of(office, heading, number, day, paid)
    entry = plan(session, application, day)
    detail = detail_of(office, application, f"MX{number[2:]}", day, paid)
    plan(session, detail, day)
    session.flush()  # gives the entry its id
    for one in paid:
        one.payment.application = entry.id


def _named_by(session: Session, entry: OutboxEntry) -> Iterator[Payment]:
    yield from session.scalars(
        select(Payment).where(Payment.application == entry.id, Payment.cleared == "")
    )


def _free(session: Session, entry: OutboxEntry) -> int:
    payments = list(_named_by(session, entry))
    for payment in payments:
        payment.application = None
    return len(payments)


def _free_what_was_never_sent(session: Session) -> None:
    """Free what an application names that our own gateway would not take."""
    for entry in refused_at_home(session, APPLICATION):
        _free(session, entry)
