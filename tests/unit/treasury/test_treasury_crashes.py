"""The treasury's program dies at each step, is started again, and has lost nothing."""

from __future__ import annotations

import pytest

from counterfoil.domain.standing import Standing
from counterfoil.office import Form
from counterfoil.treasury import acts
from counterfoil.treasury.books import State
from counterfoil.treasury.kinds import APPROPRIATION_LIST
from tests.unit.office.dying_desk import Crash, DyingDesk
from tests.unit.treasury.papers import (
    application,
    appropriation,
    came,
    listing,
    order,
    quota_notice,
)
from tests.unit.treasury.replies import quota_row, quota_statement, reply
from tests.unit.treasury.treasury_desk import OPENING_FEN, Treasury


def die(treasury: Treasury, at: str, *, heard: bool = True) -> None:
    with pytest.raises(Crash):
        treasury.live(DyingDesk(treasury.client, at, heard=heard))


STEPS = ["accept", "begin_acting", "end_acting", "issue_receipt"]


@pytest.mark.parametrize("step", STEPS)
def test_an_appropriation_is_paid_once_wherever_the_program_dies(
    treasury: Treasury, step: str
) -> None:
    [digest] = treasury.arrive(appropriation("B1"))
    die(treasury, step)

    treasury.run()

    assert treasury.standing(digest) is Standing.RECEIPTED
    assert treasury.state(digest) is State.RECEIPTED
    assert treasury.balance_fen() == OPENING_FEN - 350


@pytest.mark.parametrize("step", STEPS)
def test_a_pair_is_cleared_once_wherever_the_program_dies(
    treasury: Treasury, step: str
) -> None:
    treasury.run(quota_notice("E1"))
    pair = treasury.arrive(application("S1"), order("Q1", "S1"))
    die(treasury, step)

    treasury.run()

    assert {treasury.standing(one) for one in pair} == {Standing.RECEIPTED}
    assert treasury.balance_fen() == OPENING_FEN - 350
    assert treasury.quota("101") == 0


@pytest.mark.parametrize("step", ["end_acting", "return_vouchers"])
def test_what_was_refused_stays_refused_after_the_program_died(
    treasury: Treasury, step: str
) -> None:
    [digest] = treasury.arrive(appropriation("B1", (("", "2010101", 99_999),)))
    die(treasury, step)

    treasury.run(quota_notice("E1"))

    assert treasury.standing(digest) is Standing.RETURNED
    assert treasury.balance_fen() == OPENING_FEN


def test_an_act_that_was_begun_but_not_booked_is_finished(
    treasury: Treasury, monkeypatch: pytest.MonkeyPatch
) -> None:
    [digest] = treasury.arrive(appropriation("B1"))

    def dies(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(acts, "_book", dies)
        with pytest.raises(Crash):
            treasury.run()
    assert treasury.standing(digest) is Standing.ACTING
    assert treasury.state(digest) is State.BEGUN
    assert treasury.balance_fen() == OPENING_FEN

    treasury.run()

    assert treasury.standing(digest) is Standing.RECEIPTED
    assert treasury.balance_fen() == OPENING_FEN - 350


def test_a_list_finds_the_receipt_that_went_out_before_the_crash(
    treasury: Treasury,
) -> None:
    treasury.arrive(appropriation("B1"))
    die(treasury, "issue_receipt")

    [digest] = treasury.run(listing(APPROPRIATION_LIST, "L1", (("B1", 350),)))

    assert treasury.standing(digest) is Standing.RECEIPTED


def in_april(treasury: Treasury) -> None:
    treasury.live_on("20260331")
    treasury.enter(came("A1", 300, "20260331"))
    treasury.run(quota_notice("E1"))
    treasury.live_on("20260401")


@pytest.mark.parametrize("heard", [True, False])
def test_a_month_is_stated_once_wherever_the_program_dies(
    treasury: Treasury, *, heard: bool
) -> None:
    in_april(treasury)
    dying = treasury.system(DyingDesk(treasury.client, "submit", heard=heard))
    with pytest.raises(Crash):
        dying.state_month("202603")

    # What came meanwhile is not in it: the month was closed with the decision.
    treasury.enter(came("A2", 1, "20260331"))
    assert treasury.system().state_month("202603") == []

    assert [one.key.type_code for one in treasury.desk.issued.values()] == [
        3511,
        3402,
        4005,
        4005,
    ]
    assert treasury.stated(3511)[0].form.fen("all_amt_fen") == 300
    assert treasury.alerts() == []


@pytest.mark.parametrize("heard", [True, False])
def test_a_reply_is_booked_and_told_once_wherever_the_program_dies(
    treasury: Treasury, *, heard: bool
) -> None:
    in_april(treasury)
    treasury.system().state_month("202603")
    [digest] = treasury.arrive(reply(treasury.stated(3511)[0], {"1": "不符"}))
    die(treasury, "accept", heard=heard)

    treasury.live()
    treasury.live()

    assert treasury.standing(digest) is Standing.ACCEPTED
    assert len(treasury.alerts()) == len(treasury.warned) == 1


def test_a_result_is_booked_and_told_once_when_the_program_dies_before_it_acknowledges(
    treasury: Treasury,
) -> None:
    in_april(treasury)
    treasury.system().state_month("202603")
    [balance] = treasury.stated(3402)
    treasury.desk.answer(balance, Form({"x_check_result": "1"}))
    die(treasury, "acknowledge", heard=False)

    treasury.live()

    assert treasury.desk.acknowledged
    assert len(treasury.alerts()) == len(treasury.warned) == 1


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("step", STEPS)
def test_a_statement_of_quota_is_answered_once_wherever_the_program_dies(
    treasury: Treasury, step: str, *, heard: bool
) -> None:
    in_april(treasury)
    wrong = (quota_row("101", (0, 100, 0)), quota_row("102", (0, 249, 0)))
    [digest] = treasury.arrive(quota_statement(wrong))
    die(treasury, step, heard=heard)

    treasury.live()

    assert treasury.standing(digest) is Standing.RECEIPTED
    assert treasury.receipt(digest).quota_statement.x_diff_num == 1
    assert len(treasury.alerts()) == len(treasury.warned) == 1


@pytest.mark.parametrize("step", ["end_acting", "return_vouchers"])
def test_clearing_beyond_the_quota_is_told_once_wherever_the_program_dies(
    treasury: Treasury, step: str
) -> None:
    treasury.arrive(application("S1"), order("Q1", "S1"))
    die(treasury, step)

    treasury.live()

    assert len(treasury.alerts()) == len(treasury.warned) == 1
    assert treasury.balance_fen() == OPENING_FEN
