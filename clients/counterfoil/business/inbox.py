"""The inbox: takes every voucher that came from one state of the books to the next.

Each step reads one state, does one thing and commits what came of it. A crash anywhere
leaves a state from which the same step is done again: all that the gateway is asked may
be asked twice, and what is booked is in the books whole or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session, undefer

from counterfoil.business.books import SqlBooks
from counterfoil.business.contents import Content, content_of
from counterfoil.business.days import day_of
from counterfoil.business.outcomes import REASON_MAX, Tell, begun_before, settled
from counterfoil.business.rows import apart, put, store
from counterfoil.business.tables import (
    IN_WORK,
    CopyEntry,
    InboxEntry,
    InboxState,
    key_columns,
)
from counterfoil.business.works import Work
from counterfoil.office import (
    ActOutcome,
    Arrival,
    Desk,
    DocumentKind,
    Outcome,
    Reason,
    Receipt,
    Step,
    Voucher,
    enclosed,
)

BATCH: Final = 64
"""Vouchers that are looked at, or booked, in one transaction."""

_STANDING: Final[Select[InboxEntry]] = (
    select(InboxEntry)
    .where(InboxEntry.state.in_(bindparam("states", expanding=True)))
    .where(InboxEntry.type_code.in_(bindparam("kinds", expanding=True)))
    .order_by(InboxEntry.type_code, InboxEntry.number, InboxEntry.issue)
)
_ANY_STANDING: Final = (
    _STANDING.with_only_columns(InboxEntry.digest).order_by(None).limit(1)
)
_NAMED: Final = InboxEntry.digest.in_(bindparam("digests", expanding=True))
_CONTENTS: Final = select(InboxEntry).where(_NAMED).options(undefer(InboxEntry.sealed))
_KNOWN: Final = select(InboxEntry.digest).where(_NAMED)

_MAY_RETURN: Final = frozenset({InboxState.READ, InboxState.FIT, InboxState.ACCEPTED})
"""States in which an issuer may still have its voucher back."""
_MAY_VOID: Final = _MAY_RETURN | {InboxState.UNFIT, InboxState.UNDONE}
"""States that a withdrawal ends: the issuer may know of our answer before we do."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """Accepts, books and answers the vouchers that come to one business system.

    Attributes:
        party: Our party code.
        desk: The desk at our own gateway.
        books: Our books.
        works: What is done about each kind, by type code.
        clock: Says on which day something is booked.
        tell: Is told how far we are.
    """

    party: str
    desk: Desk
    books: SqlBooks
    works: Mapping[int, Work]
    clock: Callable[[], datetime]
    tell: Tell

    def wanted(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Return the arrivals about vouchers of others that we take."""
        return [
            one
            for one in arrivals
            if one.voucher.key.issuer != self.party
            and one.voucher.key.type_code in self.works
        ]

    def knows(self, arrival: Arrival) -> bool:
        """Tell whether a voucher was written down before."""
        with self.books.reading() as session:
            return session.get(InboxEntry, arrival.digest) is not None

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Write down what came, and hear what the issuers ask."""
        contents = [(one, content_of(one.sealed)) for one in arrivals]
        others: list[Arrival] = []
        with self.books.writing() as session:
            # First: what is asked about a voucher may have come with it.
            _write_down(session, contents)
            for arrival, content in contents:
                match content:
                    case Voucher():
                        continue
                    case Step() as step:
                        self._hear(session, step)
                    case Receipt() as receipt:
                        self._copied(session, arrival, receipt)
                others.append(arrival)
        self.desk.acknowledge(others)

    def work(self) -> None:
        """Take every voucher as far as it can go now."""
        if not self._has_any(*IN_WORK, InboxState.ACCEPTED):
            return
        # What a crash left comes first: later steps may count on it.
        self._tell_outcomes()
        self._close()
        self._check()
        self._answer()
        self._book_unanswered()
        self._begin()
        self._act()
        self._tell_outcomes()
        self._close()

    def is_at_rest(self) -> bool:
        """Tell whether nothing is left to do before something else comes."""
        return not self._has_any(*IN_WORK) and not self._due()

    def in_state(self, *states: InboxState) -> list[InboxEntry]:
        """Return the vouchers of our kinds in these states, by kind and number."""
        with self.books.reading() as session:
            return self._standing(session, *states)

    def _standing(self, session: Session, *states: InboxState) -> list[InboxEntry]:
        wanted = {"states": states, "kinds": list(self.works)}
        return list(session.scalars(_STANDING, wanted))

    def _has_any(self, *states: InboxState) -> bool:
        """Tell whether a voucher of our kinds is in one of these states."""
        wanted = {"states": states, "kinds": list(self.works)}
        with self.books.reading() as session:
            return session.scalar(_ANY_STANDING, wanted) is not None

    def _hear(self, session: Session, step: Step) -> None:
        """Do what an issuer's step asks, if nothing was begun."""
        entry = session.get(InboxEntry, step.voucher.digest)
        if entry is None:
            return
        if step.kind is DocumentKind.DISCARD and entry.state in _MAY_VOID:
            entry.state, entry.note = InboxState.VOID, step.explanation
        if step.kind is DocumentKind.RETURN_REQUEST and self._may_return(
            session, entry
        ):
            note = f"应发送方要求退回：{step.explanation}"
            entry.state, entry.note = InboxState.UNDONE, note[:REASON_MAX]
            entry.day = ""

    def _may_return(self, session: Session, entry: InboxEntry) -> bool:
        """Tell whether its issuer may have it back; what is only taken, if undone."""
        if entry.state is not InboxState.TAKEN:
            return entry.state in _MAY_RETURN
        work = self.works[entry.type_code]
        return work.take_back(session, entry, voucher_of(entry))

    def _copied(self, session: Session, arrival: Arrival, receipt: Receipt) -> None:
        """Book a copy of another's receipt, with the original that it has inside."""
        original = enclosed(arrival.sealed)
        if original is None or session.get(CopyEntry, arrival.digest) is not None:
            return
        session.add(CopyEntry(digest=arrival.digest))
        self.works[arrival.voucher.key.type_code].copied(session, original, receipt)

    def _check(self) -> None:
        """Check what was read: what is found stays, whatever the books say later."""
        for some in _batches(self.in_state(InboxState.READ)):
            with self.books.writing() as session:
                for entry in self._expected(session, some):
                    work = self.works[entry.type_code]
                    reasons = work.objections(session, entry, voucher_of(entry))
                    entry.note = "；".join(reasons)[:REASON_MAX]
                    entry.state = InboxState.UNFIT if entry.note else InboxState.FIT
                    store(session, [entry])

    def _answer(self) -> None:
        """Accept what was found good, reject what was not (签收)."""
        good = self.in_state(InboxState.FIT)
        self._settle(
            good,
            self.desk.accept(one.reference for one in good),
            InboxState.ACCEPTED,
            "accepted",
        )
        bad = self.in_state(InboxState.UNFIT)
        self._settle(
            bad,
            self.desk.reject(Reason(one.reference, one.note) for one in bad),
            InboxState.REJECTED,
            "rejected",
        )

    def _book_unanswered(self) -> None:
        """Book what is only taken; what the books do not allow is returned (退回)."""
        accepted = self.in_state(InboxState.ACCEPTED)
        self._book(
            [one for one in accepted if not self.works[one.type_code].answers],
            InboxState.TAKEN,
            InboxState.UNDONE,
        )

    def _begin(self) -> None:
        """Tell the gateway that we are about to act (开始办理)."""
        due = [one for one in self._due() if self.works[one.type_code].answers]
        outcomes = self.desk.begin_acting(one.reference for one in due)
        # Begun already, says the gateway, and our books know that nothing was done:
        # the answer to our first asking was lost.
        self._settle(
            due,
            [None if begun_before(outcome) else outcome for outcome in outcomes],
            InboxState.BEGUN,
        )

    def _due(self) -> list[InboxEntry]:
        """Return what was accepted and waits for nothing."""
        with self.books.reading() as session:
            accepted = self._standing(session, InboxState.ACCEPTED)
            return [one for one in accepted if self._is_due(session, one)]

    def _is_due(self, session: Session, entry: InboxEntry) -> bool:
        return self.works[entry.type_code].is_due(session, entry)

    def _act(self) -> None:
        """Act on what was begun."""
        begun = self.in_state(InboxState.BEGUN)
        self._book(begun, InboxState.BOOKED, InboxState.REFUSED)

    def _book(
        self, due: Sequence[InboxEntry], done: InboxState, refused: InboxState
    ) -> None:
        """Book what is due, one by one: decision and booking in one transaction.

        What one books may be what another waits for, or the reverse: each sees what
        those before it have booked in the same transaction.
        """
        for some in _batches(due):
            counted: Counter[str] = Counter()
            with self.books.writing() as session:
                for entry in self._expected(session, some):
                    # What was begun waits no more.
                    waits = entry.state is InboxState.ACCEPTED
                    if waits and not self._is_due(session, entry):
                        continue
                    counted[self._book_one(session, entry, done, refused)] += 1
            for what, count in counted.items():
                self.tell(what, count)

    def _expected(
        self, session: Session, some: Sequence[InboxEntry]
    ) -> list[InboxEntry]:
        """Return vouchers as they stand, once their works know what comes next."""
        held = _held(session, some)
        vouchers: dict[int, list[Voucher]] = {}
        for entry in held:
            vouchers.setdefault(entry.type_code, []).append(voucher_of(entry))
        for type_code, alike in vouchers.items():
            self.works[type_code].expect(session, alike)
        return held

    def _book_one(
        self,
        session: Session,
        entry: InboxEntry,
        done: InboxState,
        refused: InboxState,
    ) -> str:
        """Book a voucher; tell whether it was booked or refused."""
        entry.day = day_of(self.clock())
        work = self.works[entry.type_code]
        reasons = list(work.book(session, entry, voucher_of(entry)))
        entry.state, entry.note = done, ""
        if reasons:
            entry.state, entry.day = refused, ""
            entry.note = "；".join(reasons)[:REASON_MAX]
        store(session, [entry])
        return "refused" if reasons else "booked"

    def _tell_outcomes(self) -> None:
        """Tell the gateway what came of our acts (办理结果)."""
        for state, outcome, following in (
            (InboxState.BOOKED, ActOutcome.DONE, InboxState.ACTED),
            (InboxState.REFUSED, ActOutcome.NOT_DONE, InboxState.UNDONE),
        ):
            due = self.in_state(state)
            told = self.desk.end_acting((one.reference, outcome) for one in due)
            self._settle(due, told, following)

    def _close(self) -> None:
        """Issue receipts (回单); return what cannot be done (退回)."""
        for some in _batches(self.in_state(InboxState.ACTED)):
            with self.books.reading() as session:
                receipts = [
                    self.works[entry.type_code].receipt(
                        session, entry, voucher_of(entry)
                    )
                    for entry in _held(session, some)
                ]
            self._settle(
                some,
                self.desk.issue_receipt(receipts),
                InboxState.RECEIPTED,
                "receipted",
            )
        undone = self.in_state(InboxState.UNDONE)
        self._settle(
            undone,
            self.desk.return_vouchers(
                Reason(one.reference, one.note) for one in undone
            ),
            InboxState.RETURNED,
            "returned",
        )

    def _settle(
        self,
        due: Sequence[InboxEntry],
        outcomes: Sequence[Outcome | None],
        following: InboxState,
        what: str = "",
    ) -> None:
        done = settled(self.books, due, outcomes, following, InboxState.STOPPED)
        if what and done:
            self.tell(what, done)


def voucher_of(entry: InboxEntry) -> Voucher:
    """Return what a voucher that came says; call it while its session is open."""
    content = content_of(entry.sealed)
    assert isinstance(content, Voucher), "the inbox holds vouchers only"
    return content


def _batches(entries: Sequence[InboxEntry]) -> Iterator[Sequence[InboxEntry]]:
    """Yield vouchers by so many as one transaction takes, in their order."""
    for start in range(0, len(entries), BATCH):
        yield entries[start : start + BATCH]


def _held(session: Session, entries: Sequence[InboxEntry]) -> list[InboxEntry]:
    """Return the same vouchers as they stand now, with their contents; see `store`."""
    digests = [one.digest for one in entries]
    found = session.scalars(_CONTENTS, {"digests": digests}).all()
    apart(session, found)
    by_digest = {one.digest: one for one in found}
    return [by_digest[one.digest] for one in entries]


def _write_down(session: Session, contents: Sequence[tuple[Arrival, Content]]) -> None:
    """Put the vouchers among what came into the books; each once, by its digest."""
    came = {
        arrival.digest: (arrival, content)
        for arrival, content in contents
        if isinstance(content, Voucher)
    }
    known = set(session.scalars(_KNOWN, {"digests": list(came)}))
    put(
        session,
        [
            InboxEntry(
                **key_columns(voucher.key),
                digest=digest,
                sealed=arrival.sealed,
                arrived=day_of(arrival.arrival_time),
                state=InboxState.READ,
            )
            for digest, (arrival, voucher) in came.items()
            if digest not in known
        ],
    )
