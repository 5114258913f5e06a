"""Numbers in turn: one after the other, whoever asks, and none twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from counterfoil.business.books import SqlBooks
from counterfoil.business.numbers import next_in
from counterfoil.business.tables import Base
from tests.unit.business.house import dies_after


def none() -> int:
    return 0


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'books.sqlite'}"


@pytest.fixture
def books(url: str) -> Iterator[SqlBooks]:
    made = SqlBooks(url, Base.metadata)
    yield made
    made.close()


def test_every_series_goes_on_by_itself(books: SqlBooks) -> None:
    given = []
    for series in ("A", "A", "B", "A", "B"):
        with books.writing() as session:
            given.append(next_in(session, series, none))

    assert given == [1, 2, 1, 3, 2]


def test_several_are_taken_at_once_and_none_of_them_again(books: SqlBooks) -> None:
    given = []
    for count in (3, 1, 2):
        with books.writing() as session:
            given.append(next_in(session, "A", lambda: 10, count))

    assert given == [11, 14, 15]


def test_a_number_that_was_not_used_is_given_again(books: SqlBooks) -> None:
    with books.writing() as session:
        next_in(session, "A", none)
    with pytest.raises(KeyError):
        dies_after(books, lambda session: next_in(session, "A", none))

    with books.writing() as session:
        assert next_in(session, "A", none) == 2


def test_books_without_the_series_go_on_where_they_were(
    books: SqlBooks, url: str
) -> None:
    with books.writing() as session:
        session.execute(text("DROP TABLE number_series"))
    later = SqlBooks(url, Base.metadata)

    with later.writing() as session:
        given = [next_in(session, "A", lambda: 41) for _ in range(2)]
    later.close()

    assert given == [42, 43]


def test_two_programs_are_never_given_the_same(books: SqlBooks, url: str) -> None:
    other = SqlBooks(url, Base.metadata)
    given: list[int] = []

    def take(at: SqlBooks) -> None:
        for _ in range(20):
            with at.writing() as session:
                given.append(next_in(session, "A", none))

    threads = [threading.Thread(target=take, args=(at,)) for at in (books, other)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    other.close()

    assert sorted(given) == list(range(1, 41))
