"""The turns: everything is given out once, and worked on until nothing is left."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from counterfoil.business import turns as turns_module
from counterfoil.business.tables import InboxState, OutboxState
from counterfoil.business.turns import (
    SILENT_MAX,
    WORK_MAX,
    Worker,
    give_out,
    turns,
    work,
)
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import VaultBusy
from counterfoil.office import Arrival
from tests.unit.business.house import APPLICATION, NOTICE, ORDER, House, paper


def test_a_turn_reads_gives_out_and_works(house: House) -> None:
    digest = house.desk.arrive(paper(APPLICATION, "A1"))
    house.plan(order := paper(ORDER, "O1"))

    running = turns(house.client, (house.inbox(), house.outbox()))
    arrivals = next(filter(None, running))  # opening the stream may take a turn
    running.close()

    assert [one.digest for one in arrivals] == [digest]
    assert house.state(digest) is InboxState.RECEIPTED
    assert house.issued_state(order) is OutboxState.SENT


def test_what_comes_within_a_moment_is_one_turn(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns_module, "GATHER_S", 10.0)
    house.desk.singly = True
    digests = [house.desk.arrive(paper(NOTICE, f"N{n}")) for n in (1, 2, 3)]

    running = turns(house.client, (house.inbox(),))
    arrivals = next(filter(None, running))  # opening the stream may take a turn
    running.close()

    assert [one.digest for one in arrivals] == digests
    assert house.bookings() == ["N1", "N2", "N3"]


def test_the_first_that_wants_an_arrival_gets_it_and_the_rest_is_left(
    house: House,
) -> None:
    house.plan(order := paper(ORDER, "O1"))
    house.turn()
    ours = house.desk.arrive(paper(APPLICATION, "A1"))
    nobodys = house.desk.arrive(paper(3401, "B1"))
    house.desk.step(DocumentKind.ACCEPTANCE, house.desk.reference("O1"), "")
    [arrivals] = house.client.read()

    left = give_out(arrivals, (house.inbox(), house.inbox(), house.outbox()))

    assert [one.digest for one in left] == [nobodys]
    assert house.state(ours) is InboxState.READ
    assert house.issued_state(order) is OutboxState.ACCEPTED
    assert house.desk.acknowledged == [arrivals[2].leaf]


def test_one_may_make_work_for_another_in_the_same_turn(house: House) -> None:
    waiting = house.desk.arrive(paper(APPLICATION, "wait1"))
    house.turn()
    house.desk.arrive(paper(NOTICE, "go"))

    next(turns(house.client, (house.inbox(),)))

    assert house.state(waiting) is InboxState.RECEIPTED


class Planner(Worker):
    """Plans an order when it works."""

    def __init__(self, house: House) -> None:
        self._house = house

    def work(self) -> None:
        self._house.plan(paper(ORDER, "O1"))


def test_to_one_that_only_works_nothing_is_given_out(house: House) -> None:
    house.desk.arrive(paper(NOTICE, "N1"))
    [[arrival]] = list(house.client.read())

    assert give_out([arrival], (Planner(house),)) == [arrival]


def test_what_the_last_plans_the_first_issues_in_the_same_turn(house: House) -> None:
    work((house.outbox(), Planner(house)))

    assert house.issued_state(paper(ORDER, "O1")) is OutboxState.SENT


def test_a_gateway_that_stays_busy_does_not_hold_the_turn_up(house: House) -> None:
    house.plan(order := paper(ORDER, "O1"))
    busy = [VaultBusy("later")] * (WORK_MAX + 1)
    house.desk.refuse_to_issue("write", "O1", *busy)

    work((house.outbox(),))

    assert house.issued_state(order) is OutboxState.PLANNED


class Counting(Worker):
    """Counts how often it was let to work; its work is never done, if it says so."""

    def __init__(self, *, rests: bool = True) -> None:
        self.worked = 0
        self._rests = rests

    def work(self) -> None:
        self.worked += 1

    def is_at_rest(self) -> bool:
        return self._rests


def lived(house: House, taker: Counting, silent: int) -> Generator[tuple[Arrival, ...]]:
    """Return turns after so many silent ones; the first of these works."""
    running = turns(house.client, (taker,), house.books)
    for _ in range(silent):
        assert next(running) == ()
    return running


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a system wait for arrivals no longer than it must."""
    monkeypatch.setattr(turns_module, "IDLE_S", 0.001)


@pytest.mark.usefixtures("_quick")
def test_in_silence_nobody_works_on_books_that_stay_as_they_were(house: House) -> None:
    taker = Counting()

    lived(house, taker, 10).close()

    assert taker.worked == 1


@pytest.mark.usefixtures("_quick")
def test_what_is_written_into_the_books_meanwhile_is_worked_on(house: House) -> None:
    taker = Counting()
    running = lived(house, taker, 3)

    house.plan(paper(ORDER, "O1"))
    next(running)
    running.close()

    assert taker.worked == 2


@pytest.mark.usefixtures("_quick")
def test_what_is_not_done_is_tried_again_in_every_turn(house: House) -> None:
    taker = Counting(rests=False)

    lived(house, taker, 3).close()

    assert taker.worked == 3 * WORK_MAX


@pytest.mark.usefixtures("_quick")
def test_now_and_then_all_work_in_silence_too(house: House) -> None:
    taker = Counting()

    lived(house, taker, SILENT_MAX + 1).close()

    assert taker.worked == 2
