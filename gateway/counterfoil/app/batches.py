"""Batches in which every item has its own outcome."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from counterfoil.domain.refusals import CounterfoilError

Item = TypeVar("Item")
Made = TypeVar("Made")


def attempt(
    make: Callable[[Item], Made], items: Sequence[Item]
) -> list[Made | CounterfoilError]:
    """Apply `make` to each item; a refusal takes the place of what it refuses."""
    outcomes: list[Made | CounterfoilError] = []
    for item in items:
        try:
            outcomes.append(make(item))
        except CounterfoilError as refusal:
            outcomes.append(refusal)
    return outcomes


def once_each(
    make: Callable[[Item], Made], by: Callable[[Item], Hashable]
) -> Callable[[Item], Made]:
    """Return `make`, so that it is called once for items that are alike.

    Most items of a batch go the same way. What is refused is made again, so that
    each item has a refusal of its own.

    Args:
        make: Looks at nothing of an item but what `by` returns.
        by: Returns what makes items alike.
    """
    made: dict[Hashable, Made] = {}

    def make_once(item: Item) -> Made:
        kind = by(item)
        if kind not in made:
            made[kind] = make(item)
        return made[kind]

    return make_once


def good(outcomes: Sequence[Made | CounterfoilError]) -> list[Made]:
    """Return what was not refused, in order."""
    return [one for one in outcomes if not isinstance(one, CounterfoilError)]


def refill(
    outcomes: Sequence[Made | CounterfoilError],
    later: Sequence[Item | CounterfoilError],
) -> list[Item | CounterfoilError]:
    """Put the outcomes of a later step in the places of those not refused before.

    Args:
        outcomes: What the step before made of all items.
        later: What the next step made of those not refused, in order.
    """
    rest = iter(later)
    return [
        one if isinstance(one, CounterfoilError) else next(rest) for one in outcomes
    ]
