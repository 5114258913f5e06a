"""Every item of a batch keeps its place, whatever becomes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.app.batches import attempt, good, once_each, refill
from counterfoil.domain.refusals import CounterfoilError, VaultBusy, VoucherNotFound


def halve(number: int) -> int:
    if number % 2:
        raise VoucherNotFound(str(number))
    return number // 2


@given(st.lists(st.integers(0, 9)))
def test_refusals_stand_where_their_items_stood(numbers: list[int]) -> None:
    first = attempt(halve, numbers)
    second = refill(first, attempt(halve, good(first)))

    for number, outcome in zip(numbers, second, strict=True):
        if number % 4 == 0:
            assert outcome == number // 4
        else:
            refused = number if number % 2 else number // 2
            assert isinstance(outcome, CounterfoilError)
            assert str(outcome) == str(refused)


@given(st.lists(st.integers(0, 9)))
def test_what_is_alike_is_made_once_and_refused_each_time(numbers: list[int]) -> None:
    asked: list[int] = []

    def make(number: int) -> int:
        asked.append(number)
        return halve(number)

    made = attempt(once_each(make, by=lambda number: number), numbers)

    assert [str(one) for one in made] == [str(one) for one in attempt(halve, numbers)]
    even = [number for number in asked if number % 2 == 0]
    assert len(even) == len(set(even))
    refusals = [one for one in made if isinstance(one, CounterfoilError)]
    assert len({id(one) for one in refusals}) == len(refusals)


def test_a_defect_is_no_refusal() -> None:
    with pytest.raises(ZeroDivisionError):
        attempt(lambda number: 1 // number, [1, 0])


def test_every_kind_of_refusal_takes_a_place() -> None:
    def refuse(_: int) -> int:
        raise VaultBusy("later")

    assert [type(one) for one in attempt(refuse, [1])] == [VaultBusy]
