"""The outbox: what we issue, and what comes back for it.

A voucher is planned in the transaction that made it due, so that it is issued once,
whatever dies in between: written, reviewed by two persons where its kind wants them,
sealed and sent later, with the same bytes however often that is tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfoil.business.books import SqlBooks
from counterfoil.business.clerks import Clerks, Drafted, Paper, Refused
from counterfoil.business.days import day_of
from counterfoil.business.outcomes import NOTE_MAX, Tell, refusal_note
from counterfoil.business.tables import (
    GIVEN_BACK,
    OutboxEntry,
    OutboxState,
)
from counterfoil.business.works import Issue
from counterfoil.office import (
    Arrival,
    Desk,
    DeskRefused,
    DocumentKind,
    Done,
    Outcome,
    Receipt,
    Step,
    Voucher,
    opened,
    opened_payload,
    payload_of,
    plan_of,
)

BATCH: Final = 64
"""Vouchers that go through the desk together."""

_GIVEN_BACK_BY: Final = {
    DocumentKind.REJECTION: OutboxState.REJECTED,
    DocumentKind.RETURN: OutboxState.RETURNED,
}
_OPEN: Final = (OutboxState.PLANNED, OutboxState.SENT, OutboxState.ACCEPTED)


def plan(
    session: Session, voucher: Voucher, day: str, *, cause: bytes = b""
) -> OutboxEntry:
    """Plan a voucher: it is issued in a later turn, once.

    Args:
        session: The transaction in which it became due.
        voucher: What it says. Planned again under the same key, it changes nothing.
        day: Today in China, `yyyymmdd`.
        cause: Digest of the voucher that it is made from, if from one.

    Raises:
        ValueError: Another content was planned under the same key, or its form has a
            field that the contract does not know.
    """
    key, draft = voucher.key, payload_of(voucher)
    planned = find(session, voucher)
    if planned is not None:
        if planned.draft != draft:
            msg = f"{key} was planned with another content"
            raise ValueError(msg)
        return planned
    entry = OutboxEntry(
        issuer=key.issuer,
        adm_div=key.adm_div,
        fiscal_year=key.fiscal_year,
        type_code=key.type_code,
        number=key.number,
        issue=key.issue,
        draft=draft,
        cause=cause,
        planned=day,
        state=OutboxState.PLANNED,
    )
    session.add(entry)
    return entry


def plan_again(
    session: Session, returned: OutboxEntry, voucher: Voucher, day: str
) -> OutboxEntry:
    """Plan the next issue of a number that was given back (重开).

    Args:
        session: One transaction.
        returned: The issue that came back.
        voucher: What the next issue says; its key's issue is set here.
        day: Today in China, `yyyymmdd`.

    Raises:
        ValueError: The issue before was not given back.
    """
    if returned.state not in GIVEN_BACK:
        msg = f"{returned.key} was not given back"
        raise ValueError(msg)
    again = replace(
        voucher,
        key=replace(returned.key, issue=returned.issue + 1),
        replaces=returned.digest,
    )
    return plan(session, again, day, cause=returned.cause)


def find(session: Session, voucher: Voucher) -> OutboxEntry | None:
    """Return the entry of a voucher's key; None if it was never planned."""
    key = voucher.key
    return session.scalar(
        select(OutboxEntry).where(
            OutboxEntry.issuer == key.issuer,
            OutboxEntry.adm_div == key.adm_div,
            OutboxEntry.fiscal_year == key.fiscal_year,
            OutboxEntry.type_code == key.type_code,
            OutboxEntry.number == key.number,
            OutboxEntry.issue == key.issue,
        )
    )


def by_digest(session: Session, digest: bytes) -> OutboxEntry | None:
    """Return our voucher with a digest; None if we have none."""
    return session.scalar(select(OutboxEntry).where(OutboxEntry.digest == digest))


def draft_of(entry: OutboxEntry) -> Voucher:
    """Return what a voucher of ours says; call it while its session is open."""
    return opened_payload(entry.draft)


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

    def wants(self, arrival: Arrival) -> bool:
        """Tell whether an arrival is an answer to a voucher that stands here."""
        key = arrival.voucher.key
        return key.issuer == self.party and key.type_code in self.issues

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Book a batch of answers, then take it off the list of what waits.

        Booking twice changes nothing, so a crash in between costs nothing.
        """
        counted: Counter[str] = Counter()
        with self.books.writing() as session:
            for arrival in arrivals:
                entry = by_digest(session, arrival.voucher.digest)
                if entry is None:
                    continue  # issued at our desk by another program
                match opened(arrival.sealed):
                    case Receipt() as receipt:
                        counted[self._receipted(session, entry, receipt)] += 1
                    case Step() as step:
                        counted[self._stepped(session, entry, step)] += 1
                    case _:
                        pass  # a voucher of ours to ourselves: the inbox takes it
        self.desk.acknowledge(arrivals)
        for what, count in counted.items():
            if what:
                self.tell(what, count)

    def work(self) -> None:
        """Issue everything that is planned; what a busy gateway refuses waits."""
        last = 0
        while planned := self._planned(after=last):
            last = planned[-1].id
            self._issue_reviewed([one for one in planned if _has_persons(one)])
            self._submit([one for one in planned if not _has_persons(one)])

    def is_at_rest(self) -> bool:
        """Tell whether nothing is planned."""
        with self.books.reading() as session:
            return not self._count(session, OutboxState.PLANNED)

    def is_settled(self) -> bool:
        """Tell whether every voucher that is answered at all was answered."""
        with self.books.reading() as session:
            return not self._count(session, *_OPEN)

    def _count(self, session: Session, *states: OutboxState) -> int:
        return (
            session.scalar(select(func.count()).where(OutboxEntry.state.in_(states)))
            or 0
        )

    def _planned(self, *, after: int) -> list[OutboxEntry]:
        with self.books.reading() as session:
            return list(
                session.scalars(
                    select(OutboxEntry)
                    .where(OutboxEntry.state == OutboxState.PLANNED)
                    .where(OutboxEntry.id > after)
                    .order_by(OutboxEntry.id)
                    .limit(BATCH)
                )
            )

    def _drafts(self, entries: Sequence[OutboxEntry]) -> list[Voucher]:
        with self.books.reading() as session:
            return [draft_of(session.get_one(OutboxEntry, one.id)) for one in entries]

    def _issue_reviewed(self, entries: Sequence[OutboxEntry]) -> None:
        """Write, have two persons review, seal and send."""
        due = self._resume(entries)
        papers = [
            Paper(name=str(draft.key), draft=draft, amount_fen=None)
            for draft in self._drafts(due)
        ]
        by_name = dict(zip((one.name for one in papers), due, strict=True))
        drafted: list[Drafted] = []
        for outcome in self.clerks.write(papers):
            if isinstance(outcome, Refused):
                self._refuse(by_name[outcome.paper.name], outcome.refusal)
            else:
                drafted.append(outcome)
        # Before it is sent: an answer may be back before `seal` has answered.
        self._note_digests(drafted, by_name)
        reviewed = []
        for one, refusal in zip(drafted, self.clerks.review(drafted), strict=True):
            if refusal is None:
                reviewed.append(one)
            else:
                self._refuse(by_name[one.paper.name], refusal)
        outcomes = self.clerks.seal([one.digest for one in reviewed], send=True)
        self._note_sent([by_name[one.paper.name] for one in reviewed], outcomes)

    def _resume(self, entries: Sequence[OutboxEntry]) -> list[OutboxEntry]:
        """Note what was sent already before a crash; return what was not."""
        written = [one for one in entries if one.digest]
        outcomes = self.clerks.seal([one.digest for one in written], send=True)
        sent = [
            (one, outcome)
            for one, outcome in zip(written, outcomes, strict=True)
            if isinstance(outcome, Done)
        ]
        self._note_sent([one for one, _ in sent], [outcome for _, outcome in sent])
        done = {one.id for one, _ in sent}
        return [one for one in entries if one.id not in done]

    def _submit(self, entries: Sequence[OutboxEntry]) -> None:
        """Write, seal and send in one step what needs no personal seal."""
        self._note_sent(entries, self.desk.submit(self._drafts(entries)))

    def _note_digests(
        self, drafted: Sequence[Drafted], by_name: Mapping[str, OutboxEntry]
    ) -> None:
        with self.books.writing() as session:
            for one in drafted:
                entry = session.get_one(OutboxEntry, by_name[one.paper.name].id)
                entry.digest = one.digest

    def _note_sent(
        self, entries: Sequence[OutboxEntry], outcomes: Sequence[Outcome]
    ) -> None:
        sent = 0
        with self.books.writing() as session:
            for one, outcome in zip(entries, outcomes, strict=True):
                entry = session.get_one(OutboxEntry, one.id)
                if isinstance(outcome, DeskRefused):
                    _note_refused(entry, outcome)
                    continue
                entry.digest = outcome.digest
                sent += 1
                if entry.state is OutboxState.PLANNED:
                    entry.state = OutboxState.SENT
        if sent:
            self.tell("sent", sent)

    def _refuse(self, one: OutboxEntry, refusal: DeskRefused) -> None:
        with self.books.writing() as session:
            _note_refused(session.get_one(OutboxEntry, one.id), refusal)
        self.tell("refused", 1)

    def _receipted(self, session: Session, entry: OutboxEntry, receipt: Receipt) -> str:
        """Compare a receipt with our voucher (核对); tell what it shows."""
        if entry.answered:
            return ""
        issue, voucher = self.issues[entry.type_code], draft_of(entry)
        differences = "；".join(issue.differences(voucher, receipt))
        entry.note = differences[:NOTE_MAX]
        entry.state = OutboxState.DIFFERS if differences else OutboxState.RECEIPTED
        entry.answered = day_of(self.clock())
        issue.receipted(session, entry, voucher, receipt)
        return entry.state.value

    def _stepped(self, session: Session, entry: OutboxEntry, step: Step) -> str:
        """Book a step of a recipient; a late one never leads back."""
        if step.kind is DocumentKind.ACCEPTANCE:
            if entry.state in {OutboxState.PLANNED, OutboxState.SENT}:
                entry.state = OutboxState.ACCEPTED
            return "taken"
        state = _GIVEN_BACK_BY.get(step.kind)
        if state is None or entry.state is state:
            return ""
        entry.state, entry.note = state, step.explanation
        issue = self.issues[entry.type_code]
        issue.given_back(session, entry, draft_of(entry), step)
        return state.value


def _has_persons(entry: OutboxEntry) -> bool:
    return any(position.by_person for position in plan_of(entry.type_code))


def _note_refused(entry: OutboxEntry, refusal: DeskRefused) -> None:
    """Note a refusal; one that passes is tried again in the next turn."""
    if not refusal.retryable:
        entry.state, entry.note = OutboxState.REFUSED, refusal_note(refusal)
