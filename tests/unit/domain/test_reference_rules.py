"""Rules over vouchers that name other vouchers."""

from __future__ import annotations

import pytest

from counterfoil.domain.naming import Naming, ReferenceMeasure, ReferenceNeed
from counterfoil.domain.rules import reference
from counterfoil.domain.standing import Role, Standing

N, S = ReferenceNeed, Standing


@pytest.mark.parametrize("standing", list(Standing))
def test_only_what_went_back_or_was_discarded_is_dead(standing: Standing) -> None:
    dead = {S.REJECTED, S.RETURNED, S.DISCARDED}

    assert reference.is_dead([standing]) == (standing in dead)
    # A return by one recipient voids it for all.
    assert reference.is_dead([S.ACCEPTED, standing]) == (standing in dead)


@pytest.mark.parametrize(
    ("need", "role", "enough"),
    [
        (N.ACTED, Role.ISSUER, {S.RECEIPTED, S.CLOSED, S.DISPUTED}),
        (N.ACTED, Role.RECIPIENT, {S.ACTED, S.RECEIPTED}),
        (N.ANSWERED, Role.ISSUER, {S.CLOSED}),
        (N.ANSWERED, Role.RECIPIENT, {S.RECEIPTED}),
        (N.HELD, Role.ISSUER, set(Standing)),
        (N.HELD, Role.RECIPIENT, set(Standing)),
        (N.ANSWERED, Role.COPY, set(Standing)),
        (N.NOTHING, Role.ISSUER, set(Standing)),
    ],
)
def test_what_is_needed_is_told_by_where_it_stands(
    need: ReferenceNeed, role: Role, enough: set[Standing]
) -> None:
    told = {one for one in Standing if reference.has_come_to(need, role, [one])}

    assert told == enough


def test_all_passages_have_to_have_come_to_what_is_needed() -> None:
    both = [S.CLOSED, S.ACCEPTED]

    assert not reference.has_come_to(N.ANSWERED, Role.ISSUER, both)
    assert reference.has_come_to(N.HELD, Role.ISSUER, both)


@pytest.mark.parametrize("need", [N.HELD, N.ACTED, N.ANSWERED])
def test_others_may_know_more_of_ours_than_we_unless_it_never_left(
    need: ReferenceNeed,
) -> None:
    known = {one for one in S if reference.may_be_known(need, Role.ISSUER, [one])}

    assert known == set(S) - {S.DRAFT, S.SEALED, S.REFUSED}


def test_nobody_knows_more_than_we_of_what_we_did() -> None:
    assert reference.may_be_known(N.ANSWERED, Role.RECIPIENT, [S.RECEIPTED])
    assert not reference.may_be_known(N.ANSWERED, Role.RECIPIENT, [S.ACTED])
    assert reference.may_be_known(N.NOTHING, Role.ISSUER, [S.SEALED])


@pytest.mark.parametrize(
    ("role", "standing", "lapses", "counts"),
    [
        (Role.ISSUER, S.SEALED, False, True),
        (Role.ISSUER, S.REFUSED, False, True),
        (Role.ISSUER, S.REJECTED, False, False),
        (Role.ISSUER, S.RETURNED, False, False),
        (Role.ISSUER, S.DISPUTED, False, True),
        (Role.ISSUER, S.DISPUTED, True, False),
        (Role.ISSUER, S.CLOSED, True, True),
        (Role.ISSUER, S.RECEIPTED, True, True),
        (Role.RECIPIENT, S.ACCEPTED, True, True),
        (Role.RECIPIENT, S.RECEIPTED, False, True),
        (Role.RECIPIENT, S.RECEIPTED, True, False),
    ],
)
def test_what_names_another_counts_as_long_as_it_is_in_force(
    role: Role, standing: Standing, *, lapses: bool, counts: bool
) -> None:
    assert reference.is_in_force(role, [standing], lapses=lapses) is counts


def test_amounts_are_compared_to_the_fen() -> None:
    assert reference.equals(-100, -100)
    assert not reference.equals(100, -100)
    assert not reference.equals(100, 101)


@pytest.mark.parametrize(
    ("whole", "parts", "holds"),
    [
        ([100], [-60, -40], True),
        ([100], [-60, -41], False),
        ([100], [60, -41], False),
        ([-100], [100], True),
        ([100, 50], [-150], True),
        ([100, 50], [-151], False),
        ([100], [], True),
    ],
)
def test_parts_are_together_no_more_than_the_whole(
    whole: list[int], parts: list[int], *, holds: bool
) -> None:
    assert reference.parts_hold(whole, parts) is holds


def test_one_that_may_be_named_once_is_free_once() -> None:
    assert reference.is_free(1, 0)
    assert not reference.is_free(1, 1)
    assert reference.is_free(2, 1)


@pytest.mark.parametrize(
    ("measure", "once", "counted"),
    [
        (ReferenceMeasure.NOTHING, False, False),
        (ReferenceMeasure.EQUAL, False, False),
        (ReferenceMeasure.EQUAL, True, True),
        (ReferenceMeasure.PART, False, True),
    ],
)
def test_names_are_counted_where_others_matter(
    measure: ReferenceMeasure, *, once: bool, counted: bool
) -> None:
    naming = Naming(
        types=(5201,),
        number="1",
        amount_fen=1,
        path="x",
        need=N.HELD,
        measure=measure,
        once=once,
    )

    assert naming.is_counted is counted
