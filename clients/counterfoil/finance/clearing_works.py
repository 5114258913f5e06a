"""What finance does about a bank's application for clearing (2301)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from counterfoil.business.inbox import voucher_of
from counterfoil.business.planning import plan
from counterfoil.business.tables import InboxEntry
from counterfoil.business.works import Work
from counterfoil.finance import allotments, claims, clearing
from counterfoil.finance.clearing import way_in
from counterfoil.finance.forms import next_number, order_of
from counterfoil.finance.kinds import (
    CLEARING_ORDER,
    Office,
)
from counterfoil.finance.refunds import note_differences
from counterfoil.finance.remedies import stopped
from counterfoil.office import Receipt, Voucher


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
        way = way_in(voucher)
        numbers = clearing.payments_in(voucher)
        claims.claim(session, entry.digest, voucher, numbers, way)
        allotments.use(session, entry.digest, clearing.needs(voucher, way))
        number = next_number(session, CLEARING_ORDER, voucher.key.fiscal_year)
        order = order_of(voucher, self.office, number, entry.day)
        plan(session, order, entry.day, cause=entry.digest)
        return ()

    def take_back(self, session: Session, entry: InboxEntry, voucher: Voucher) -> bool:
        """Let go of it unless the treasury may have our order: then that one answers.

        Source: Hubei measures, articles 32 and 33: the bank asks us for it because the
        treasury has given it back.
        """
        del voucher
        if not stopped(session, entry):
            return False
        claims.release_claims(session, entry.digest)
        allotments.release(session, entry.digest)
        return True

    def copied(self, session: Session, voucher: Voucher, receipt: Receipt) -> None:
        """Compare the treasury's receipt of the application; our order has its own."""
        note_differences(session, voucher, receipt)

    def _hindrances(self, session: Session, voucher: Voucher) -> list[str]:
        asked, known = self._known(session, voucher)
        way = way_in(voucher)
        return [
            *clearing.differences(asked, known, way),
            *allotments.shortages(session, clearing.needs(voucher, way)),
        ]

    def _known(
        self, session: Session, voucher: Voucher
    ) -> tuple[Mapping[str, clearing.Places], Mapping[str, clearing.Paid]]:
        asked = clearing.payments_in(voucher)
        return asked, claims.known_payments(session, voucher, asked, way_in(voucher))
