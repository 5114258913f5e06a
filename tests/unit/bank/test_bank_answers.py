"""What others state is held against the bank's own books."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.bank import periods
from counterfoil.bank.kinds import AUTHORISED_QUOTA, CHECK_REPLY, DIRECT_QUOTA
from counterfoil.bank.tables import QuotaChange
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.standing import Standing
from counterfoil.office import Voucher
from counterfoil.sealed.v1 import voucher_pb2
from tests.unit.bank.bank_house import NOON, BankHouse
from tests.unit.bank.papers import (
    authorised_payment,
    direct_payment,
    special_payment,
)
from tests.unit.bank.stated import (
    Stated,
    agency_statement,
    check,
    treasury_statement,
)
from tests.unit.business.house import counted
from tests.unit.treasury.papers import quota_notice

FIRST = "SQ202603011101"
D1: Stated = (5201, "D1", 350, "20260301")
D2: Stated = (5201, "D2", 350, "20260301")


def answer(house: BankHouse, *stated: Voucher) -> list[voucher_pb2.Receipt]:
    """Let statements arrive; return the bank's answers in their order."""
    digests = house.pay(*stated)
    receipts = {one.voucher.digest: one for one in house.desk.receipts}
    assert {house.desk.standings[one] for one in digests} == {Standing.RECEIPTED}
    return [receipts[digest] for digest in digests]


@pytest.fixture
def paid(house: BankHouse) -> BankHouse:
    house.pay(direct_payment("D1"), direct_payment("D2"), authorised_payment("U1"))
    return house


def test_a_statement_that_agrees_with_our_books_is_answered_so(
    paid: BankHouse,
) -> None:
    [receipt] = answer(paid, agency_statement("S1", (D1, D2)))

    form = receipt.agency_statement
    assert (form.x_check_result, form.x_diff_num, form.x_check_reason) == ("0", 0, "")
    assert list(form.rows) == []


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ((5201, "D9", 350, "20260301"), "凭证D9不存在"),
        ((8202, "D2", 350, "20260301"), "凭证D2不存在"),
        ((5201, "D2", 349, "20260301"), "凭证D2金额不符，我方3.50元"),
        ((5201, "D2", 350, "20260302"), "凭证D2支付日期不符，我方20260301"),
    ],
)
def test_a_row_that_is_not_ours_is_told_with_what_we_have(
    paid: BankHouse, row: Stated, why: str
) -> None:
    [receipt] = answer(paid, agency_statement("S1", (D1, row, D2)))

    form = receipt.agency_statement
    assert (form.x_check_result, form.x_diff_num) == ("1", 1)
    assert form.x_check_reason == why
    assert [(one.id, one.x_check_result, one.x_check_reason) for one in form.rows] == [
        ("2", "1", why)
    ]


def test_what_we_paid_and_no_row_names_is_told(paid: BankHouse) -> None:
    [receipt] = answer(paid, agency_statement("S1", (D1,)))

    form = receipt.agency_statement
    assert (form.x_check_result, form.x_check_reason) == ("1", "缺少凭证D23.50元")
    assert list(form.rows) == []


def test_an_account_is_stated_by_itself(house: BankHouse) -> None:
    house.pay(direct_payment("D1"), special_payment("Z1"))

    first, second = answer(
        house,
        agency_statement("S1", (D1,)),
        agency_statement("S2", ((5267, "Z1", 350, "20260301"),), account="42000000099"),
    )
    assert first.agency_statement.x_check_result == "0"
    assert second.agency_statement.x_check_result == "0"


def test_the_last_packet_waits_for_the_others_and_tells_what_all_leave_out(
    paid: BankHouse,
) -> None:
    last = agency_statement("S1-2", (D2,), packet=(2, 2), check_number="S1")
    [digest] = paid.pay(last)
    assert paid.desk.standings[digest] is Standing.ACCEPTED

    [first] = answer(
        paid, agency_statement("S1-1", (D1,), packet=(1, 2), check_number="S1")
    )

    assert paid.desk.standings[digest] is Standing.RECEIPTED
    results = [one.agency_statement.x_check_result for one in paid.desk.receipts[-2:]]
    assert results == ["0", "0"]
    assert first.agency_statement.x_check_result == "0"


def test_a_refund_that_is_stated_is_held_against_its_notice(paid: BankHouse) -> None:
    paid.apply()
    paid.turn()
    paid.clear(FIRST)
    refund = paid.refund("D1", "D1-0", 40)
    paid.answer("TP00000001-1", {"x_check_result": "0"})
    paid.clear("TH202603011021101")

    stated = (2203, refund.number, -40, "20260301")
    right, wrong = answer(
        paid,
        agency_statement("S1", (D1, D2, stated)),
        agency_statement("S2", (D1, D2, (2203, refund.number, -41, "20260301"))),
    )
    assert right.agency_statement.x_check_result == "0"
    assert "金额不符" in wrong.agency_statement.x_check_reason


def looked_up(
    house: BankHouse, *named: tuple[int, str]
) -> dict[tuple[int, str], list[periods.Booked]]:
    with house.journal.reading() as session:
        return periods.booked(session, named)


def test_rows_are_looked_up_by_as_many_as_one_query_may_name(
    paid: BankHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = [(5201, "D1"), (5201, "D2"), (8202, "U1"), (5201, "U1"), (5201, "D1")]
    whole = looked_up(paid, *named)
    monkeypatch.setattr(periods, "NAMED_AT_ONCE", 1)

    assert looked_up(paid, *named) == whole
    assert {
        name: [one.amount_fen for one in found] for name, found in whole.items()
    } == {
        (5201, "D1"): [350],
        (5201, "D2"): [350],
        (8202, "U1"): [350],
    }


def test_a_statement_of_many_rows_takes_no_more_queries_than_one_of_two(
    paid: BankHouse,
) -> None:
    many: list[Stated] = [(5201, f"D{n}", 350, "20260301") for n in range(1, 300)]
    with counted("before_cursor_execute") as few:
        looked_up(paid, *((kind, number) for kind, number, *_ in many[:2]))
    with counted("before_cursor_execute") as all_of_them:
        looked_up(paid, *((kind, number) for kind, number, *_ in many))

    assert len(all_of_them) == len(few) > 0


def test_only_a_refund_that_was_given_back_is_one_by_its_number(
    paid: BankHouse,
) -> None:
    paid.apply()
    paid.turn()
    paid.clear(FIRST)
    done = paid.refund("D1", "D1-0", 40)
    paid.answer("TP00000001-1", {"x_check_result": "0"})
    paid.clear("TH202603011021101")
    open_ = paid.refund("D2", "D2-0", 40)
    short = f"TK{done.id}"  # the same number, written otherwise

    found = looked_up(
        paid, (2203, done.number), (2203, short), (2203, open_.number), (2203, "D1")
    )

    refunded = [periods.Booked(done.number, -40, "20260301")]
    assert found == {(2203, done.number): refunded, (2203, short): refunded}


def test_an_answer_is_the_same_however_often_it_is_asked_for(
    paid: BankHouse,
) -> None:
    statement = agency_statement("S1", (D1,))
    paid.dies = ("issue_receipt", "before")
    paid.pay(statement)
    paid.dies = None

    [receipt] = [one for one in paid.desk.receipts if one.HasField("agency_statement")]
    assert receipt.agency_statement.x_diff_num == 1


@pytest.mark.parametrize(
    ("stated", "result"),
    [
        (((2301, "11", 1, 700), (2301, "12", 0, 0), (2302, "11", 0, 0)), "0"),
        (((2301, "", 1, 700),), "0"),
        (((2301, "11", 2, 700),), "1"),
        (((2301, "11", 1, 701),), "1"),
        (((2301, "12", 1, 700),), "1"),
        (((2302, "11", 0, 0),), "1"),
    ],
)
def test_what_the_treasury_cleared_is_held_against_its_receipts(
    paid: BankHouse, stated: tuple[tuple[int, str, int, int], ...], result: str
) -> None:
    paid.apply()
    paid.turn()
    paid.clear(FIRST)  # the authorised way waits for its receipt

    [receipt] = answer(paid, treasury_statement("T1", stated))

    form = receipt.treasury_statement
    assert form.x_check_result == result
    assert bool(form.x_check_reason) == bool(int(result))


def test_what_was_cleared_in_another_month_is_not_of_this(paid: BankHouse) -> None:
    paid.now = NOON.replace(month=4)
    paid.apply()
    paid.turn()
    paid.clear("SQ202604011101")

    [receipt] = answer(paid, treasury_statement("T1", ((2301, "11", 0, 0),)))

    assert receipt.treasury_statement.x_check_result == "0"


def test_a_daily_check_is_answered_by_our_own_view_of_the_day(
    paid: BankHouse,
) -> None:
    paid.apply()
    paid.turn()
    paid.clear(FIRST)
    paid.give_back("SQ202603011201", "额度不足")

    paid.pay(check("C1", 2301, ((FIRST, 1),), "20260301"))

    [number] = paid.applied(CHECK_REPLY)
    form = paid.issued(number).form
    assert form.text("hold1") == "C1"
    assert (form.fields["all_num"], form.fen("all_amt_fen")) == (2, 1050)
    assert [
        (row["voucher_no"], row["amt_fen"], row["pro_state"]) for row in form.rows
    ] == [(FIRST, 700, "0"), ("SQ202603011201", 350, "1")]


def test_a_check_of_a_day_without_business_is_answered_without_rows(
    paid: BankHouse,
) -> None:
    paid.pay(check("C1", 2301, (), "20260302"), check("C2", 2302, (), "20260301"))

    for number in paid.applied(CHECK_REPLY):
        assert paid.issued(number).form.rows == ()
    assert len(paid.applied(CHECK_REPLY)) == 2


def quota(house: BankHouse) -> list[tuple[str, str, int]]:
    with house.journal.reading() as session:
        return sorted(
            (one.way, one.unit, one.amount_fen) for one in session.query(QuotaChange)
        )


def test_a_copy_of_a_quota_notice_is_taken_and_not_answered(house: BankHouse) -> None:
    digests = house.pay(
        quota_notice("E1", (("101", "2010101", 100), ("", "2010101", 50))),
        quota_notice("E2", (("101", "2010101", -30),), type_code=AUTHORISED_QUOTA),
    )

    assert {house.desk.standings[one] for one in digests} == {Standing.ACCEPTED}
    assert quota(house) == [("11", "", 50), ("11", "101", 100), ("12", "101", -30)]
    assert house.desk.receipts == []


def test_quota_of_another_bank_is_none_of_ours(house: BankHouse) -> None:
    house.pay(quota_notice("E1", bank_no="103521000000"))

    assert quota(house) == []


def test_a_notice_that_replaces_another_takes_its_place(house: BankHouse) -> None:
    first = quota_notice("E1", (("101", "2010101", 100),), type_code=DIRECT_QUOTA)
    [digest] = house.pay(first)
    second = quota_notice("E1", (("101", "2010101", 70),))
    house.pay(replace(second, key=replace(second.key, issue=2), replaces=digest))

    assert quota(house) == [("11", "101", 70)]


@pytest.mark.clause("hubei-33")
def test_a_quota_notice_that_finance_asks_back_is_struck_out(house: BankHouse) -> None:
    wrong = quota_notice("E1", (("101", "2010101", 100),), type_code=DIRECT_QUOTA)
    right = quota_notice("E2", (("101", "2010101", 70),), type_code=DIRECT_QUOTA)
    digest, _ = house.pay(wrong, right)

    house.desk.tell(DocumentKind.RETURN_REQUEST, wrong, "国库已退回")
    house.turn()

    assert house.desk.standings[digest] is Standing.RETURNED
    assert quota(house) == [("11", "101", 70)]
