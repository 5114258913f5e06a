"""One thread, one connection, whole transactions, files of our own."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from counterfoil.sql.database import CACHE_KIB, Database, Durability, is_failure
from counterfoil.sql.errors import PlaceRefused


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def make_table(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE t (a INTEGER PRIMARY KEY)")


def count(connection: Connection) -> int:
    counted: int = connection.exec_driver_sql("SELECT count(*) FROM t").scalar_one()
    return counted


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database.open(f"sqlite:///{tmp_path}/d/t.db", name="tested")
    await database.write(make_table)
    yield database
    await database.close()


async def test_only_our_own_user_can_read_the_files(
    database: Database, tmp_path: Path
) -> None:
    found = {path.name: mode(path) for path in (tmp_path / "d").iterdir()}

    assert found == {"t.db": 0o600, "t.db-wal": 0o600, "t.db-shm": 0o600}
    assert mode(tmp_path / "d") == 0o700


async def test_a_generous_umask_opens_nothing(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        database = Database.open(f"sqlite:///{tmp_path}/d/t.db")
        await database.write(make_table)
    finally:
        os.umask(before)

    modes = {mode(path) for path in (tmp_path / "d").iterdir()}
    await database.close()
    assert modes == {0o600}
    assert mode(tmp_path / "d") == 0o700


def test_a_directory_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d").chmod(0o710)

    with pytest.raises(PlaceRefused, match="chmod 700"):
        Database.open(f"sqlite:///{tmp_path}/d/t.db")

    assert list((tmp_path / "d").iterdir()) == []


async def test_a_file_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    (tmp_path / "t.db").touch(0o644)

    database = Database.open(f"sqlite:///{tmp_path}/t.db")
    await database.close()

    assert mode(tmp_path / "t.db") == 0o600


def test_a_place_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d").touch()

    with pytest.raises(PlaceRefused, match="no database can be made"):
        Database.open(f"sqlite:///{tmp_path}/d/t.db")


@pytest.mark.parametrize(("durability", "level"), [("NORMAL", 1), ("FULL", 2)])
async def test_a_database_is_as_durable_as_was_asked(
    tmp_path: Path, durability: str, level: int
) -> None:
    url = f"sqlite:///{tmp_path}/t.db"
    database = Database.open(url, durability=Durability[durability])

    def ask(connection: Connection) -> list[object]:
        names = ("synchronous", "journal_mode")
        return [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names
        ]

    assert await database.read(ask) == [level, "wal"]
    await database.close()


async def test_as_many_pages_are_kept_in_memory_as_was_asked(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/t.db"
    usual, more = Database.open(url), Database.open(url, cache_kib=1234)

    def ask(connection: Connection) -> object:
        return connection.exec_driver_sql("PRAGMA cache_size").scalar_one()

    assert [await usual.read(ask), await more.read(ask)] == [-CACHE_KIB, -1234]
    await usual.close()
    await more.close()


async def test_work_is_done_in_one_thread_in_the_order_of_the_calls(
    database: Database,
) -> None:
    seen: list[tuple[int, str]] = []

    async def note(turn: int) -> None:
        work = database.write if turn % 2 else database.read
        await work(lambda _: seen.append((turn, threading.current_thread().name)))

    await asyncio.gather(*(note(turn) for turn in range(20)))

    assert seen == [(turn, "tested_0") for turn in range(20)]


async def test_work_that_fails_is_undone_with_its_tables(database: Database) -> None:
    def fail(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE u (a)")
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        raise OSError("half-way")

    def tables(connection: Connection) -> list[str]:
        found = connection.exec_driver_sql("SELECT name FROM sqlite_master")
        return [row[0] for row in found]

    with pytest.raises(OSError, match="half-way"):
        await database.write(fail)

    assert await database.read(count) == 0
    assert await database.read(tables) == ["t"]


async def test_reading_waits_for_no_other_program(
    database: Database, tmp_path: Path
) -> None:
    other = Database.open(f"sqlite:///{tmp_path}/d/t.db")
    with other.engine.begin() as writing:
        writing.exec_driver_sql("INSERT INTO t VALUES (1)")

        assert await database.read(count) == 0

    assert await database.read(count) == 1
    await other.close()


async def test_a_failed_statement_tells_no_amounts(database: Database) -> None:
    def fail(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO missing VALUES (?)", (424242,))

    with pytest.raises(OperationalError) as failed:
        await database.write(fail)

    assert "424242" not in str(failed.value)
    assert is_failure(failed.value)
    assert not is_failure(ValueError())


async def test_closing_waits_for_the_work_and_ends_the_thread(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/t.db", name="closing")
    work = asyncio.ensure_future(database.write(make_table))
    await asyncio.sleep(0)

    await database.close()

    assert work.done()
    assert "closing_0" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(RuntimeError):
        await database.read(count)
