"""Two programs have the same books open: a system that runs, and a command."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import String, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from counterfoil.business.books import SqlBooks


class Base(DeclarativeBase):
    pass


class Number(Base):
    __tablename__ = "numbers"

    number: Mapped[str] = mapped_column(String(10), primary_key=True)


def give_a_number(
    books: SqlBooks, counted: threading.Event, go: threading.Event
) -> None:
    with books.writing() as session:
        known = session.scalar(select(func.count()).select_from(Number))
        counted.set()
        go.wait(10)
        session.add(Number(number=f"{known}"))


def test_what_one_program_counts_no_other_changes_before_it_has_written(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/books.sqlite"
    first, second = SqlBooks(url, Base.metadata), SqlBooks(url, Base.metadata)
    counted, go, unused = threading.Event(), threading.Event(), threading.Event()
    unused.set()
    slow = threading.Thread(target=give_a_number, args=(first, counted, go))
    other = threading.Thread(
        target=give_a_number, args=(second, threading.Event(), unused)
    )
    slow.start()
    assert counted.wait(10)

    other.start()
    other.join(0.2)
    go.set()
    slow.join()
    other.join()

    with first.reading() as session:
        assert sorted(session.scalars(select(Number.number))) == ["0", "1"]
    first.close()
    second.close()


def test_an_error_undoes_the_whole_transaction(tmp_path: Path) -> None:
    books = SqlBooks(f"sqlite:///{tmp_path}/books.sqlite", Base.metadata)

    def half() -> None:
        with books.writing() as session:
            session.add(Number(number="1"))
            session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        half()

    with books.reading() as session:
        assert session.scalar(select(func.count()).select_from(Number)) == 0
    books.close()


class OtherBase(DeclarativeBase):
    pass


class OtherNumber(OtherBase):
    __tablename__ = "numbers"

    number: Mapped[str] = mapped_column(String(10), primary_key=True)
    bank: Mapped[str] = mapped_column(String(10))


class Statement(OtherBase):
    __tablename__ = "statements"

    number: Mapped[str] = mapped_column(String(10), primary_key=True)


def test_books_of_another_system_are_refused_and_left_as_they_are(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/books.sqlite"
    books = SqlBooks(url, Base.metadata)
    books.close()
    before = (tmp_path / "books.sqlite").read_bytes()

    with pytest.raises(
        ValueError, match=r"another system's books.* numbers has no bank"
    ):
        SqlBooks(url, OtherBase.metadata)

    assert (tmp_path / "books.sqlite").read_bytes() == before
    SqlBooks(url, Base.metadata).close()


def test_what_is_no_database_is_told_in_a_line(tmp_path: Path) -> None:
    file = tmp_path / "books.sqlite"
    file.write_bytes(b"no database at all" * 100)

    with pytest.raises(ValueError, match=r"books\.url: the books cannot be opened: "):
        SqlBooks(f"sqlite:///{file}", Base.metadata)
    with pytest.raises(ValueError, match=r"books\.url: the books cannot be opened: "):
        SqlBooks(f"sqlite:///{tmp_path}/nowhere/books.sqlite", Base.metadata)
