"""Readings are counted, and what nobody takes over does not fill the memory."""

from __future__ import annotations

from counterfoil.vault.read_counts import ReadCounts

BANK, FINANCE = "420000-102", "420000-011"


def test_each_party_has_its_own_count_of_each_leaf() -> None:
    counts = ReadCounts()
    for party, index in ((BANK, 1), (BANK, 1), (FINANCE, 1), (BANK, 2)):
        counts.add(party, index)

    told = [counts.of(party, index) for party in (BANK, FINANCE) for index in (1, 2)]

    assert told == [2, 1, 1, 0]


def test_what_was_taken_over_is_forgotten() -> None:
    counts = ReadCounts()
    counts.add(BANK, 1)

    counts.forget(BANK, 1)
    counts.forget(BANK, 1)

    assert counts.of(BANK, 1) == len(counts) == 0


def test_what_nobody_takes_over_is_let_go_from_the_oldest_on() -> None:
    counts = ReadCounts(8)

    for index in range(1_000):
        counts.add(BANK, index)
        counts.add(BANK, 0)  # read again and again: its count stays right

    assert len(counts) <= 8
    assert [counts.of(BANK, index) for index in (0, 1, 999)] == [1_001, 0, 1]


def test_a_leaf_is_forgotten_in_both_generations() -> None:
    counts = ReadCounts(2)
    counts.add(BANK, 1)
    counts.add(BANK, 2)  # leaf 1 is of the older generation now

    counts.forget(BANK, 1)

    assert (counts.of(BANK, 1), counts.of(BANK, 2)) == (0, 1)
