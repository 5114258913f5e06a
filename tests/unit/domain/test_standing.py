"""Every act from every standing, against a table written from the regulations."""

from __future__ import annotations

import pytest

from counterfoil.desk.v1 import standing_pb2
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import ActingBegun, NotInState
from counterfoil.domain.standing import VOID, Act, Role, Standing, advance, all_rules

# Columns: the standings in the order of their numbers. In a cell stands where the
# act leads, or "=" if it changes nothing, "." if it is NOT_IN_STATE, "!" if it is
# ACTING_BEGUN.
SHORT = {
    "DR": Standing.DRAFT,
    "SL": Standing.SEALED,
    "ST": Standing.SENT,
    "RF": Standing.REFUSED,
    "AR": Standing.ARRIVED,
    "AC": Standing.ACCEPTED,
    "RJ": Standing.REJECTED,
    "AG": Standing.ACTING,
    "AD": Standing.ACTED,
    "UN": Standing.UNKNOWN,
    "RC": Standing.RECEIPTED,
    "CL": Standing.CLOSED,
    "DP": Standing.DISPUTED,
    "RT": Standing.RETURNED,
    "DC": Standing.DISCARDED,
}
EXPECTED = """
                            DR SL ST RF AR AC RJ AG AD UN RC CL DP RT DC
ISSUER SEND VOUCHER          . ST  =  =  =  =  =  =  =  =  =  =  =  =  =
ISSUER DELIVER VOUCHER       .  . AR AR  =  =  =  =  =  =  =  =  =  =  =
ISSUER REFUSE VOUCHER        =  = RF  =  =  =  =  =  =  =  =  =  =  =  =
ISSUER ARRIVE ACCEPTANCE     .  . AC  . AC  =  .  .  .  .  =  =  =  =  =
ISSUER ARRIVE REJECTION      .  . RJ  . RJ  .  =  .  .  .  .  .  .  .  =
ISSUER ARRIVE RETURN         .  . RT  . RT RT  .  !  !  !  !  .  .  =  =
ISSUER ARRIVE RECEIPT        .  . RC  . RC RC  .  .  .  .  =  =  =  .  .
ISSUER CLOSE RECEIPT         .  .  .  .  .  .  .  .  .  . CL  =  .  .  .
ISSUER DISPUTE RECEIPT       .  .  .  .  .  .  .  .  .  . DP  .  =  .  .
ISSUER ENTER DISCARD         . DC  . DC  .  . DC  .  .  .  .  .  . DC  =
ISSUER ENTER RETURN_REQUEST  =  =  =  =  =  =  =  =  =  =  =  =  =  =  =
RECIPIENT ENTER ACCEPTANCE   .  .  .  . AC  =  .  .  .  .  .  .  .  .  .
RECIPIENT ENTER REJECTION    .  .  .  . RJ  .  =  .  .  .  .  .  .  .  .
RECIPIENT ENTER RETURN       .  .  .  . RT RT  .  !  !  !  !  .  .  =  .
RECIPIENT BEGIN VOUCHER      .  .  .  .  . AG  .  =  .  .  .  .  .  .  .
RECIPIENT END_DONE VOUCHER   .  .  .  .  .  .  . AD  = AD  .  .  .  .  .
RECIPIENT END_NOT_DONE VOUCHER . . .  .  .  =  . AC  . AC  .  .  .  .  .
RECIPIENT END_UNKNOWN VOUCHER . .  .  .  .  .  . UN  .  =  .  .  .  .  .
RECIPIENT ENTER RECEIPT      .  .  .  .  .  .  .  . RC  .  =  .  .  .  .
RECIPIENT ARRIVE DISCARD     .  .  .  .  .  . DC  .  .  .  .  .  . DC  =
RECIPIENT ARRIVE RETURN_REQUEST = = =  =  =  =  =  =  =  =  =  =  =  =  =
"""


def expected() -> dict[tuple[Role, Act, DocumentKind, Standing], str]:
    header, *lines = EXPECTED.strip("\n").splitlines()
    columns = [SHORT[short] for short in header.split()]
    table = {}
    for line in lines:
        role, act, kind, *cells = line.split()
        assert len(cells) == len(columns), line
        for standing, cell in zip(columns, cells, strict=True):
            table[Role[role], Act[act], DocumentKind[kind], standing] = cell
    return table


def outcome(role: Role, act: Act, kind: DocumentKind, standing: Standing) -> str:
    """Return what an act leads to, as a cell of the table."""
    try:
        reached = advance(role, standing, act, kind)
    except ActingBegun:
        return "!"
    except NotInState:
        return "."
    if reached is None:
        return "="
    return next(short for short, each in SHORT.items() if each is reached)


@pytest.mark.refusal("NOT_IN_STATE", "ACTING_BEGUN")
def test_every_act_leads_where_the_regulations_say() -> None:
    table = expected()

    found = {
        (role, act, kind, standing): outcome(role, act, kind, standing)
        for role in Role
        for act in Act
        for kind in DocumentKind
        for standing in Standing
    }

    assert {cell: found[cell] for cell in table} == table
    others = {found[cell] for cell in found.keys() - table.keys()}
    assert others == {"."}, "what the table does not name is never possible"


def test_the_published_rules_are_those_that_lead_somewhere() -> None:
    leading = {
        (role, act, kind)
        for (role, act, kind, _), cell in expected().items()
        if cell in SHORT
    }

    assert all_rules().keys() == leading


@pytest.mark.refusal("NOT_IN_STATE")
def test_a_refused_act_says_in_which_state_and_which_act() -> None:
    with pytest.raises(NotInState) as refused:
        advance(Role.RECIPIENT, Standing.ARRIVED, Act.ENTER, DocumentKind.RECEIPT)

    assert refused.value.facts == {"state": "ARRIVED", "act": "ENTER RECEIPT"}


@pytest.mark.refusal("ACTING_BEGUN")
@pytest.mark.clause("hubei-32b")
@pytest.mark.parametrize(
    "standing",
    [Standing.ACTING, Standing.UNKNOWN, Standing.ACTED, Standing.RECEIPTED],
)
def test_whoever_has_begun_to_act_returns_nothing(standing: Standing) -> None:
    with pytest.raises(ActingBegun) as refused:
        advance(Role.RECIPIENT, standing, Act.ENTER, DocumentKind.RETURN)

    assert refused.value.facts["state"] == standing.name


@pytest.mark.clause("hubei-33")
def test_nothing_but_discard_moves_a_void_voucher() -> None:
    moved = {
        (role, act, kind, standing)
        for (role, act, kind, standing), cell in expected().items()
        if standing in VOID
        and outcome(role, act, kind, standing) in SHORT
        and cell != "DC"
    }

    assert not moved


def test_standings_have_the_names_and_numbers_of_the_contract() -> None:
    contract = {
        name.removeprefix("STANDING_"): number
        for name, number in standing_pb2.Standing.items()
        if number
    }

    assert {each.name: each.value for each in Standing} == contract
