"""The outbox: what we issue, and what comes back for it.

What was planned (`planning`) is written, reviewed by two persons where its kind wants
them, sealed and sent, with the same bytes however often that is tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from counterfoil.business import issued, recalls
from counterfoil.business.books import SqlBooks
from counterfoil.business.clerks import Clerks, Drafted, Paper, Refused
from counterfoil.business.days import day_of
from counterfoil.business.outcomes import NOTE_MAX, Tell, refusal_note
from counterfoil.business.planning import draft_of, has_persons
from counterfoil.business.rows import store
from counterfoil.business.tables import GIVEN_BACK, OutboxEntry, OutboxState
from counterfoil.business.works import Issue
from counterfoil.office import (
    Arrival,
    Desk,
    DocumentKind,
    Done,
    KeptDraft,
    Outcome,
    Receipt,
    Step,
    has_receipt,
    opened,
)

BATCH: Final = 256
"""Vouchers that go through the desk together."""

_LEADS_TO: Final = {
    DocumentKind.ACCEPTANCE: OutboxState.ACCEPTED,
    DocumentKind.REJECTION: OutboxState.REJECTED,
    DocumentKind.RETURN: OutboxState.RETURNED,
}
OPEN: Final = (OutboxState.PLANNED, OutboxState.SENT, OutboxState.ACCEPTED)
"""States that an answer may still follow."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """Issues what is planned, and books what comes back.

    Attributes:
        party: Our party code.
        desk: The business system's desk at our own gateway.
        clerks: Who writes, reviews and seals.
        books: Our books.
        issues: What follows on the answers to each kind, by type code.
        clock: Says on which day something came.
        tell: Is told how far we are.
    """

    party: str
    desk: Desk
    clerks: Clerks
    books: SqlBooks
    issues: Mapping[int, Issue]
    clock: Callable[[], datetime]
    tell: Tell

    def wanted(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Return the arrivals that are answers to vouchers that stand here."""
        return [
            one
            for one in arrivals
            if one.voucher.key.issuer == self.party
            and one.voucher.key.type_code in self.issues
        ]

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Book a batch of answers, then take it off the list of what waits.

        Booking twice changes nothing, so a crash in between costs nothing.
        """
        counted: Counter[str] = Counter()
        with self.books.writing() as session:
            known = issued.answered(session, [one.voucher for one in arrivals])
            for arrival in arrivals:
                entry = known.get(arrival.voucher.digest)
                if entry is None:
                    continue  # issued at our desk by another program
                match opened(arrival.sealed):
                    case Receipt() as receipt:
                        counted[self._receipted(session, entry, receipt)] += 1
                    case Step() as step:
                        counted[self._stepped(session, entry, step)] += 1
                    case _:
                        pass  # a voucher of ours to ourselves: the inbox takes it
            store(session, known.values())
        self.desk.acknowledge(arrivals)
        self._tell(counted)

    def work(self) -> None:
        """Issue everything that is planned; what a busy gateway refuses waits."""
        recalls.Recalls(self.desk, self.books, self.clock, self.tell).work()
        last = 0
        while planned := self._planned(after=last):
            last = planned[-1].id
            due = recalls.freed(self.books, planned)
            self._issue_reviewed([one for one in due if has_persons(one)])
            self._submit([one for one in due if not has_persons(one)])

    def is_at_rest(self) -> bool:
        """Tell whether nothing is planned, and nothing is to be voided."""
        return not self.in_state(OutboxState.PLANNED) and not recalls.any_due(
            self.books
        )

    def is_settled(self) -> bool:
        """Tell whether no answer is awaited any more."""
        return all(
            one.state is OutboxState.ACCEPTED and not has_receipt(one.type_code)
            for one in self.in_state(*OPEN)
        )

    def in_state(self, *states: OutboxState) -> list[OutboxEntry]:
        """Return the vouchers in these states, in the order of their planning."""
        with self.books.reading() as session:
            return issued.in_state(session, *states)

    def _planned(self, *, after: int) -> list[OutboxEntry]:
        with self.books.reading() as session:
            return issued.planned(session, after, BATCH)

    def _drafts(self, entries: Sequence[OutboxEntry]) -> list[KeptDraft]:
        with self.books.reading() as session:
            kept = issued.drafts(session, [one.id for one in entries])
        return [KeptDraft(key=one.key, payload=kept[one.id]) for one in entries]

    def _issue_reviewed(self, entries: Sequence[OutboxEntry]) -> None:
        """Write, have two persons review, seal and send."""
        due = self._resume(entries)
        papers = [
            Paper(name=str(one.id), draft=draft, amount_fen=None)
            for one, draft in zip(due, self._drafts(due), strict=True)
        ]
        written = self.clerks.write(papers)
        # Before it is sent: an answer may be back before `seal` has answered.
        drafted = self._note_digests(
            [one for one in written if isinstance(one, Drafted)]
        )
        reviews = self.clerks.review(drafted)
        reviewed = [
            one
            for one, refusal in zip(drafted, reviews, strict=True)
            if refusal is None
        ]
        outcomes = self.clerks.seal([one.digest for one in reviewed], send=True)
        refused = [one for one in written if isinstance(one, Refused)]
        self._note(
            [
                *((int(one.paper.name), one.refusal) for one in refused),
                *zip(map(_id_of, drafted), reviews, strict=True),
                *zip(map(_id_of, reviewed), outcomes, strict=True),
            ]
        )

    def _resume(self, entries: Sequence[OutboxEntry]) -> list[OutboxEntry]:
        """Send what a crash left sealed or even sent; return what is to be written."""
        written = [one for one in entries if one.digest]
        outcomes = self.clerks.seal([one.digest for one in written], send=True)
        # Busy waits as it is: what may be sent already is not to be written anew.
        told = {
            one.id: outcome
            for one, outcome in zip(written, outcomes, strict=True)
            if isinstance(outcome, Done) or outcome.retryable
        }
        self._note(told.items())
        return [one for one in entries if one.id not in told]

    def _submit(self, entries: Sequence[OutboxEntry]) -> None:
        """Write, seal and send in one step what needs no personal seal."""
        outcomes = self.desk.submit(self._drafts(entries))
        self._note(zip((one.id for one in entries), outcomes, strict=True))

    def _note_digests(self, drafted: Sequence[Drafted]) -> list[Drafted]:
        """Note what was written; return what nobody has withdrawn meanwhile."""
        if not drafted:
            return []
        noted = []
        with self.books.writing() as session:
            entries = issued.by_id(session, map(_id_of, drafted))
            for one in drafted:
                entry = entries[_id_of(one)]
                if entry.state is OutboxState.PLANNED:
                    entry.digest = one.digest
                    noted.append(one)
            store(session, entries.values())
        return noted

    def _note(self, outcomes: Iterable[tuple[int, Outcome | None]]) -> None:
        """Note what became of vouchers: sent, refused; busy waits for the next turn."""
        told = list(outcomes)
        if not told:
            return
        counted: Counter[str] = Counter()
        with self.books.writing() as session:
            entries = issued.by_id(session, (number for number, _ in told))
            for number, outcome in told:
                entry = entries[number]
                if entry.state is not OutboxState.PLANNED:
                    continue  # withdrawn while the gateway was asked
                if isinstance(outcome, Done):
                    entry.digest, entry.state = outcome.digest, OutboxState.SENT
                    counted["sent"] += 1
                elif outcome is not None and not outcome.retryable:
                    entry.state = OutboxState.REFUSED
                    entry.note = refusal_note(outcome)
                    counted["refused"] += 1
            store(session, entries.values())
        self._tell(counted)

    def _tell(self, counted: Mapping[str, int]) -> None:
        for what, count in counted.items():
            if what:
                self.tell(what, count)

    def _receipted(self, session: Session, entry: OutboxEntry, receipt: Receipt) -> str:
        """Compare a receipt with our voucher (核对); tell what it shows."""
        if entry.state not in OPEN:
            return recalls.look_again(session, entry)
        issue, voucher = self.issues[entry.type_code], draft_of(entry)
        differences = "；".join(issue.differences(voucher, receipt))
        entry.note = differences[:NOTE_MAX]
        entry.state = OutboxState.DIFFERS if differences else OutboxState.RECEIPTED
        entry.answered = day_of(self.clock())
        store(session, [entry])  # what follows on it may ask where it stands
        issue.receipted(session, entry, voucher, receipt)
        return entry.state.value

    def _stepped(self, session: Session, entry: OutboxEntry, step: Step) -> str:
        """Book a step of a recipient; a late one never leads back."""
        state = _LEADS_TO.get(step.kind)
        if state in GIVEN_BACK and len(draft_of(entry).recipients) > 1:
            recalls.begin(session, entry, step.explanation)
        if state is None or entry.state is state or entry.state not in OPEN:
            return ""
        entry.state, entry.note = state, step.explanation
        if state in GIVEN_BACK:
            issue = self.issues[entry.type_code]
            store(session, [entry])
            issue.given_back(session, entry, draft_of(entry), step)
        return "taken" if state is OutboxState.ACCEPTED else state.value


def _id_of(drafted: Drafted) -> int:
    """Return which entry a draft was written for."""
    return int(drafted.paper.name)
