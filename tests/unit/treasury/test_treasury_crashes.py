"""The treasury's program dies at each step, is started again, and has lost nothing."""

from __future__ import annotations

import pytest

from counterfoil.domain.standing import Standing
from counterfoil.treasury import acts
from counterfoil.treasury.books import State
from counterfoil.treasury.clerk import Clerk
from counterfoil.treasury.kinds import APPROPRIATION_LIST
from tests.unit.office.dying_desk import Crash, DyingDesk
from tests.unit.treasury.papers import (
    OFFICE,
    application,
    appropriation,
    listing,
    order,
    quota_notice,
)
from tests.unit.treasury.treasury_desk import NOON, OPENING_FEN, Treasury


def dying_clerk(treasury: Treasury, at: str) -> Clerk:
    desk = DyingDesk(treasury.client, at)
    return Clerk(OFFICE, desk, treasury.books, lambda: NOON, lambda *_: None)  # type: ignore[arg-type]


def die(treasury: Treasury, at: str) -> None:
    clerk = dying_clerk(treasury, at)
    treasury.read(clerk)
    with pytest.raises(Crash):
        clerk.work()


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
