"""Prepared statements: the same answers as SQLAlchemy's own, compiled once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.engine import make_url

from counterfoil.business.books import SqlBooks
from counterfoil.business.prepared import LENGTHS, Prepared
from counterfoil.business.rows import put
from counterfoil.business.tables import Base, InboxEntry, InboxState
from tests.unit.business.house import counted

READ, FIT, VOID = InboxState.READ, InboxState.FIT, InboxState.VOID

STANDING: Final = (
    select(InboxEntry.number, InboxEntry.state)
    .where(
        InboxEntry.state.in_(bindparam("states", expanding=True)),
        InboxEntry.type_code == bindparam("kind"),
        InboxEntry.issue == 1,
    )
    .order_by(InboxEntry.number)
    .limit(bindparam("most"))
)
COUNT: Final = select(func.count()).where(InboxEntry.state == bindparam("state"))


def entry(number: int, state: InboxState) -> InboxEntry:
    return InboxEntry(
        issuer="420000-102",
        adm_div="420000",
        fiscal_year=2026,
        type_code=2205,
        number=f"N{number}",
        issue=1,
        digest=bytes([number]) * 32,
        sealed=b"",
        arrived="20261127",
        state=state,
    )


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    made = SqlBooks(f"sqlite:///{tmp_path / 'books.sqlite'}", Base.metadata)
    with made.writing() as session:
        put(session, [entry(1, READ), entry(2, FIT), entry(3, READ), entry(4, VOID)])
    yield made
    made.close()


@pytest.mark.parametrize(
    "states", [[], [READ], [READ, FIT], [VOID, READ, FIT]], ids=len
)
@pytest.mark.parametrize("most", [1, 9])
def test_a_query_says_what_sqlalchemy_says_of_lists_of_any_length(
    books: SqlBooks, states: list[InboxState], most: int
) -> None:
    wanted = {"states": states, "kind": 2205, "most": most}
    prepared = Prepared(STANDING)
    with books.reading() as session:
        meant = [tuple(row) for row in session.execute(STANDING, wanted)]

        assert prepared.rows(session, wanted) == meant
        assert prepared.row(session, wanted) == (meant[0] if meant else None)
        assert prepared.scalar(session, wanted) == (meant[0][0] if meant else None)


def test_values_go_in_and_come_out_as_their_columns_have_them(books: SqlBooks) -> None:
    state = Prepared(
        select(InboxEntry.state).where(InboxEntry.number == bindparam("number"))
    )
    with books.reading() as session:
        assert state.scalar(session, {"number": "N2"}) is FIT
        assert Prepared(COUNT).scalar(session, {"state": READ}) == 2


def test_a_change_tells_how_many_rows_it_was(books: SqlBooks) -> None:
    change = Prepared(
        update(InboxEntry)
        .where(InboxEntry.state == bindparam("was"))
        .values(state=bindparam("becomes"), note="例")
    )
    with books.writing() as session:
        assert change.change(session, {"was": READ, "becomes": FIT}) == 2
        assert change.change(session, {"was": READ, "becomes": FIT}) == 0

    with books.reading() as session:
        notes = session.scalars(select(InboxEntry.note).where(InboxEntry.state == FIT))
        assert sorted(notes) == ["", "例", "例"]


def test_what_the_session_holds_is_written_before(books: SqlBooks) -> None:
    with books.writing() as session:
        session.add(entry(5, READ))

        assert Prepared(COUNT).scalar(session, {"state": READ}) == 3


def test_a_query_is_one_statement_within_the_sessions_transaction(
    books: SqlBooks,
) -> None:
    prepared = Prepared(COUNT)
    with books.writing() as session:
        put(session, [entry(6, READ)])
        with counted("before_cursor_execute") as statements:
            assert prepared.scalar(session, {"state": READ}) == 3
        session.rollback()

    assert statements == ["before_cursor_execute"]
    with books.reading() as session:
        assert prepared.scalar(session, {"state": READ}) == 2


def test_a_value_that_is_not_brought_is_a_defect(books: SqlBooks) -> None:
    with books.reading() as session, pytest.raises(KeyError):
        Prepared(COUNT).scalar(session, {})


def test_what_is_compiled_for_one_database_is_not_told_to_another() -> None:
    """One program may have books in both; the same statement serves them."""
    prepared = Prepared(STANDING)
    wanted = {"states": [READ, FIT], "kind": 2205, "most": 7}

    told = {
        name: prepared.told(make_url(f"{name}://").get_dialect()(), wanted)
        for name in ("sqlite", "postgresql+psycopg")
    }

    text, values = told["sqlite"]
    assert text.count("?") == len(values)
    assert values[:3] == ("read", "fit", 2205)
    text, values = told["postgresql+psycopg"]
    assert all(f"%({name})s" in text for name in values)
    assert set(values.values()) == {"read", "fit", 2205, 1, 7}


def test_lists_of_any_length_have_few_texts(books: SqlBooks) -> None:
    """Else a program that runs for months keeps one for every length that came."""
    prepared = Prepared(STANDING)
    dialect = make_url("sqlite://").get_dialect()()

    texts = set()
    for count in range(4 * LENGTHS[-1]):
        wanted = {"states": [READ] * count, "kind": 2205, "most": 7}
        text, values = prepared.told(dialect, wanted)
        assert text.count("?") == len(values)
        texts.add(text)

    assert len(texts) == len(LENGTHS) + 3
    with books.reading() as session:
        wanted = {"states": [READ] * 3 * LENGTHS[-1], "kind": 2205, "most": 7}
        assert prepared.rows(session, wanted) == [("N1", READ), ("N3", READ)]
