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
    PaymentOrder,
    SimulatedCore,
    Transfer,
)

TRANSFERS = [Transfer("r1", "622200001111", 100), Transfer("r2", "622200002222", 250)]


def core(tmp_path: Path, fate: Fate) -> SimulatedCore:
    plan = CorePlan(fates={"A1": fate})
    return SimulatedCore(f"sqlite:///{tmp_path / 'core.sqlite'}", plan)


def order(number: str = "A1", reference: str = "ref", attempt: int = 1) -> PaymentOrder:
    return PaymentOrder(
        reference=reference,
        number=number,
        issue=1,
        transfers=TRANSFERS,
        attempt=attempt,
    )


def pay(at: SimulatedCore, one: PaymentOrder) -> str:
    [outcome] = at.pay_each([one])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def test_what_is_paid_is_booked_under_a_serial_number(tmp_path: Path) -> None:
    paying = core(tmp_path, Fate.PAID)

    serial = pay(paying, order())

    assert paying.ask("ref") == serial == "000000000001"
    assert paying.times_paid() == (1, 350)


def test_a_refused_order_is_not_paid(tmp_path: Path) -> None:
    refusing = core(tmp_path, Fate.REFUSED)

    with pytest.raises(CoreRefused, match="销户"):
        pay(refusing, order())

    assert refusing.times_paid() == (0, 0)


def test_an_order_that_is_lost_on_its_way_is_not_paid(tmp_path: Path) -> None:
    silent = core(tmp_path, Fate.LOST_BEFORE)

    with pytest.raises(CoreTimeout):
        pay(silent, order())

    assert silent.ask("ref") is None


def test_an_order_whose_answer_is_lost_is_paid_and_told_later(tmp_path: Path) -> None:
    silent = core(tmp_path, Fate.LOST_AFTER)

    with pytest.raises(CoreTimeout):
        pay(silent, order())
    with pytest.raises(CoreTimeout):
        silent.ask("ref")

    assert silent.ask("ref") == "000000000001"


def test_the_core_would_pay_twice_if_it_were_asked_twice(tmp_path: Path) -> None:
    paying = core(tmp_path, Fate.PAID)

    for attempt in (1, 2):
        pay(paying, order(reference=f"ref/{attempt}", attempt=attempt))

    assert paying.times_paid() == (2, 700)


def test_of_orders_that_are_paid_together_each_has_its_own_fate(tmp_path: Path) -> None:
    fates = {"A2": Fate.REFUSED, "A3": Fate.LOST_BEFORE, "A4": Fate.LOST_AFTER}
    url = f"sqlite:///{tmp_path / 'core.sqlite'}"
    paying = SimulatedCore(url, CorePlan(fates=fates))

    outcomes = paying.pay_each([order(f"A{n}", f"ref{n}") for n in range(1, 6)])

    assert (outcomes[0], outcomes[4]) == ("000000000001", "000000000003")
    assert [type(one) for one in outcomes[1:4]] == [
        CoreRefused,
        CoreTimeout,
        CoreTimeout,
    ]
    with pytest.raises(CoreTimeout):
        paying.ask("ref4")
    told = [paying.ask(f"ref{n}") for n in range(1, 6)]
    assert told == ["000000000001", None, None, "000000000002", "000000000003"]
    assert paying.times_paid() == (3, 1050)


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
