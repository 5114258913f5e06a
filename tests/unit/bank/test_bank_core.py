from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.bank.core import (
    CorePlan,
    CoreRefused,
    CoreTimeout,
    Fate,
    SimulatedCore,
    Transfer,
)

TRANSFERS = [Transfer("r1", "622200001111", 100), Transfer("r2", "622200002222", 250)]


def core(tmp_path: Path, fate: Fate) -> SimulatedCore:
    plan = CorePlan(fates={"A1": fate})
    return SimulatedCore(f"sqlite:///{tmp_path / 'core.sqlite'}", plan)


def test_what_is_paid_is_booked_under_a_serial_number(tmp_path: Path) -> None:
    paying = core(tmp_path, Fate.PAID)

    serial = paying.pay("ref", ("A1", 1), TRANSFERS, 1)

    assert paying.ask("ref") == serial == "000000000001"
    assert paying.times_paid() == (1, 350)


def test_a_refused_order_is_not_paid(tmp_path: Path) -> None:
    refusing = core(tmp_path, Fate.REFUSED)

    with pytest.raises(CoreRefused, match="销户"):
        refusing.pay("ref", ("A1", 1), TRANSFERS, 1)

    assert refusing.times_paid() == (0, 0)


def test_an_order_that_is_lost_on_its_way_is_not_paid(tmp_path: Path) -> None:
    silent = core(tmp_path, Fate.LOST_BEFORE)

    with pytest.raises(CoreTimeout):
        silent.pay("ref", ("A1", 1), TRANSFERS, 1)

    assert silent.ask("ref") is None


def test_an_order_whose_answer_is_lost_is_paid_and_told_later(tmp_path: Path) -> None:
    silent = core(tmp_path, Fate.LOST_AFTER)

    with pytest.raises(CoreTimeout):
        silent.pay("ref", ("A1", 1), TRANSFERS, 1)
    with pytest.raises(CoreTimeout):
        silent.ask("ref")

    assert silent.ask("ref") == "000000000001"


def test_the_core_would_pay_twice_if_it_were_asked_twice(tmp_path: Path) -> None:
    paying = core(tmp_path, Fate.PAID)

    for attempt in (1, 2):
        paying.pay(f"ref/{attempt}", ("A1", 1), TRANSFERS, attempt)

    assert paying.times_paid() == (2, 700)


@given(st.integers(), st.text(max_size=5), st.integers(1, 9))
def test_a_fate_follows_from_seed_and_voucher_alone(
    seed: int, number: str, issue: int
) -> None:
    plan = CorePlan(seed=seed, refused=0.3, lost_before=0.3, lost_after=0.3)

    assert plan.fate_of(number, issue, 1) is plan.fate_of(number, issue, 1)
    assert plan.fate_of(number, issue, 2) is Fate.PAID


@pytest.mark.parametrize(
    ("plan", "fate"),
    [
        (CorePlan(refused=1.0), Fate.REFUSED),
        (CorePlan(lost_before=1.0), Fate.LOST_BEFORE),
        (CorePlan(lost_after=1.0), Fate.LOST_AFTER),
        (CorePlan(), Fate.PAID),
    ],
)
def test_a_share_of_one_hits_every_payment(plan: CorePlan, fate: Fate) -> None:
    assert {plan.fate_of(str(n), 1, 1) for n in range(50)} == {fate}
