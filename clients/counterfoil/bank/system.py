"""The bank's system at its desk: the takers, and how they run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from counterfoil.bank.agency_statement import AgencyStatement
from counterfoil.bank.clearing import Applications, apply_for_clearing
from counterfoil.bank.core import SimulatedCore
from counterfoil.bank.daily_check import Check
from counterfoil.bank.journal import Journal
from counterfoil.bank.kinds import (
    AGENCY_STATEMENT,
    APPLICATION,
    AUTHORISED_QUOTA,
    AUTHORISED_REFUND,
    CHECK,
    CHECK_REPLY,
    DETAIL,
    DIRECT_QUOTA,
    DIRECT_REFUND,
    ENTRY_NOTICE,
    QUOTA_STATEMENT,
    REFUND_APPLICATION,
    REFUND_MATCH,
    TREASURY_STATEMENT,
    UNIT_STATEMENT,
    Office,
)
from counterfoil.bank.quota_notices import QuotaNotice
from counterfoil.bank.refund_issues import Confirmations, RefundApplications
from counterfoil.bank.refunds import apply_for_refunds
from counterfoil.bank.teller import Teller
from counterfoil.bank.treasury_statement import TreasuryStatement
from counterfoil.business.clerks import Clerks, Reviewer
from counterfoil.business.days import day_of
from counterfoil.business.inbox import Inbox
from counterfoil.business.outbox import Outbox
from counterfoil.business.outcomes import Tell
from counterfoil.business.turns import Taker, turns
from counterfoil.business.works import Issue, Work
from counterfoil.office import Desk

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """Everything that works at the bank's desk.

    Attributes:
        party: Our party code.
        office: Who we clear with; None for a bank that only pays.
        desk: The desk at our own gateway.
        reviewers: The two persons who review what we apply for.
        journal: Our books.
        core: What pays.
        clock: Says which day it is.
        tell: Is told how far we are.
    """

    party: str
    office: Office | None
    desk: Desk
    reviewers: Sequence[Reviewer]
    journal: Journal
    core: SimulatedCore
    clock: Clock
    tell: Tell

    def takers(self) -> list[Taker]:
        """Return who takes what arrives, and works."""
        return [self.outbox(), self.inbox(), self.teller()]

    def teller(self) -> Teller:
        """Return who pays; what a crash left is unknown from now on."""
        teller = Teller(
            self.party,
            self.desk,
            self.journal,
            self.core,
            self.clock,
            self.tell,
            units={} if self.office is None else self.office.units,
        )
        teller.recover()
        return teller

    def inbox(self) -> Inbox:
        """Return who takes what others state and tell."""
        office = self.office
        return Inbox(
            party=self.party,
            desk=self.desk,
            books=self.journal,
            works={} if office is None else _works(office),
            clock=self.clock,
            tell=self.tell,
        )

    def outbox(self) -> Outbox:
        """Return who issues, and books the answers."""
        issues: dict[int, Issue] = {ENTRY_NOTICE: Issue()}
        if self.office is not None:
            issues |= _issues(self.office, self.tell)
        return Outbox(
            party=self.party,
            desk=self.desk,
            clerks=Clerks(self.desk, self.reviewers, self.clock),
            books=self.journal,
            issues=issues,
            clock=self.clock,
            tell=self.tell,
        )

    def run(
        self,
        is_stopped: Callable[[], bool],
        at_rest: Callable[[], None] = lambda: None,
        *,
        clear: bool = False,
    ) -> None:
        """Work until we are asked to stop, nothing comes and nothing is left to do.

        Args:
            is_stopped: Tells whether we are asked to stop.
            at_rest: Is called whenever nothing comes and nothing is left to do.
            clear: Whether to apply for clearing at the end.
        """
        takers = self.takers()
        for arrivals in turns(self.desk, takers, self.journal):
            if arrivals or not all(taker.is_at_rest() for taker in takers):
                continue
            at_rest()
            if not is_stopped():
                continue
            if not clear or self.office is None:
                return
            clear = False
            tell_applied(self.journal, self.office, self.clock, self.tell)


def _issues(office: Office, tell: Tell) -> dict[int, Issue]:
    """Return what follows on the answers to what we issue."""
    return {
        APPLICATION: Applications(office, tell),
        DETAIL: Issue(),
        REFUND_MATCH: Confirmations(office, tell),
        REFUND_APPLICATION: RefundApplications(office, tell),
        DIRECT_REFUND: Issue(),
        AUTHORISED_REFUND: Issue(),
        QUOTA_STATEMENT: Issue(),
        UNIT_STATEMENT: Issue(),
        CHECK_REPLY: Issue(),
    }


def _works(office: Office) -> dict[int, Work]:
    """Return what is done about each kind that comes and is no payment."""
    return {
        AGENCY_STATEMENT: AgencyStatement(office),
        TREASURY_STATEMENT: TreasuryStatement(office),
        CHECK: Check(office),
        AUTHORISED_QUOTA: QuotaNotice(office),
        DIRECT_QUOTA: QuotaNotice(office),
    }


def tell_applied(journal: Journal, office: Office, clock: Clock, tell: Tell) -> None:
    """Apply for everything that is due, and tell for how many payments and refunds."""
    day = day_of(clock())
    payments = apply_for_clearing(journal, office, day)
    with journal.writing() as session:
        refunds = apply_for_refunds(session, office, day, held=True)
    tell("applied", payments)
    tell("applied-refunds", refunds)
