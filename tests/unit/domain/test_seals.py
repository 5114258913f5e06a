"""Whether seals fill their plan: every way in which they may not."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from counterfoil.domain.catalogue import (
    DocumentKind,
    SealedBy,
    SealPlan,
    SealPosition,
    SealPurpose,
)
from counterfoil.domain.party import Identity, Use
from counterfoil.domain.refusals import SamePerson, SealForged, SealMissing
from counterfoil.domain.seals import (
    Algorithm,
    Sealing,
    SealStatement,
    check_plan,
    next_position,
)
from counterfoil.sealed.v1 import sealed_pb2

ISSUER, OTHER = "420000-011", "420000-102"


def position(name: str, purpose: SealPurpose, by: SealedBy) -> SealPosition:
    return SealPosition(id=name, name_zh="章", purpose=purpose, by=by)


PLAN = SealPlan(
    (
        position("jbqm", SealPurpose.FIRST_REVIEW, SealedBy.PERSON),
        position("fhqm", SealPurpose.SECOND_REVIEW, SealedBy.PERSON),
        position("gz", SealPurpose.OFFICIAL, SealedBy.INSTITUTION),
    )
)
STATEMENTS = tuple(
    SealStatement(
        document_kind=DocumentKind.VOUCHER,
        payload_digest=bytes(32),
        position=each.id,
        purpose=each.purpose,
        certificate_digest=bytes(32),
        algorithm=Algorithm.ECDSA_P256_SHA256,
        stated_time_us=0,
    )
    for each in PLAN.positions
)


def sealing(
    where: str, use: Use, name: str, party: str = ISSUER, key: bytes = b""
) -> Sealing:
    return Sealing(
        position=where,
        signer=Identity(party=party, use=use, name=name),
        certificate_digest=bytes(32),
        key_digest=key or sha256(name.encode()).digest(),
    )


SEALINGS = (
    sealing("jbqm", Use.PERSON, "li"),
    sealing("fhqm", Use.PERSON, "wang"),
    sealing("gz", Use.INSTITUTION, "1"),
)


@pytest.mark.clause("hubei-19a")
def test_two_persons_and_then_the_institution_fill_the_plan() -> None:
    check_plan(PLAN, STATEMENTS, SEALINGS, issuer=ISSUER)


@pytest.mark.refusal("SEAL_MISSING")
@pytest.mark.parametrize("missing", range(3))
def test_a_seal_that_is_missing_is_noticed(missing: int) -> None:
    seals = [each for each in range(3) if each != missing]

    with pytest.raises(SealMissing) as refused:
        check_plan(
            PLAN,
            [STATEMENTS[each] for each in seals],
            [SEALINGS[each] for each in seals],
            issuer=ISSUER,
        )

    assert refused.value.facts == {"due": "3", "there": "2"}


@pytest.mark.refusal("SEAL_MISSING")
def test_a_seal_too_many_is_noticed() -> None:
    with pytest.raises(SealMissing) as refused:
        check_plan(
            PLAN,
            (*STATEMENTS, STATEMENTS[2]),
            (*SEALINGS, SEALINGS[2]),
            issuer=ISSUER,
        )

    assert refused.value.facts == {"due": "3", "there": "4"}


@pytest.mark.refusal("SEAL_MISSING")
@pytest.mark.parametrize("order", [(1, 0, 2), (0, 2, 1), (0, 0, 2), (0, 1, 1)])
def test_seals_out_of_order_or_doubled_are_noticed(order: tuple[int, ...]) -> None:
    with pytest.raises(SealMissing) as refused:
        check_plan(
            PLAN,
            [STATEMENTS[each] for each in order],
            [SEALINGS[each] for each in order],
            issuer=ISSUER,
        )

    seat = next(at for at, each in enumerate(order) if at != each)
    assert refused.value.facts == {
        "position": PLAN.positions[seat].id,
        "seat": str(seat),
    }


@pytest.mark.refusal("SEAL_MISSING")
@pytest.mark.parametrize("seat", range(3))
def test_a_seal_for_another_purpose_does_not_fill_its_position(seat: int) -> None:
    statements = list(STATEMENTS)
    statements[seat] = replace(statements[seat], purpose=SealPurpose.SETTLED)

    with pytest.raises(SealMissing) as refused:
        check_plan(PLAN, statements, SEALINGS, issuer=ISSUER)

    assert refused.value.facts["seat"] == str(seat)


@pytest.mark.refusal("SEAL_FORGED")
@pytest.mark.parametrize("seat", range(3))
def test_another_partys_seal_is_forged(seat: int) -> None:
    sealings = list(SEALINGS)
    signer = replace(sealings[seat].signer, party=OTHER)
    sealings[seat] = replace(sealings[seat], signer=signer)

    with pytest.raises(SealForged) as refused:
        check_plan(PLAN, STATEMENTS, sealings, issuer=ISSUER)

    assert refused.value.facts == {
        "check": "signer",
        "position": PLAN.positions[seat].id,
    }


@pytest.mark.refusal("SEAL_FORGED")
@pytest.mark.parametrize(
    ("seat", "use"),
    [
        (0, Use.INSTITUTION),
        (1, Use.INSTITUTION),
        (2, Use.PERSON),
        (0, Use.SYSTEM),
        (2, Use.SYSTEM),
        (2, Use.GATEWAY),
    ],
)
def test_a_signer_of_the_wrong_kind_is_forged(seat: int, use: Use) -> None:
    sealings = list(SEALINGS)
    signer = replace(sealings[seat].signer, use=use)
    sealings[seat] = replace(sealings[seat], signer=signer)

    with pytest.raises(SealForged):
        check_plan(PLAN, STATEMENTS, sealings, issuer=ISSUER)


@pytest.mark.clause("hubei-19a")
@pytest.mark.refusal("SAME_PERSON")
def test_nobody_reviews_twice_not_even_with_another_certificate() -> None:
    again = replace(
        SEALINGS[1], signer=SEALINGS[0].signer, certificate_digest=b"\x01" * 32
    )

    with pytest.raises(SamePerson) as refused:
        check_plan(PLAN, STATEMENTS, (SEALINGS[0], again, SEALINGS[2]), issuer=ISSUER)

    assert refused.value.facts == {"position": "fhqm"}


@pytest.mark.clause("hubei-19a")
@pytest.mark.refusal("SAME_PERSON")
def test_nobody_reviews_twice_with_two_certificates_of_one_key() -> None:
    again = sealing("fhqm", Use.PERSON, "wang", key=SEALINGS[0].key_digest)

    with pytest.raises(SamePerson) as refused:
        check_plan(PLAN, STATEMENTS, (SEALINGS[0], again, SEALINGS[2]), issuer=ISSUER)

    assert refused.value.facts == {"position": "fhqm"}


def test_the_institutions_seal_may_bear_a_persons_name() -> None:
    named = replace(SEALINGS[2], signer=replace(SEALINGS[2].signer, name="li"))

    check_plan(PLAN, STATEMENTS, (*SEALINGS[:2], named), issuer=ISSUER)


def test_the_next_position_follows_the_seals_that_are_there() -> None:
    assert [next_position(PLAN, filled).id for filled in range(3)] == [
        "jbqm",
        "fhqm",
        "gz",
    ]


@pytest.mark.refusal("SEAL_MISSING")
def test_a_full_plan_has_no_next_position() -> None:
    with pytest.raises(SealMissing) as refused:
        next_position(PLAN, 3)

    assert refused.value.facts == {"filled": "3"}


def test_algorithms_have_the_names_and_numbers_of_the_contract() -> None:
    contract = {
        name.removeprefix("ALGORITHM_"): number
        for name, number in sealed_pb2.Algorithm.items()
        if number
    }

    assert {each.name: each.value for each in Algorithm} == contract
