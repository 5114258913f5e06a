"""Vouchers of ours that came back, until nobody holds them any more (退回、作废).

What one of several recipients rejects or returns is void for all of them, but the
others hold it still and wait for what follows on it. They are asked to return it; once
nobody holds it any more its number may be issued again, and what was only rejected is
voided before that. What one of them has acted on no program takes back: a person must
look.

Source: Hubei measures, articles 32 and 33.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.books import SqlBooks
from counterfoil.business.days import day_of
from counterfoil.business.outcomes import (
    NOTE_MAX,
    REASON_MAX,
    Tell,
    refusal_note,
)
from counterfoil.business.tables import (
    OutboxEntry,
    OutboxState,
    RecallEntry,
    RecallState,
    key_columns,
)
from counterfoil.office import Desk, DeskRefused, Outcome, Reason, Standing

_GONE: Final = frozenset(
    {Standing.REFUSED, Standing.REJECTED, Standing.RETURNED, Standing.DISCARDED}
)
"""Standings in which a recipient holds a voucher no more, or never did."""
_VOID: Final = frozenset({Standing.RETURNED, Standing.DISCARDED})
"""Standings after which the gateway lets the next issue of a number follow."""
_DUE: Final = (RecallState.DUE, RecallState.VOIDING)
"""States that something follows on by itself."""
_VOIDED: Final = frozenset({RecallState.VOIDING, RecallState.VOID})
_ACTED: Final = frozenset({Standing.RECEIPTED, Standing.CLOSED, Standing.DISPUTED})
"""Standings in which, as its issuer knows, a recipient has acted."""


def begin(session: Session, entry: OutboxEntry, why: str) -> None:
    """Have a voucher of several recipients that one gave back come back from all.

    Every later one that gives it back has it looked at again.

    Args:
        session: The transaction that books that it came back.
        entry: The voucher.
        why: What its recipient says.
    """
    if session.get(RecallEntry, entry.id) is None:
        session.add(
            RecallEntry(entry=entry.id, state=RecallState.DUE, note=why[:NOTE_MAX])
        )
    look_again(session, entry)


def look_again(session: Session, entry: OutboxEntry) -> str:
    """Note that a recipient of a voucher that came back was heard; tell nothing."""
    recall = session.get(RecallEntry, entry.id)
    if recall is not None and recall.state is RecallState.WAITING:
        recall.state = RecallState.DUE
    return ""


def state_of(session: Session, entry: OutboxEntry) -> RecallState | None:
    """Return how far a voucher that came back is back from all; None if none asks."""
    recall = session.get(RecallEntry, entry.id)
    return None if recall is None else recall.state


def void_first(session: Session, returned: OutboxEntry) -> None:
    """Have what came back void before its number is issued again.

    What was rejected is not void by that, and the gateway lets nothing replace what is
    not void.

    Raises:
        ValueError: Another of its recipients has not returned it.
    """
    recall = session.get(RecallEntry, returned.id)
    if recall is None and returned.state is OutboxState.REJECTED:
        session.add(
            RecallEntry(
                entry=returned.id, state=RecallState.VOIDING, note=returned.note
            )
        )
    elif recall is not None and recall.state is RecallState.BACK:
        recall.state = RecallState.VOIDING
    elif recall is not None and recall.state not in _VOIDED:
        msg = f"凭证{returned.number}尚有接收方未退回，不能重开"
        raise ValueError(msg)


def freed(books: SqlBooks, planned: Sequence[OutboxEntry]) -> Sequence[OutboxEntry]:
    """Return what may go out: a next issue waits until the one before is voided."""
    if all(one.issue == 1 for one in planned):
        return planned
    with books.reading() as session:
        return [one for one in planned if not _is_held_up(session, one)]


def _is_held_up(session: Session, entry: OutboxEntry) -> bool:
    before = {**key_columns(entry.key), "issue": entry.issue - 1}
    due = (
        select(RecallEntry.entry)
        .join(OutboxEntry, OutboxEntry.id == RecallEntry.entry)
        .where(RecallEntry.state.in_(_DUE))
        .where(*(getattr(OutboxEntry, name) == one for name, one in before.items()))
    )
    return session.scalar(due) is not None


def any_due(books: SqlBooks) -> bool:
    """Tell whether something that came back is still to be looked at."""
    due = select(RecallEntry.entry).where(RecallEntry.state.in_(_DUE))
    with books.reading() as session:
        return session.scalar(due.limit(1)) is not None


def told(session: Session, today: str) -> Iterator[str]:
    """Yield what of all this a person has to look at, in Chinese.

    Args:
        session: The books.
        today: Day in China, `yyyymmdd`: who was asked before it and has not answered
            is told.
    """
    found = session.execute(
        select(OutboxEntry.number, RecallEntry.state, RecallEntry.note)
        .join(RecallEntry, RecallEntry.entry == OutboxEntry.id)
        .where(
            (RecallEntry.state == RecallState.KEPT)
            | ((RecallEntry.state == RecallState.WAITING) & (RecallEntry.asked < today))
        )
        .order_by(OutboxEntry.id)
    )
    for number, state, note in found:
        kept = state is RecallState.KEPT
        what = "被退回，但不能作废" if kept else "被退回，其他接收方尚未退回"
        yield f"凭证{number}{what}：{note}"


@dataclass(frozen=True, slots=True)
class Recalls:
    """Asks for what came back, and voids what is to be issued again.

    Attributes:
        desk: The business system's desk at our own gateway.
        books: Our books.
        clock: Says on which day others were asked.
        tell: Is told how far we are.
    """

    desk: Desk
    books: SqlBooks
    clock: Callable[[], datetime]
    tell: Tell

    def work(self) -> None:
        """Look where every voucher stands that came back, and take it one step on."""
        for entry, recall in self._due():
            self._take_on(entry, recall)

    def _due(self) -> list[tuple[OutboxEntry, RecallEntry]]:
        with self.books.reading() as session:
            found = session.execute(
                select(OutboxEntry, RecallEntry)
                .join(RecallEntry, RecallEntry.entry == OutboxEntry.id)
                .where(RecallEntry.state.in_(_DUE))
                .order_by(OutboxEntry.id)
            )
            return [(entry, recall) for entry, recall in found]

    def _take_on(self, entry: OutboxEntry, recall: RecallEntry) -> None:
        try:
            standings = self.desk.inquire(entry.digest).standings
        except DeskRefused as refusal:
            self._note(recall, RecallState.KEPT, refusal)
            return
        reason = Reason(entry.reference, recall.note[:REASON_MAX])
        if _GONE.issuperset(standings.values()):
            self._end(recall, reason, frozenset(standings.values()))
        elif acted := _whose(standings, _ACTED):
            recall.note = f"接收方{'、'.join(acted)}已办理；{recall.note}"[:NOTE_MAX]
            self._note(recall, RecallState.KEPT, None)
        elif recall.asked:
            self._note(recall, RecallState.WAITING, None)
        else:
            [outcome] = self.desk.request_return([reason])
            recall.asked = day_of(self.clock())
            self._note(recall, RecallState.WAITING, outcome)

    def _end(
        self, recall: RecallEntry, reason: Reason, standings: frozenset[Standing]
    ) -> None:
        """Note that nobody holds it; void it if its number is to be issued again."""
        if recall.state is RecallState.DUE:
            self._note(recall, RecallState.BACK, None)
        elif _VOID.issuperset(standings):
            self._note(recall, RecallState.VOID, None)
        else:
            [outcome] = self.desk.discard([reason])
            self._note(recall, RecallState.VOID, outcome)

    def _note(
        self, recall: RecallEntry, following: RecallState, outcome: Outcome | None
    ) -> None:
        """Note what came of a step; busy is tried again in the next turn."""
        if isinstance(outcome, DeskRefused):
            if outcome.retryable:
                return
            following, recall.note = RecallState.KEPT, refusal_note(outcome)
        recall.state = following
        with self.books.writing() as session:
            session.merge(recall)
        self.tell(_TOLD[following], 1)


_TOLD: Final = {
    RecallState.WAITING: "asked-back",
    RecallState.BACK: "back",
    RecallState.VOID: "voided",
    RecallState.KEPT: "kept",
}
"""What is told when a voucher has come so far."""


def _whose(standings: Mapping[str, Standing], among: frozenset[Standing]) -> list[str]:
    return sorted(party for party, one in standings.items() if one in among)
