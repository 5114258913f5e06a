"""Whatever happens in whatever order, a voucher's progress never goes back."""

from __future__ import annotations

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import ActingBegun, NotInState, OutOfTurn
from counterfoil.domain.standing import (
    VOID,
    Act,
    Role,
    Standing,
    advance,
    all_rules,
)

RANK = {
    Role.ISSUER: [
        {Standing.SEALED},
        {Standing.SENT},
        {Standing.REFUSED},
        {Standing.ARRIVED},
        {Standing.ACCEPTED},
        {Standing.REJECTED, Standing.RECEIPTED},
        {Standing.RETURNED, Standing.CLOSED, Standing.DISPUTED},
        {Standing.DISCARDED},
    ],
    Role.RECIPIENT: [
        {Standing.ARRIVED},
        {Standing.ACCEPTED},
        {Standing.ACTING},
        {Standing.UNKNOWN},
        {Standing.ACTED},
        {Standing.REJECTED, Standing.RECEIPTED, Standing.RETURNED},
        {Standing.DISCARDED},
    ],
}
"""How far a voucher is on each side; written here, not taken from the product."""

START = {Role.ISSUER: Standing.SEALED, Role.RECIPIENT: Standing.ARRIVED}
LIKELY = sorted({(act, kind) for _, act, kind in all_rules()})
STEPS = st.one_of(
    st.sampled_from(LIKELY),
    st.tuples(st.sampled_from(Act), st.sampled_from(DocumentKind)),
)
WAYS = st.lists(STEPS, max_size=40)
ROLES = st.sampled_from([Role.ISSUER, Role.RECIPIENT])


def rank(role: Role, standing: Standing) -> int:
    """Return how far a voucher is; the standings of the other side fail."""
    (found,) = [at for at, each in enumerate(RANK[role]) if standing in each]
    return found


def take(role: Role, standing: Standing, act: Act, kind: DocumentKind) -> Standing:
    """Return where an act leaves a voucher, possible or not."""
    try:
        return advance(role, standing, act, kind) or standing
    except OutOfTurn:
        return standing


@given(ROLES, WAYS)
def test_progress_never_goes_back_but_by_saying_not_done(
    role: Role, way: list[tuple[Act, DocumentKind]]
) -> None:
    standing = START[role]

    for act, kind in way:
        reached = take(role, standing, act, kind)
        note(f"{act.name} {kind.name}: {standing.name} -> {reached.name}")
        if act is Act.END_NOT_DONE and reached is not standing:
            assert standing in {Standing.ACTING, Standing.UNKNOWN}
            assert reached is Standing.ACCEPTED
        else:
            assert rank(role, reached) >= rank(role, standing)
        standing = reached


@pytest.mark.clause("hubei-33")
@given(ROLES, WAYS, WAYS)
def test_what_is_void_stays_void(
    role: Role,
    way: list[tuple[Act, DocumentKind]],
    later: list[tuple[Act, DocumentKind]],
) -> None:
    back = (Act.ARRIVE if role is Role.ISSUER else Act.ENTER, DocumentKind.RETURN)
    standing = START[role]
    for act, kind in [*way, (Act.SEND, DocumentKind.VOUCHER), back]:
        standing = take(role, standing, act, kind)
    was_void = standing in VOID

    for act, kind in later:
        standing = take(role, standing, act, kind)

    assert not was_void or standing in VOID


@pytest.mark.clause("hubei-32b")
@pytest.mark.refusal("ACTING_BEGUN")
@given(WAYS)
def test_from_the_beginning_of_the_act_to_not_done_nothing_is_returned(
    way: list[tuple[Act, DocumentKind]],
) -> None:
    standing = Standing.ACTING

    for act, kind in way:
        with pytest.raises(ActingBegun):
            advance(Role.RECIPIENT, standing, Act.ENTER, DocumentKind.RETURN)
        if act is not Act.END_NOT_DONE:
            standing = take(Role.RECIPIENT, standing, act, kind)

    assert standing not in VOID


@given(ROLES, WAYS)
def test_an_act_that_comes_twice_changes_nothing_the_second_time(
    role: Role, way: list[tuple[Act, DocumentKind]]
) -> None:
    standing = START[role]

    for act, kind in way:
        reached = take(role, standing, act, kind)
        if reached is not standing:
            assert advance(role, reached, act, kind) is None
        standing = reached


@given(WAYS)
def test_a_late_report_of_arrival_or_sending_changes_nothing(
    way: list[tuple[Act, DocumentKind]],
) -> None:
    standing = Standing.ARRIVED

    for act, kind in way:
        standing = take(Role.ISSUER, standing, act, kind)
        for late in (Act.SEND, Act.DELIVER, Act.REFUSE):
            assert advance(Role.ISSUER, standing, late, DocumentKind.VOUCHER) is None


@given(STEPS, st.sampled_from(Standing))
def test_what_is_only_a_copy_never_moves(
    step: tuple[Act, DocumentKind], standing: Standing
) -> None:
    with pytest.raises(NotInState):
        advance(Role.COPY, standing, *step)
