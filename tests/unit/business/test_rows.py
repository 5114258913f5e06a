"""Rows past the session: in the books at once, as if the session had written them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfoil.business.books import SqlBooks
from counterfoil.business.rows import apart, put, put_known, put_one, store
from tests.unit.business.house import Booking, OwnBase, counted, dies_after


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    made = SqlBooks(f"sqlite:///{tmp_path / 'books.sqlite'}", OwnBase.metadata)
    yield made
    made.close()


def texts(session: Session) -> list[str]:
    return list(session.scalars(select(Booking.text).order_by(Booking.id)))


def held(session: Session) -> list[Booking]:
    found = list(session.scalars(select(Booking).order_by(Booking.id)))
    apart(session, found)
    return found


def test_rows_are_there_for_the_next_query_and_undone_with_their_transaction(
    books: SqlBooks,
) -> None:
    with books.writing() as session:
        put(session, [Booking(text="a", amount_fen=1), Booking(text="b")])
        assert texts(session) == ["a", "b"]
        assert session.scalar(select(func.sum(Booking.amount_fen))) == 1

    with pytest.raises(KeyError):
        dies_after(books, lambda session: put(session, [Booking(text="c")]))

    with books.reading() as session:
        assert texts(session) == ["a", "b"]


def test_many_rows_take_no_more_statements_than_one(books: SqlBooks) -> None:
    with books.writing() as session:
        with counted("before_cursor_execute") as for_one:
            put(session, [Booking(text="a")])
        with counted("before_cursor_execute") as for_four:
            put(session, [Booking(text=one) for one in "bcde"])
        assert texts(session) == ["a", "b", "c", "d", "e"]

    assert for_four == for_one == ["before_cursor_execute"]


def test_no_rows_are_no_statement(books: SqlBooks) -> None:
    with books.writing() as session, counted("before_cursor_execute") as statements:
        put(session, [])
        store(session, [])

    assert statements == []


def test_a_single_row_knows_its_number(books: SqlBooks) -> None:
    with books.writing() as session:
        rows = [Booking(text="a"), Booking(text="b")]
        for one in rows:
            put_one(session, one)

    with books.reading() as session:
        assert [session.get_one(Booking, one.id).text for one in rows] == ["a", "b"]


def test_many_rows_know_their_numbers_by_few_statements(books: SqlBooks) -> None:
    rows = [Booking(text=str(number)) for number in range(300)]
    with books.writing() as session, counted("before_cursor_execute") as statements:
        put_known(session, [], by=Booking.text)
        put_known(session, rows, by=Booking.text)

    assert len(statements) == 3  # one to write, and two to read 256 keys each
    with books.reading() as session:
        said = [session.get_one(Booking, one.id).text for one in rows]
    assert said == [one.text for one in rows]


def test_what_was_changed_is_written_and_nothing_else(books: SqlBooks) -> None:
    with books.writing() as session:
        put(session, [Booking(text=one, amount_fen=1) for one in "abc"])
    with books.reading() as session:
        rows = held(session)
    rows[0].text = "A"
    rows[2].amount_fen = 9
    with books.writing() as session:
        # Another has changed what we have not.
        for one in session.scalars(select(Booking)):
            one.amount_fen += 10
        session.flush()
        store(session, rows)

    with books.reading() as session:
        told = [(one.text, one.amount_fen) for one in held(session)]
    assert told == [("A", 11), ("b", 11), ("c", 9)]


def test_what_was_stored_is_not_stored_again(books: SqlBooks) -> None:
    with books.writing() as session:
        put(session, [Booking(text="a")])
        rows = held(session)
        rows[0].text = "A"
        store(session, rows)
        with counted("before_cursor_execute") as statements:
            store(session, rows)
        assert texts(session) == ["A"]

    assert statements == []


def test_what_is_changed_alike_is_one_statement(books: SqlBooks) -> None:
    with books.writing() as session:
        put(session, [Booking(text=one) for one in "abcd"])
        rows = held(session)
        for one in rows:
            one.text = one.text.upper()
        with counted("before_cursor_execute") as statements:
            store(session, rows)
        assert texts(session) == ["A", "B", "C", "D"]

    assert statements == ["before_cursor_execute"]
