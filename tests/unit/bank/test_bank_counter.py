"""At the counter an electronic voucher and its paper have to meet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.bank.counter import PaperRefused, check_code_of, enter
from counterfoil.bank.journal import State
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.standing import Standing
from tests.unit.bank.bank_house import DAY, BankHouse
from tests.unit.bank.papers import TOTAL, authorised_payment, direct_payment

AT_THE_COUNTER = authorised_payment("U1", counter=True)


def hand_in(house: BankHouse, number: str, check_code: str) -> bool:
    with house.journal.writing() as session:
        return enter(session, number, check_code, DAY)


def test_a_voucher_without_paper_is_accepted_and_not_begun(house: BankHouse) -> None:
    [digest] = house.pay(AT_THE_COUNTER)
    house.turn()

    assert house.state(digest) is State.ACCEPTED
    assert house.desk.standings[digest] is Standing.ACCEPTED
    assert house.core.times_paid() == (0, 0)
    assert house.journal.is_at_rest(), "it may wait for days"


def test_it_is_paid_once_when_its_paper_is_there(house: BankHouse) -> None:
    [digest] = house.pay(AT_THE_COUNTER)

    assert hand_in(house, "U1", check_code_of(digest))
    assert not house.journal.is_at_rest()
    house.turn()
    house.turn()

    assert house.desk.standings[digest] is Standing.RECEIPTED
    assert house.core.times_paid() == (1, TOTAL)
    [receipt] = house.desk.receipts
    assert receipt.authorised_payment.x_fund_deal_mode_code == "1"


def test_a_paper_waits_for_its_voucher(house: BankHouse) -> None:
    [digest] = house.arrive(AT_THE_COUNTER)

    assert not hand_in(house, "U1", check_code_of(digest))
    assert not hand_in(house, "U1", check_code_of(digest)), "entered again, it waits"
    house.turn()

    assert house.state(digest) is State.CLOSED
    assert house.core.times_paid() == (1, TOTAL)


def test_the_check_code_is_the_beginning_of_the_digest_and_case_does_not_matter(
    house: BankHouse,
) -> None:
    [digest] = house.pay(AT_THE_COUNTER)

    assert check_code_of(digest) == digest.hex().upper()[:8]
    assert hand_in(house, "U1", f" {check_code_of(digest).lower()} ")


def test_a_wrong_check_code_is_refused_and_nothing_is_paid(house: BankHouse) -> None:
    [digest] = house.pay(AT_THE_COUNTER)

    with pytest.raises(PaperRefused, match="校验码与电子凭证不符"):
        hand_in(house, "U1", "00000000")
    house.turn()

    assert house.state(digest) is State.ACCEPTED
    assert house.core.times_paid() == (0, 0)
    assert hand_in(house, "U1", check_code_of(digest)), "the right one still meets it"


@pytest.mark.parametrize("code", ["", "1234567", "123456789", "G0000000", "校验码"])
def test_what_is_no_check_code_is_refused(house: BankHouse, code: str) -> None:
    with pytest.raises(PaperRefused, match="8位"):
        hand_in(house, "U1", code)


def test_a_paper_that_waited_with_a_wrong_code_is_refused_when_its_voucher_comes(
    house: BankHouse,
) -> None:
    hand_in(house, "U1", "00000000")

    [digest] = house.pay(AT_THE_COUNTER)

    assert house.told["papers-refused"] == 1
    assert house.state(digest) is State.ACCEPTED
    assert house.core.times_paid() == (0, 0)


def test_a_paper_is_honoured_once(house: BankHouse) -> None:
    [digest] = house.pay(AT_THE_COUNTER)
    hand_in(house, "U1", check_code_of(digest))
    house.turn()

    with pytest.raises(PaperRefused, match="已受理"):
        hand_in(house, "U1", check_code_of(digest))


def test_a_self_service_voucher_needs_no_paper_and_takes_none(house: BankHouse) -> None:
    [digest] = house.pay(authorised_payment("U2"))

    assert house.state(digest) is State.CLOSED
    with pytest.raises(PaperRefused, match="自助柜面"):
        hand_in(house, "U2", check_code_of(digest))


def test_a_direct_payment_of_the_same_number_is_none_of_the_counters(
    house: BankHouse,
) -> None:
    [digest] = house.pay(direct_payment("U1"))

    assert house.state(digest) is State.CLOSED
    assert not hand_in(house, "U1", check_code_of(digest))


def test_what_waits_for_its_paper_can_still_be_returned(house: BankHouse) -> None:
    [digest] = house.pay(AT_THE_COUNTER)
    house.desk.tell(DocumentKind.RETURN_REQUEST, AT_THE_COUNTER, "金额有误")

    house.turn()

    assert house.desk.standings[digest] is Standing.RETURNED
    with pytest.raises(PaperRefused, match="已退回"):
        hand_in(house, "U1", check_code_of(digest))
    assert house.core.times_paid() == (0, 0)


def test_a_second_voucher_of_the_number_is_rejected_while_the_first_waits(
    house: BankHouse,
) -> None:
    [first] = house.pay(AT_THE_COUNTER)
    other = authorised_payment("U1", (("101001", "2010101", 9),), counter=True)
    [second] = house.pay(replace(other, key=replace(other.key, issue=2)))

    assert house.desk.standings[second] is Standing.REJECTED
    assert house.desk.explanations[second] == "凭证号重复"
    with pytest.raises(PaperRefused, match="已退回或作废"):
        hand_in(house, "U1", check_code_of(second))
    hand_in(house, "U1", check_code_of(first))
    house.turn()
    assert house.core.times_paid() == (1, TOTAL)
