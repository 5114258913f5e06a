"""Every item of a batch keeps its place, whatever becomes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.app.batches import attempt, good, refill
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


def test_a_defect_is_no_refusal() -> None:
    with pytest.raises(ZeroDivisionError):
        attempt(lambda number: 1 // number, [1, 0])


def test_every_kind_of_refusal_takes_a_place() -> None:
    def refuse(_: int) -> int:
        raise VaultBusy("later")

    assert [type(one) for one in attempt(refuse, [1])] == [VaultBusy]
