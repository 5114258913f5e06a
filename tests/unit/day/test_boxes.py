"""What inbox and outbox of a system tell the day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from counterfoil.business.books import SqlBooks
from counterfoil.business.planning import plan
from counterfoil.business.tables import Base, OutboxEntry, OutboxState
from counterfoil.day import boxes
from counterfoil.day.carried import Some, Way
from counterfoil.domain.standing import Standing
from tests.unit.treasury.papers import (
    BANK,
    DAY,
    FINANCE,
    TREASURY,
    application,
    order,
    refund,
)

WAY = Way(FINANCE, TREASURY, 105301)
ORDER = order("QS1", "SQ1")


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    opened = SqlBooks(f"sqlite:///{tmp_path / 'books.sqlite'}", Base.metadata)
    yield opened
    opened.close()


def issue(books: SqlBooks, state: OutboxState) -> None:
    with books.writing() as session:
        entry = session.get_one(OutboxEntry, plan(session, ORDER, DAY).id)
        entry.state = state


def issued(books: SqlBooks) -> tuple[list[tuple[Way, Some]], set[Way]]:
    shared: set[Way] = set()
    with books.reading() as session:
        return list(boxes.issued(session, shared)), shared


@pytest.mark.parametrize(
    ("state", "standing"),
    [
        (OutboxState.PLANNED, Standing.DRAFT),
        (OutboxState.REFUSED, Standing.DRAFT),
        (OutboxState.SENT, Standing.SENT),
        (OutboxState.DIFFERS, Standing.DISPUTED),
        (OutboxState.RECEIPTED, Standing.CLOSED),
    ],
)
def test_what_was_issued_is_told_as_a_gateway_tells_it(
    books: SqlBooks, state: OutboxState, standing: Standing
) -> None:
    issue(books, state)

    told, shared = issued(books)

    assert told == [(WAY, Some(standing, 1, boxes.amount_of(ORDER)))]
    assert shared == set()


@pytest.mark.parametrize(
    ("state", "count"),
    [
        (OutboxState.PLANNED, 1),
        (OutboxState.SENT, 1),
        (OutboxState.ACCEPTED, 1),
        (OutboxState.RECEIPTED, 0),
        (OutboxState.RETURNED, 0),
    ],
)
def test_what_is_not_answered_yet_is_under_way(
    books: SqlBooks, state: OutboxState, count: int
) -> None:
    issue(books, state)

    assert boxes.under_way(books) == count


@pytest.mark.parametrize(
    "state", [OutboxState.DIFFERS, OutboxState.REFUSED, OutboxState.ACCEPTED]
)
def test_what_did_not_come_to_a_good_end_is_a_loose_end(
    books: SqlBooks, state: OutboxState
) -> None:
    issue(books, state)

    [told] = boxes.loose_ends(books)

    assert f"is {state}" in told


@pytest.mark.parametrize("state", [OutboxState.RECEIPTED, OutboxState.RETURNED])
def test_what_was_answered_is_no_loose_end(books: SqlBooks, state: OutboxState) -> None:
    issue(books, state)

    assert list(boxes.loose_ends(books)) == []


def test_a_state_for_two_recipients_is_told_of_neither(books: SqlBooks) -> None:
    paper = replace(application("SQ1"), recipients=(TREASURY, FINANCE))
    with books.writing() as session:
        plan(session, paper, DAY).state = OutboxState.SENT

    told, shared = issued(books)

    assert {way for way, _ in told} == shared
    assert shared == {Way(BANK, TREASURY, 2301), Way(BANK, FINANCE, 2301)}


def test_amounts_are_those_that_the_catalogue_names() -> None:
    assert boxes.amount_of(refund("TH1")) == -100
    assert boxes.amount_of(ORDER) == 350
