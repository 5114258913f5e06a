from __future__ import annotations

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.office.calls import BATCH_BYTES_MAX, ITEMS_MAX, Patience, in_batches

SIZES = st.lists(st.integers(0, BATCH_BYTES_MAX + 1), max_size=600)


@given(SIZES)
def test_batches_hold_all_items_in_their_order(sizes: list[int]) -> None:
    batches = list(in_batches(sizes, lambda size: size))

    assert [size for batch in batches for size in batch] == sizes
    assert all(batches)


@given(SIZES)
def test_no_batch_is_larger_than_allowed_unless_one_item_is(sizes: list[int]) -> None:
    for batch in in_batches(sizes, lambda size: size):
        assert len(batch) <= ITEMS_MAX
        assert len(batch) == 1 or sum(batch) <= BATCH_BYTES_MAX


def test_257_small_items_make_two_batches() -> None:
    batches = in_batches(range(257), lambda _item: 1)

    assert [len(batch) for batch in batches] == [256, 1]


def test_waits_double_up_to_the_longest() -> None:
    patience = Patience(wait_s_min=1.0, wait_s_max=5.0, jitter=lambda: 1.0)

    assert list(islice(patience.waits(), 5)) == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_callers_wait_at_least_half_as_long_as_others() -> None:
    patience = Patience(wait_s_min=1.0, wait_s_max=5.0, jitter=lambda: 0.0)

    assert list(islice(patience.waits(), 3)) == [0.5, 1.0, 2.0]
