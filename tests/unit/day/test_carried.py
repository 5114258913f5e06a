"""What sources tell of vouchers that were carried, and what they do not agree on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.day.carried import (
    NAMES,
    Carried,
    Some,
    Teller,
    Way,
    differences,
    of_lines,
    of_standings,
    side_by_side,
)
from counterfoil.domain.standing import Standing

WAY = Way("F", "A", 5201)
AGREED = Carried(
    sent=4,
    taken=2,
    receipted=2,
    returned=1,
    rejected=1,
    disputed=0,
    sent_fen=400,
    receipted_fen=200,
)
SOME = (
    Some(Standing.CLOSED, 2, 200),
    Some(Standing.RETURNED, 1, 100),
    Some(Standing.REJECTED, 1, 100),
)


def test_standings_are_counted_by_what_became_of_them() -> None:
    assert of_standings(SOME, arrived=False) == AGREED


def test_only_the_issuer_finds_that_a_receipt_does_not_agree() -> None:
    some = [*SOME, Some(Standing.DISPUTED, 1, 10)]

    assert of_standings(some, arrived=False).disputed == 1
    assert of_standings(some, arrived=True).disputed is None
    assert of_standings(some, arrived=True).receipted == 3


@pytest.mark.parametrize(
    "standing", [Standing.DRAFT, Standing.SEALED, Standing.DISCARDED]
)
def test_what_was_never_sent_is_not_counted(standing: Standing) -> None:
    some = [*SOME, Some(standing, 9, 900)]

    assert of_standings(some, arrived=False) == AGREED


def test_what_did_not_arrive_is_counted_by_its_issuer_only() -> None:
    some = [*SOME, Some(Standing.SENT, 1, 50)]

    assert of_standings(some, arrived=False).sent == 5
    assert of_standings(some, arrived=True).sent == 4


def test_what_is_only_taken_has_no_receipt() -> None:
    carried = of_standings([Some(Standing.ACCEPTED, 3, 30)], arrived=True)

    assert (carried.taken, carried.receipted, carried.receipted_fen) == (3, 0, 0)


def test_lines_of_one_way_are_added_up_whatever_their_order() -> None:
    other = Way("F", "B", 5201)
    lines = [(WAY, SOME[2]), (other, SOME[0]), (WAY, SOME[0]), (WAY, SOME[1])]

    told = of_lines(lines, arrived=True)

    assert told[WAY] == replace(AGREED, disputed=None)
    assert told[other].sent == 2


def test_sources_that_agree_have_no_difference() -> None:
    assert differences({"one": AGREED, "other": replace(AGREED, taken=None)}) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_number_that_differs_is_named_with_its_sources(name: str) -> None:
    [found] = differences({"one": AGREED, "other": replace(AGREED, **{name: 7})})

    assert found.startswith(f"{name}: one ")
    assert found.endswith("other 7")


def test_both_sides_of_a_way_are_set_side_by_side() -> None:
    told = {
        Teller("F", "books"): {WAY: AGREED},
        Teller("A", "books"): {WAY: AGREED},
        Teller("A", "vault"): {WAY: AGREED},
    }

    assert side_by_side(told) == {
        WAY: {
            "issuer's books": AGREED,
            "recipient's books": AGREED,
            "recipient's vault": AGREED,
        }
    }


def test_a_way_that_one_side_does_not_know_is_a_difference() -> None:
    told = {Teller("F", "books"): {WAY: AGREED}, Teller("A", "books"): {}}

    found = differences(side_by_side(told)[WAY])

    assert "sent: issuer's books 4, recipient's books 0" in found


def test_a_third_party_tells_nothing_of_a_way() -> None:
    told = {Teller("F", "books"): {WAY: AGREED}, Teller("B", "books"): {}}

    assert list(side_by_side(told)[WAY]) == ["issuer's books"]
