"""The simulator: a seed fixes everything, and a restart doubles nothing."""

from __future__ import annotations

from sqlalchemy import select

from counterfoil.business.codes import PaymentWay
from counterfoil.business.turns import work
from counterfoil.unit.invented import plan, wish
from counterfoil.unit.kinds import DealMode
from counterfoil.unit.simulator import BATCH, Simulator
from counterfoil.unit.tables import Allotment, Request
from tests.unit.budget_unit.papers import OFFICE
from tests.unit.budget_unit.unit_house import UnitHouse

SEED = 7


def simulator(house: UnitHouse, count: int, *, counter_share: float = 0.0) -> Simulator:
    return Simulator(
        office=OFFICE,
        books=house.books,
        clock=house.clock,
        tell=house._tell,
        seed=SEED,
        count=count,
        counter_share=counter_share,
    )


def test_a_seed_fixes_every_fen_and_another_seed_is_another_business() -> None:
    assert plan(SEED, 2026) == plan(SEED, 2026) != plan(SEED + 1, 2026)
    assert wish(SEED, 3, 0.5) == wish(SEED, 3, 0.5) != wish(SEED, 4, 0.5)


def test_there_are_applications_and_payments_of_both_modes() -> None:
    modes = [wish(SEED, place, 0.5).mode for place in range(60)]

    assert set(modes) == {None, DealMode.COUNTER, DealMode.SELF_SERVICE}
    assert DealMode.COUNTER not in {wish(SEED, n, 0.0).mode for n in range(60)}


def test_everything_is_entered_in_several_turns_and_issued(house: UnitHouse) -> None:
    count = BATCH + 3
    simulating = simulator(house, count)

    simulating.work()
    assert not simulating.is_at_rest()
    work((simulating, *house.unit().takers()))

    assert simulating.is_at_rest()
    assert house.told["entered"] == house.told["sent"] == count
    figures = house.figures()
    assert figures.applications + figures.payments == count
    with house.books.reading() as session:
        ways = set(session.scalars(select(Allotment.way)))
    assert ways == set(PaymentWay)


def test_a_restart_goes_on_where_it_was(house: UnitHouse) -> None:
    simulator(house, 4).work()

    work((simulator(house, 6),))

    with house.books.reading() as session:
        origins = list(session.scalars(select(Request.origin).order_by(Request.id)))
    assert origins == [f"{SEED}/{place}" for place in range(6)]
    assert house.told["entered"] == 6


def test_what_the_allotment_does_not_allow_is_told_and_left(house: UnitHouse) -> None:
    simulator(house, 0).work()
    with house.books.writing() as session:
        for one in session.scalars(select(Allotment)):
            one.amount_fen = 100_000
    simulating = simulator(house, 20)
    simulating._next = 1
    work((simulating,))

    assert house.told["short"] > 0
    with house.books.reading() as session:
        keys = [
            (2026, one.way, one.function) for one in session.scalars(select(Allotment))
        ]
    assert min(house.left(way, function) for _, way, function in keys) >= 0
