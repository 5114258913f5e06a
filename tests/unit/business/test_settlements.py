"""What people agree about a receipt that differs holds once two of them signed it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.business import settlements
from counterfoil.business.settlements import Terms
from counterfoil.business.tables import Holds, SettlementEntry
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.office import Person, Reference
from tests.unit.business.house import ORDER, TODAY, House, paper
from tests.unit.office.loopback import access_of

ABOUT = Reference(paper(ORDER, "O1").key, b"\1" * 32)
TERMS = Terms(about=ABOUT, holds=Holds.VOUCHER, reason="与国库电话核实，已全额支付")


def agree(house: House, place: int, terms: Terms = TERMS) -> bool:
    person = house.reviewers[place].person
    with house.books.writing() as session:
        return settlements.agree(session, terms, person, TODAY)


def settled(house: House) -> dict[bytes, Holds]:
    with house.books.reading() as session:
        return settlements.settled(session)


@pytest.mark.clause("hubei-34", "hubei-36")
def test_it_holds_once_two_persons_have_signed_the_same(house: House) -> None:
    assert not agree(house, 0)
    assert settled(house) == {}
    with house.books.reading() as session:
        assert "待另一人确认：与国库" in next(settlements.half(session))
        assert not settlements.is_settled(session, ABOUT.digest)

    assert agree(house, 1)

    assert settled(house) == {ABOUT.digest: Holds.VOUCHER}
    with house.books.reading() as session:
        entry = session.get_one(SettlementEntry, ABOUT.digest)
        assert entry.first.endswith(":person:first")
        assert entry.second.endswith(":person:second")
        assert settlements.is_settled(session, ABOUT.digest)
        assert list(settlements.half(session)) == []
        assert list(settlements.unsound(session)) == []


@pytest.mark.clause("hubei-36")
def test_nobody_settles_alone(house: House) -> None:
    agree(house, 0)

    with pytest.raises(ValueError, match="另一人"):
        agree(house, 0)

    assert settled(house) == {}


@pytest.mark.clause("hubei-36")
def test_a_program_is_no_person(house: House, ca: DevelopmentCa) -> None:
    access = access_of(ca, "system", "1")
    program = Person.from_pem(access.certificate, access.key)

    with (
        house.books.writing() as session,
        pytest.raises(ValueError, match="不是人员证书"),
    ):
        settlements.agree(session, TERMS, program, TODAY)


@pytest.mark.parametrize(
    "other",
    [replace(TERMS, holds=Holds.NOTHING), replace(TERMS, reason="另一原因")],
)
def test_both_sign_the_same_words(house: House, other: Terms) -> None:
    agree(house, 0)

    with pytest.raises(ValueError, match="不一致"):
        agree(house, 1, other)

    assert settled(house) == {}


def test_what_is_settled_is_not_settled_otherwise(house: House) -> None:
    agree(house, 0)
    agree(house, 1)

    with pytest.raises(ValueError, match="已由两人确认"):
        agree(house, 0, replace(TERMS, holds=Holds.NOTHING))


@pytest.mark.parametrize("reason", ["", "  ", "长" * 301])
def test_a_reason_is_given_and_is_short(house: House, reason: str) -> None:
    with pytest.raises(ValueError, match="须说明原因"):
        agree(house, 0, replace(TERMS, reason=reason))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("holds", Holds.NOTHING),
        ("reason", "改过"),
        ("second_signature", b"x"),
        ("first_signature", b"x"),
    ],
)
@pytest.mark.clause("hubei-37a1")
def test_what_was_signed_cannot_be_changed_unseen(
    house: House, column: str, value: object
) -> None:
    agree(house, 0)
    agree(house, 1)
    with house.books.writing() as session:
        setattr(session.get_one(SettlementEntry, ABOUT.digest), column, value)

    with house.books.reading() as session:
        [told] = settlements.unsound(session)

    assert "与签名不符" in told
