"""A bank's statement of quota against the treasury's own books."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.business.tables import InboxEntry, InboxState
from counterfoil.domain.standing import Standing
from counterfoil.office import Form
from counterfoil.office.vouchers import FieldValue
from counterfoil.sealed.v1 import voucher_pb2
from counterfoil.treasury import quota_statements
from counterfoil.treasury.kinds import AUTHORISED_QUOTA
from counterfoil.treasury.quota_statements import cut
from tests.unit.office.dying_desk import Crash
from tests.unit.treasury.papers import (
    OTHER_BANK,
    OTHER_NO,
    application,
    order,
    quota_notice,
    refund,
)
from tests.unit.treasury.replies import quota_row, quota_statement
from tests.unit.treasury.treasury_desk import Treasury

RIGHT = (quota_row("101", (100, 100, 0)), quota_row("102", (250, 250, 250)))
"""What the books of `live_in_march` say."""


def live_in_march(treasury: Treasury) -> None:
    """Give quota in February and March, clear and refund in March, and wait a day."""
    treasury.live_on("20260227")
    treasury.run(quota_notice("E0"))
    treasury.live_on("20260331")
    treasury.run(quota_notice("E1"), application("S1"), order("Q1", "S1"))
    treasury.run(refund("T1"))
    treasury.live_on("20260401")
    # April's is no business of March's.
    treasury.run(quota_notice("E2", (("109", "2010101", 9),)))


def answered(treasury: Treasury, digest: bytes) -> voucher_pb2.Receipt:
    assert treasury.standing(digest) is Standing.RECEIPTED
    return treasury.receipt(digest)


def test_a_statement_that_agrees_is_answered_with_our_own_figures(
    treasury: Treasury,
) -> None:
    live_in_march(treasury)

    [digest] = treasury.run_all(quota_statement(RIGHT))

    form = answered(treasury, digest).quota_statement
    assert (form.x_check_result, form.x_diff_num, len(form.rows)) == ("0", 0, 0)
    assert form.x_pre_date_money_fen == 350
    assert form.x_clear_amt_fen == 350
    assert form.x_cur_reck_money_fen == 250
    assert form.x_cur_date_money_fen == 450
    assert not form.HasField("x_check_reason")
    assert treasury.alerts() == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            quota_row("101", (101, 100, 0)),
            "上期额度余额国库为1.00元；本期额度余额国库为2.00元",
        ),
        (
            quota_row("101", (100, 101, 0)),
            "本期新增额度国库为1.00元；本期额度余额国库为2.00元",
        ),
        (
            quota_row("101", (100, 100, 1)),
            "本期已清算额度国库为0.00元；本期额度余额国库为2.00元",
        ),
    ],
)
def test_a_row_that_differs_is_answered_with_its_reason(
    treasury: Treasury, row: dict[str, FieldValue], reason: str
) -> None:
    live_in_march(treasury)

    [digest] = treasury.run_all(quota_statement((RIGHT[1], row)))

    form = answered(treasury, digest).quota_statement
    assert (form.x_check_result, form.x_diff_num) == ("1", 1)
    assert [(one.id, one.x_check_result, one.x_check_reason) for one in form.rows] == [
        ("2", "1", reason)
    ]
    assert form.x_check_reason == f"第2行：{reason}"
    assert form.x_cur_date_money_fen == 450
    [noted] = treasury.alerts()
    assert reason in noted


def test_quota_of_another_year_is_no_part_of_a_statement(treasury: Treasury) -> None:
    live_in_march(treasury)
    last_year = quota_notice("E9", (("101", "2010101", 9),))
    fields = {**last_year.form.fields, "st_year": "2025"}
    treasury.live_on("20260331")
    treasury.run(
        replace(
            last_year,
            key=replace(last_year.key, fiscal_year=2025),
            form=Form(fields, last_year.form.rows),
        )
    )
    treasury.live_on("20260401")

    [digest] = treasury.run_all(quota_statement(RIGHT))

    assert answered(treasury, digest).quota_statement.x_check_result == "0"


@pytest.mark.parametrize(
    "row",
    [
        quota_row("103", (0, 1, 0)),
        quota_row("101", (100, 100, 0), function="2020101"),
        quota_row("101", (100, 100, 0), way="12"),
        quota_row("101", (100, 100, 0), way="99"),
        {**quota_row("101", (100, 100, 0)), "fund_type_code": "2"},
    ],
)
def test_a_quota_that_is_not_in_our_books_differs(
    treasury: Treasury, row: dict[str, FieldValue]
) -> None:
    live_in_march(treasury)

    [digest] = treasury.run_all(quota_statement((*RIGHT, row)))

    form = answered(treasury, digest).quota_statement
    assert [one.id for one in form.rows] == ["3"]
    assert form.x_cur_date_money_fen == 450


def test_a_quota_that_no_row_names_is_told(treasury: Treasury) -> None:
    live_in_march(treasury)

    [digest] = treasury.run_all(quota_statement(RIGHT[:1]))

    form = answered(treasury, digest).quota_statement
    assert (form.x_check_result, form.x_diff_num, len(form.rows)) == ("1", 1, 0)
    assert form.x_check_reason == "缺少直接支付单位102功能科目2010101"
    assert form.x_cur_date_money_fen == 450


def test_a_quota_that_is_named_twice_differs_once(treasury: Treasury) -> None:
    live_in_march(treasury)

    [digest] = treasury.run_all(quota_statement((*RIGHT, RIGHT[0])))

    form = answered(treasury, digest).quota_statement
    assert [(one.id, one.x_check_reason) for one in form.rows] == [
        ("3", "同一额度重复列示")
    ]
    assert form.x_cur_date_money_fen == 450


def test_a_quota_without_a_unit_is_named_by_a_zero(treasury: Treasury) -> None:
    treasury.live_on("20260331")
    notice = quota_notice("E1", (("", "2010101", 5),), type_code=AUTHORISED_QUOTA)
    treasury.run(notice)
    treasury.live_on("20260401")

    [digest] = treasury.run_all(quota_statement((quota_row("0", (0, 5, 0), way="12"),)))

    assert answered(treasury, digest).quota_statement.x_check_result == "0"


def test_a_statement_of_another_banks_quota_is_rejected(treasury: Treasury) -> None:
    live_in_march(treasury)
    foreign = quota_row("101", (100, 100, 0), bank_no=OTHER_NO)

    wrong, others = treasury.run_all(
        quota_statement((*RIGHT, foreign)), quota_statement(RIGHT, issuer=OTHER_BANK)
    )

    for digest in (wrong, others):
        assert treasury.standing(digest) is Standing.REJECTED
        assert treasury.reason(digest) == "代理银行行号与发送方不符"


def test_packets_are_answered_when_all_of_them_are_here(treasury: Treasury) -> None:
    live_in_march(treasury)
    [first] = treasury.run_all(quota_statement(RIGHT[:1], packet=(1, 2)))
    assert treasury.standing(first) is Standing.ACCEPTED

    [second] = treasury.run_all(quota_statement(RIGHT[1:], packet=(2, 2)))

    one = answered(treasury, first).quota_statement
    two = answered(treasury, second).quota_statement
    assert (one.x_check_result, two.x_check_result) == ("0", "0")
    assert (one.x_cur_date_money_fen, two.x_cur_date_money_fen) == (200, 250)


def test_what_no_packet_names_is_told_once_with_the_last(treasury: Treasury) -> None:
    live_in_march(treasury)
    nothing = quota_row("109", (0, 0, 0))

    first, second = treasury.run_all(
        quota_statement(RIGHT[1:], packet=(1, 2)),
        quota_statement((nothing,), packet=(2, 2)),
    )

    assert answered(treasury, first).quota_statement.x_check_result == "0"
    last = answered(treasury, second).quota_statement
    assert last.x_check_reason == "缺少直接支付单位101功能科目2010101"


def test_an_answer_stays_what_it_was_when_the_program_dies_and_more_is_booked(
    treasury: Treasury, monkeypatch: pytest.MonkeyPatch
) -> None:
    treasury.live_on("20260331")
    treasury.run(quota_notice("E1"))

    def dies(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(quota_statements.QuotaStatements, "receipt", dies)
        with pytest.raises(Crash):
            treasury.run_all(quota_statement((quota_row("101", (0, 100, 0)),)))
    treasury.run(quota_notice("E2"))

    treasury.live()

    with treasury.books.reading() as session:
        [entry] = session.query(InboxEntry).all()
        assert entry.state is InboxState.RECEIPTED
        digest = entry.digest
    form = answered(treasury, digest).quota_statement
    assert form.x_clear_amt_fen == 350
    assert treasury.alerts() == [
        "财政零余额额度对账单ED202603-1不符：缺少直接支付单位102功能科目2010101"
    ]


def test_reasons_fit_into_the_form() -> None:
    assert cut("额度不符", 5) == "额度"
    assert cut("abc", 5) == "abc"
    assert cut("䶮不符", 255) == "?不符"
