"""What a unit does about each kind that comes to it, and about answers to its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.inbox import voucher_of
from counterfoil.business.tables import InboxEntry, OutboxEntry
from counterfoil.business.works import Issue, Work
from counterfoil.office import Receipt, Step, Voucher
from counterfoil.unit import accounts, checks, ledger, matches, notices
from counterfoil.unit.answers import match_receipt, statement_receipt
from counterfoil.unit.kinds import (
    APPLICATION,
    ENTRY_NOTICE,
    PAYMENT,
    REFUND_MATCH,
    REFUND_NOTICE,
    STATEMENT,
    Office,
)
from counterfoil.unit.tables import Check, Match, Request, RequestState

Subject = TypeVar("Subject")
"""What a notice is about, by our books."""


@dataclass(frozen=True, slots=True)
class BankWork(Work):
    """A voucher of our bank, whatever it tells.

    Attributes:
        office: Who we are.
    """

    office: Office

    def objections(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Return what `checks` finds in the voucher alone."""
        del session, entry
        return checks.objections(voucher, self.office)


@dataclass(frozen=True, slots=True)
class NoticeWork(BankWork, Generic[Subject]):
    """A notice (2205, 2204): it is written down once, if our books allow it.

    Source: Hubei measures, articles 27 (2) 3, 27 (3) 3 and 27 (5) 4.

    Attributes:
        look_up: Returns what it is about, by our books.
        hindrances: Yields what our books say against it, in Chinese.
        write_down: Writes it down, under its digest.
    """

    look_up: Callable[[Session, Voucher], Subject]
    hindrances: Callable[[Session, Voucher, Subject], Iterable[str]]
    write_down: Callable[[Session, bytes, Voucher, Subject], None]

    def expect(self, session: Session, vouchers: Sequence[Voucher]) -> None:
        """Look up together what the notices are about."""
        accounts.expect(session, (notices.numbers_in(one) for one in vouchers))

    def objections(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Return what `checks` finds, or what our books say against it."""
        del entry
        found = list(checks.objections(voucher, self.office))
        if found:
            return found
        return self.hindrances(session, voucher, self.look_up(session, voucher))

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Write it down; or return why it cannot be."""
        # Another notice of this turn may be about the same payment.
        subject = self.look_up(session, voucher)
        if reasons := list(self.hindrances(session, voucher, subject)):
            return reasons
        self.write_down(session, entry.digest, voucher, subject)
        return ()


@dataclass(frozen=True, slots=True)
class MatchWork(BankWork):
    """A refund that the bank matched (102207): we confirm it, or say why not.

    Source: Hubei measures, article 27 (5) 1.
    """

    answers = True

    def is_due(self, session: Session, entry: InboxEntry) -> bool:
        """Tell whether the entry notice of the payment is not on its way any more."""
        return not matches.is_awaited(session, voucher_of(entry))

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Decide, and write down what we answer."""
        matches.answer(session, entry.digest, voucher)
        return ()

    def receipt(self, session: Session, entry: InboxEntry, voucher: Voucher) -> Receipt:
        """Return what was decided."""
        del voucher
        match = session.get_one(Match, entry.digest)
        return match_receipt(entry, match, self.office)


@dataclass(frozen=True, slots=True)
class StatementWork(BankWork):
    """A statement of our bank (102531): compared row by row, and answered.

    Source: Hubei measures, article 29 (4).
    """

    answers = True

    def is_due(self, session: Session, entry: InboxEntry) -> bool:
        """Tell whether all packs of the statement have come."""
        return ledger.is_whole(session, entry)

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Compare it with its other packs, once, and write down what is found."""
        ledger.check(session, entry, voucher)
        return ()

    def receipt(self, session: Session, entry: InboxEntry, voucher: Voucher) -> Receipt:
        """Return what was found."""
        del voucher
        check = session.get_one(Check, entry.digest)
        return statement_receipt(entry, check, self.office.party)


class RequestIssue(Issue):
    """An application or payment of ours: what is given back frees its allotment.

    Source: Hubei measures, articles 31 to 33, for what is rejected or returned.
    """

    def given_back(
        self, session: Session, entry: OutboxEntry, voucher: Voucher, step: Step
    ) -> None:
        """Note why nothing is paid for it."""
        del voucher
        asked = session.scalar(
            select(Request).where(
                Request.type_code == entry.type_code, Request.number == entry.number
            )
        )
        assert asked is not None, "what we issue was asked for here"
        asked.state, asked.note = RequestState.GIVEN_BACK, step.explanation


def works_of(office: Office) -> dict[int, Work]:
    """Return what we do about each kind that comes, by type code."""
    return {
        ENTRY_NOTICE: NoticeWork(
            office, notices.about, notices.entry_hindrances, notices.post
        ),
        REFUND_NOTICE: NoticeWork(
            office, notices.refunded, notices.refund_hindrances, notices.note_refund
        ),
        REFUND_MATCH: MatchWork(office),
        STATEMENT: StatementWork(office),
    }


def issues_of() -> dict[int, Issue]:
    """Return what follows on the answers to each kind of ours, by type code."""
    return {APPLICATION: RequestIssue(), PAYMENT: RequestIssue()}
