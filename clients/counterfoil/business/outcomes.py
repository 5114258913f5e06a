"""What the gateway's answers mean for a system that may ask twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Final, Protocol, TypeVar

from counterfoil.business.books import SqlBooks
from counterfoil.business.rows import Row, store
from counterfoil.office import DeskRefused, Outcome

Tell = Callable[[str, int], None]
"""Is told what happened and to how many vouchers."""

REASON_MAX: Final = 200
"""Characters of an explanation; the contract allows no more."""
NOTE_MAX: Final = 300
"""Characters of a note in the books."""

State = TypeVar("State", bound=StrEnum)


def begun_before(outcome: Outcome) -> bool:
    """Tell whether `begin_acting` was refused because the act has begun already.

    To a system whose books know that nothing was done yet, that is as good as done:
    only the answer to its first asking was lost.
    """
    return isinstance(outcome, DeskRefused) and outcome.facts.get("state") == "ACTING"


class Standing(Row, Protocol[State]):
    """A row of the books that says where a voucher stands, and what is to be known."""

    state: State
    note: str


def settled(
    books: SqlBooks,
    due: Sequence[Standing[State]],
    outcomes: Iterable[Outcome | None],
    following: State,
    stopped: State,
) -> int:
    """Note what the gateway answered; return how many went on.

    Done goes on to `following`, busy waits for the next turn, refused stops with the
    refusal in its note.

    Args:
        books: Where the rows are kept.
        due: The rows that the gateway was asked about; they stand in no session.
        outcomes: One for each, in order; None is as good as done.
        following: Where done leads.
        stopped: Where a refusal leads that asking again would not change.
    """
    if not due:
        return 0
    done = 0
    with books.writing() as session:
        for one, outcome in zip(due, outcomes, strict=True):
            if not isinstance(outcome, DeskRefused):
                one.state = following
                done += 1
            elif not outcome.retryable:
                one.state = stopped
                one.note = refusal_note(outcome)
        store(session, due)
    return done


def refusal_note(refusal: DeskRefused) -> str:
    """Return a refusal as books note it."""
    return f"{refusal.reason}: {refusal.explanation()}"[:NOTE_MAX]
