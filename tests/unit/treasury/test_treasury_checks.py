"""The daily check of vouchers with finance and the banks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.standing import Standing
from counterfoil.office import Form, Voucher
from counterfoil.treasury.books import Statement
from counterfoil.treasury.daily_checks import DONE, RETURNED, Line, compare
from tests.unit.treasury.papers import (
    BANK,
    DAY,
    FINANCE,
    OTHER_BANK,
    again,
    application,
    appropriation,
    order,
    quota_notice,
)
from tests.unit.treasury.replies import check_reply
from tests.unit.treasury.treasury_desk import Treasury, reference_to


@pytest.mark.parametrize(
    ("theirs", "verdict"),
    [
        ([Line("B1", 5, DONE)], "对账成功"),
        ([], "不存在"),
        ([Line("B1", 5, DONE), Line("B1", 5, DONE)], "存在多条"),
        ([Line("B1", 5, RETURNED)], "状态不符"),
        ([Line("B1", 6, DONE)], "金额不符"),
        ([Line("B1", 6, RETURNED)], "状态金额不符"),
    ],
)
def test_a_voucher_is_compared_by_state_and_amount(
    theirs: list[Line], verdict: str
) -> None:
    assert compare([Line("B1", 5, DONE)], theirs) == {"B1": verdict}


def test_what_only_the_partner_knows_does_not_exist_with_us() -> None:
    assert compare([], [Line("B9", 5, DONE)]) == {"B9": "国库不存在"}


def live_one_day(treasury: Treasury) -> None:
    """Pay one, return one, clear a pair, reject one, and have one discarded."""
    treasury.run(
        quota_notice("E1"),
        appropriation("B1"),
        appropriation("B2", (("", "2010101", 99_999),)),
        application("S1"),
        order("Q1", "S1"),
        application("S2"),
    )
    treasury.arrive(appropriation("B3"))
    treasury.desk.tell(DocumentKind.DISCARD, appropriation("B3"), "作废")
    treasury.run()


def checks(treasury: Treasury, day: str = DAY) -> dict[tuple[str, str], Voucher]:
    """Send the checks of a day; return them by recipient and kind."""
    assert treasury.system().check_day(day) == []
    return {
        (one.recipients[0], one.form.text("e_voucher_type")): one
        for one in treasury.desk.issued.values()
    }


def rows(check: Voucher) -> list[tuple[object, ...]]:
    names = ("voucher_no", "amt_fen", "pro_state")
    return [tuple(row[name] for name in names) for row in check.form.rows]


def result(treasury: Treasury, check: Voucher) -> tuple[str, str]:
    with treasury.books.reading() as session:
        one = session.get_one(Statement, (check.key.type_code, check.key.number))
    return one.result, one.note


def test_what_a_day_finished_is_checked_with_whoever_issued_it(
    treasury: Treasury,
) -> None:
    live_one_day(treasury)

    made = checks(treasury)

    assert sorted(made) == [
        (FINANCE, "5106"),
        (FINANCE, "5108"),
        (FINANCE, "5207"),
        (FINANCE, "5301"),
        (BANK, "2301"),
        (BANK, "2302"),
        (OTHER_BANK, "2301"),
        (OTHER_BANK, "2302"),
    ]
    assert rows(made[FINANCE, "5108"]) == [("E1", 350, "0")]
    assert rows(made[FINANCE, "5207"]) == [("B1", 350, "0"), ("B2", 99_999, "1")]
    assert rows(made[FINANCE, "5301"]) == [("Q1", 350, "0")]
    assert rows(made[BANK, "2301"]) == [("S1", 350, "0")]
    assert rows(made[OTHER_BANK, "2301"]) == []
    check = made[FINANCE, "5207"].form
    assert (check.fen("all_num"), check.fen("all_amt_fen")) == (2, 100_349)


def test_of_a_number_that_was_issued_again_the_newest_issue_is_checked(
    treasury: Treasury,
) -> None:
    first = appropriation("B1", (("", "2010101", 99_999),))
    treasury.run(first)
    digest = reference_to(first).digest
    treasury.run(again(appropriation("B1"), replaces=digest))

    assert rows(checks(treasury)[FINANCE, "5207"]) == [("B1", 350, "0")]


def test_what_was_returned_when_its_issuer_asked_is_checked_as_returned(
    treasury: Treasury,
) -> None:
    treasury.run(application("S1"))
    treasury.desk.tell(DocumentKind.RETURN_REQUEST, application("S1"), "有误")
    treasury.run()

    assert rows(checks(treasury)[BANK, "2301"]) == [("S1", 350, "1")]


def test_a_day_is_checked_once_with_the_same_bytes_and_closed(
    treasury: Treasury,
) -> None:
    live_one_day(treasury)
    before = checks(treasury)

    treasury.run(appropriation("B9"))

    assert checks(treasury) == before
    assert len(treasury.desk.submitted) == len(before)
    treasury.live_on("20260302")
    assert rows(checks(treasury, "20260302")[FINANCE, "5207"]) == [("B9", 350, "0")]


def test_replies_that_agree_are_booked(treasury: Treasury) -> None:
    live_one_day(treasury)
    made = checks(treasury)

    digests = treasury.run_all(
        check_reply(made[FINANCE, "5207"]), check_reply(made[BANK, "2301"])
    )

    assert {treasury.standing(one) for one in digests} == {Standing.ACCEPTED}
    assert result(treasury, made[FINANCE, "5207"]) == ("0", "")
    assert result(treasury, made[BANK, "2301"]) == ("0", "")
    assert result(treasury, made[FINANCE, "5301"]) == ("", "")
    assert treasury.alerts() == []


def test_a_reply_that_differs_is_booked_row_by_row_and_told(
    treasury: Treasury,
) -> None:
    live_one_day(treasury)
    made = checks(treasury)
    [paid, returned] = made[FINANCE, "5207"].form.rows
    own = (
        {**returned, "pro_state": "0", "amt_fen": 1},
        {**paid, "id": "9", "voucher_no": "B7"},
    )

    treasury.run_all(check_reply(made[FINANCE, "5207"], own))

    note = "凭证B1不存在；凭证B2状态金额不符；凭证B7国库不存在"
    assert result(treasury, made[FINANCE, "5207"]) == ("1", note)
    [told] = treasury.alerts()
    assert note in told


def test_a_reply_to_what_was_never_asked_is_rejected(treasury: Treasury) -> None:
    live_one_day(treasury)
    check = checks(treasury)[BANK, "2301"]
    answer = check_reply(check)
    other_day = Form({**answer.form.fields, "check_date": "20260228"}, answer.form.rows)
    other_bank = replace(answer.key, issuer=OTHER_BANK)

    wrong, foreign = treasury.run_all(
        replace(answer, form=other_day),
        replace(answer, key=replace(other_bank, fiscal_year=2025)),
    )

    assert treasury.standing(wrong) is Standing.REJECTED
    assert treasury.reason(wrong) == "未发出20260228凭证2301的对账"
    # The other bank's own check has no rows: what this one tells is compared with it.
    assert treasury.standing(foreign) is Standing.ACCEPTED
    assert result(treasury, check) == ("", "")


def test_a_day_that_has_not_come_is_not_checked(treasury: Treasury) -> None:
    with pytest.raises(ValueError, match="20260302 cannot be"):
        treasury.system().check_day("20260302")
