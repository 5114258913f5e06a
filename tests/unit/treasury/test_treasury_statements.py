"""The statements of a month and their answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from counterfoil.business.tables import OutboxEntry, OutboxState
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.standing import Standing
from counterfoil.office import Form, Voucher
from counterfoil.treasury import statements
from counterfoil.treasury.books import Income, Statement
from counterfoil.treasury.periods import month_of, months_before
from tests.unit.treasury.papers import (
    BANK,
    FINANCE,
    OFFICE,
    OTHER_BANK,
    application,
    appropriation,
    came,
    order,
    quota_notice,
    refund,
)
from tests.unit.treasury.replies import reply
from tests.unit.treasury.treasury_desk import OPENING_FEN, Treasury


def live_in_march(treasury: Treasury) -> None:
    """Take in and spend in February and March, and let it be April."""
    treasury.live_on("20260227")
    treasury.enter(came("A1", 1000, "20260227"))
    treasury.run(appropriation("B1", (("", "2010101", 70),)))
    treasury.live_on("20260331")
    treasury.enter(came("A2", 300, "20260331"))
    treasury.run(quota_notice("E1"), application("S1"), order("Q1", "S1"))
    treasury.run(refund("T1"))
    treasury.live_on("20260401")


def booked(treasury: Treasury, voucher: Voucher) -> Statement:
    with treasury.books.reading() as session:
        name = (voucher.key.type_code, voucher.key.number)
        return session.get_one(Statement, name)


def test_a_month_is_stated_to_finance_and_to_every_bank(treasury: Treasury) -> None:
    live_in_march(treasury)

    assert treasury.system().state_month("202603") == []

    assert sorted(
        (one.key.type_code, one.recipients) for one in treasury.desk.issued.values()
    ) == [
        (3402, (FINANCE,)),
        (3511, (FINANCE,)),
        (3512, (FINANCE,)),
        (4005, (BANK,)),
        (4005, (OTHER_BANK,)),
    ]
    [balance] = treasury.stated(3402)
    assert balance.key.number == "KC20260331"
    assert balance.form.rows[0]["today_balance_fen"] == treasury.balance_fen()


def test_revenue_and_expenditure_are_stated_for_the_month_and_the_year_so_far(
    treasury: Treasury,
) -> None:
    live_in_march(treasury)
    treasury.system().state_month("202603")

    [revenue] = treasury.stated(3511)
    [spent] = treasury.stated(3512)

    form = revenue.form
    assert (form.text("begin_date"), form.text("end_date")) == ("20260301", "20260331")
    assert [
        (row["cur_income_amt_fen"], row["sum_income_amt_fen"]) for row in form.rows
    ] == [(300, 1300)]
    assert (form.fen("all_num"), form.fen("all_amt_fen")) == (1, 300)
    assert [
        (row["exp_func_code"], row["cur_pay_amt_fen"], row["sum_pay_amt_fen"])
        for row in spent.form.rows
    ] == [("2010101", 250, 320)]
    assert spent.form.fen("all_amt_fen") == 250


def test_a_year_is_stated_beside_its_december(treasury: Treasury) -> None:
    treasury.live_on("20261130")
    treasury.enter(came("A1", 1000, "20261130"))
    treasury.live_on("20270104")
    treasury.enter(came("A2", 300, "20261231"))

    treasury.system().state_month("202612")

    month, year = treasury.stated(3511)
    assert (month.key.number, month.form.fen("all_amt_fen")) == ("SR202612", 300)
    assert (year.key.number, year.form.fen("all_amt_fen")) == ("SR2026", 1300)
    assert year.form.text("begin_date") == "20260101"
    assert year.key.fiscal_year == 2026


def test_a_bank_is_told_what_was_cleared_and_refunded_by_kind_and_way(
    treasury: Treasury,
) -> None:
    live_in_march(treasury)
    treasury.system().state_month("202603")

    ours, other = treasury.stated(4005)

    def told(voucher: Voucher) -> list[tuple[object, ...]]:
        names = ("e_voucher_type", "pay_type_code", "all_num", "all_amt_fen")
        return [tuple(row[name] for name in names) for row in voucher.form.rows]

    assert told(ours) == [
        ("2301", "11", 1, 350),
        ("2301", "12", 0, 0),
        ("2302", "11", 1, -100),
        ("2302", "12", 0, 0),
    ]
    assert ours.form.text("pay_bank_code") == "102"
    assert {row[2] for row in told(other)} == {0}


def test_what_was_returned_is_not_stated_as_cleared(treasury: Treasury) -> None:
    treasury.live_on("20260331")
    treasury.run(application("S1"), order("Q1", "S1"))  # without any quota
    treasury.live_on("20260401")

    treasury.system().state_month("202603")

    assert {row["all_num"] for row in treasury.stated(4005)[0].form.rows} == {0}


def test_a_month_that_is_not_over_is_not_stated(treasury: Treasury) -> None:
    treasury.live_on("20260331")

    with pytest.raises(ValueError, match="202603 is not over on 20260331"):
        treasury.system().state_month("202603")

    assert treasury.desk.submitted == []


def test_a_month_is_stated_once_with_the_same_bytes(treasury: Treasury) -> None:
    live_in_march(treasury)
    treasury.system().state_month("202603")
    sent = list(treasury.desk.issued)

    treasury.live_on("20260402")
    assert treasury.system().state_month("202603") == []
    treasury.live()

    assert list(treasury.desk.issued) == sent
    assert len(treasury.desk.submitted) == len(sent)


def test_what_comes_after_the_statement_goes_into_the_next_month(
    treasury: Treasury,
) -> None:
    live_in_march(treasury)
    treasury.system().state_month("202603")

    treasury.enter(came("A9", 7, "20260331"))

    with treasury.books.reading() as session:
        assert session.get_one(Income, "A9").day == "20260401"
        made = statements.of_month(session, OFFICE, month_of("202603"))
    assert made[0].form == treasury.stated(3511)[0].form


def test_statements_that_were_planned_before_the_program_died_are_sent_by_the_next(
    treasury: Treasury, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_in_march(treasury)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("counterfoil.business.outbox.Outbox.work", dies)
        with pytest.raises(KeyboardInterrupt):
            treasury.system().state_month("202603")
    assert treasury.desk.submitted == []

    treasury.live()
    treasury.system().state_month("202603")

    assert len(treasury.desk.submitted) == len(treasury.desk.issued) == 5


def test_many_subjects_are_stated_in_packets(
    treasury: Treasury, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "PACKET", 2)
    treasury.live_on("20260331")
    for place in range(5):
        entry = came(f"A{place}", 10 + place, "20260331")
        treasury.enter(replace(entry, subject=f"101010{place}"))
    treasury.live_on("20260401")

    treasury.system().state_month("202603")

    packets = treasury.stated(3511)
    assert [one.key.number for one in packets] == [
        "SR202603",
        "SR202603-2",
        "SR202603-3",
    ]
    assert [
        (
            one.form.fen("cur_pack_no"),
            one.form.fen("child_pack_num"),
            len(one.form.rows),
        )
        for one in packets
    ] == [(1, 3, 2), (2, 3, 2), (3, 3, 1)]
    assert sum(one.form.fen("all_amt_fen") for one in packets) == 60
    assert {one.form.text("voucher_check_no") for one in packets} == {"SR202603"}
    # A reply is about its own packet.
    treasury.run_all(reply(packets[1]))
    assert [booked(treasury, one).result for one in packets] == ["", "0", ""]


@pytest.mark.parametrize("type_code", [3511, 3512])
def test_a_reply_that_agrees_is_booked(treasury: Treasury, type_code: int) -> None:
    live_in_march(treasury)
    treasury.system().state_month("202603")
    [one] = treasury.stated(type_code)

    [digest] = treasury.run_all(reply(one))

    assert treasury.standing(digest) is Standing.ACCEPTED
    answer = booked(treasury, one)
    assert (answer.result, answer.note, answer.answered) == ("0", "", "20260401")
    assert treasury.alerts() == []


@pytest.mark.parametrize("type_code", [3511, 3512])
def test_a_reply_that_differs_is_booked_and_told(
    treasury: Treasury, type_code: int
) -> None:
    live_in_march(treasury)
    treasury.system().state_month("202603")
    [one] = treasury.stated(type_code)

    treasury.run_all(reply(one, {"1": "财政账为2.99元"}))

    answer = booked(treasury, one)
    assert (answer.result, answer.note) == ("1", "第1行：财政账为2.99元")
    [warning] = treasury.alerts()
    assert one.key.number in warning
    assert "财政账为2.99元" in warning
    assert treasury.warned.count(warning) == 1


def test_a_row_that_differs_is_told_whatever_the_main_result_says(
    treasury: Treasury,
) -> None:
    live_in_march(treasury)
    treasury.system().state_month("202603")
    [one] = treasury.stated(3511)
    answer = reply(one, {"1": "不符"})
    fields = {**answer.form.fields, "x_check_result": "0"}

    treasury.run_all(replace(answer, form=Form(fields, answer.form.rows)))

    assert booked(treasury, one).result == "1"


def test_a_reply_to_nothing_that_we_stated_is_rejected(treasury: Treasury) -> None:
    live_in_march(treasury)
    treasury.system().state_month("202603")
    [one] = treasury.stated(3511)
    answer = reply(one)
    fields = {**answer.form.fields, "voucher_check_no": "SR202602"}
    foreign = replace(answer, key=replace(answer.key, issuer=BANK, number="H2"))

    wrong, others = treasury.run_all(
        replace(answer, form=Form(fields, answer.form.rows)), foreign
    )

    assert treasury.standing(wrong) is Standing.REJECTED
    assert treasury.reason(wrong) == "未发出对账单SR202602"
    assert treasury.standing(others) is Standing.REJECTED
    assert booked(treasury, one).result == ""


@pytest.mark.parametrize(
    ("answer", "result", "note"),
    [
        ({"x_check_result": "0"}, "0", ""),
        ({"x_check_result": "1", "x_check_reason": "少一笔"}, "1", "少一笔"),
        ({"x_check_result": "1"}, "1", "未说明原因"),
    ],
)
@pytest.mark.parametrize("type_code", [3402, 4005])
def test_the_result_of_a_statement_is_booked(
    treasury: Treasury, type_code: int, answer: dict[str, str], result: str, note: str
) -> None:
    live_in_march(treasury)
    treasury.system().state_month("202603")
    one = treasury.stated(type_code)[0]

    treasury.desk.answer(one, Form(answer), by=one.recipients[0])
    treasury.live()

    found = booked(treasury, one)
    assert (found.result, found.note, found.answered) == (result, note, "20260401")
    assert len(treasury.alerts()) == int(result)


def test_a_statement_that_comes_back_is_told_and_stated_anew(
    treasury: Treasury,
) -> None:
    live_in_march(treasury)
    treasury.system().state_month("202603")
    [one] = treasury.stated(3511)

    treasury.desk.tell(DocumentKind.REJECTION, one, "国库代码有误")
    treasury.live()
    treasury.system().state_month("202603")

    assert treasury.alerts() == ["凭证SR202603被退回：国库代码有误"]
    assert [each.key.issue for each in treasury.stated(3511)] == [1, 2]
    with treasury.books.reading() as session:
        states = set(
            session.scalars(
                select(OutboxEntry.state).where(OutboxEntry.number == "SR202603")
            )
        )
    assert states == {OutboxState.REJECTED, OutboxState.SENT}


def test_what_the_gateway_refuses_to_send_is_told(treasury: Treasury) -> None:
    live_in_march(treasury)
    treasury.system().state_month("202603")
    with treasury.books.writing() as session:
        session.execute(
            update(OutboxEntry)
            .where(OutboxEntry.number == "SR202603")
            .values(state=OutboxState.REFUSED, note="NO: nein")
        )

    [told] = treasury.system().state_month("202603")

    assert told == "420000-001/2026/3511/SR202603: NO: nein"


def test_a_month_begins_and_ends_as_the_calendar_says() -> None:
    assert month_of("202402").last == "20240229"
    assert month_of("202602").last == "20260228"
    names = [one.name for one in months_before("20251115", "20260301")]
    assert names == ["202511", "202512", "202601", "202602"]
    assert list(months_before("20260301", "20260331")) == []
    with pytest.raises(ValueError, match="202613"):
        month_of("202613")


def test_a_month_without_anything_has_a_balance_and_the_banks_statements_only(
    treasury: Treasury,
) -> None:
    treasury.live_on("20260401")

    treasury.system().state_month("202603")

    assert [one.key.type_code for one in treasury.desk.issued.values()] == [
        3402,
        4005,
        4005,
    ]
    [balance] = treasury.stated(3402)
    assert balance.form.rows[0]["today_balance_fen"] == OPENING_FEN
