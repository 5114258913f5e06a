"""A database and the one thread that talks to it.

The ports of `app` are coroutines and SQLAlchemy is used synchronously, in one
thread per database that this object owns. Not aiosqlite and not SQLAlchemy's
asyncio extension: both run a thread as well, once per *statement*; here one hop
runs a whole transaction, the order of calls is the order of transactions, and no
dependency is added. One connection is enough, because SQLite has one writer.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

from counterfoil.sql.place import prepare_place
from counterfoil.sql.url import file_of, parse_url

T = TypeVar("T")

BUSY_TIMEOUT_S: Final = 5
"""How long a transaction waits for another process, e.g. an operator's sqlite3."""

CACHE_KIB: Final = 16 * 1024
"""Pages of SQLite kept in our memory unless more are asked for (docs/adr/0003)."""

_CHECKPOINT_PAGES: Final = 4096
"""Pages of write-ahead log (16 MiB) before they are moved into the file: pages that
change often, as those of indexes do, are then moved once for many commits."""

_OUR_DEFECTS: Final = (DataError, NotSupportedError, ProgrammingError)


class Durability(Enum):
    """What a commit promises in SQLite; PostgreSQL is configured by its owner."""

    NORMAL = "NORMAL"
    """Whole after a power failure, but the last commits may be gone (WAL)."""
    FULL = "FULL"
    """On disk when the call returns."""


def is_failure(error: Exception) -> bool:
    """Tell whether `error` is the database's trouble and not our own defect."""
    if isinstance(error, _OUR_DEFECTS):
        return False
    return isinstance(error, DBAPIError | PoolTimeoutError)


def told_by_driver(error: Exception) -> str:
    """Return in the driver's words what went wrong, for the operator's console.

    The first line only: what follows may quote a row. Not for callers: it may name
    the server.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    return (str(cause).splitlines() or [type(cause).__name__])[0]


@dataclass(frozen=True, slots=True)
class Database:
    """An open database; all its work is done in one thread, in order of call.

    Attributes:
        engine: Used inside the thread only.
    """

    engine: Engine
    _thread: ThreadPoolExecutor

    @classmethod
    def open(
        cls,
        url: str,
        *,
        password: Callable[[], str] | None = None,
        durability: Durability = Durability.FULL,
        name: str = "database",
        cache_kib: int = CACHE_KIB,
    ) -> Database:
        """Prepare a database; connects when the first work is done.

        Args:
            url: See `parse_url`.
            password: Reads the password from its secret reference; called for
                each new connection, never kept.
            durability: What a commit promises in SQLite.
            name: The thread's name.
            cache_kib: Pages of SQLite kept in our memory, KiB.

        Raises:
            DatabaseUrlRefused: The URL is refused.
            PlaceRefused: The place of a SQLite file is.
        """
        parsed = parse_url(url)
        path = file_of(parsed)
        if path is not None:
            prepare_place(path)
        engine = _engine(parsed, password, durability, cache_kib)
        return cls(engine, ThreadPoolExecutor(1, thread_name_prefix=name))

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in a transaction: committed, or undone if it raises.

        Cancelling the caller does not stop work that has begun: it is committed
        or undone all the same.
        """
        return await asyncio.wrap_future(self._thread.submit(self._begin, work))

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in a transaction that sees one moment and takes no lock."""
        return await asyncio.wrap_future(self._thread.submit(self._read, work))

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """Do `work` as `write` does and block; for the daemon's start."""
        return self._thread.submit(self._begin, work).result()

    async def close(self) -> None:
        """Finish what was asked for, close connections, end the thread."""
        await asyncio.wrap_future(self._thread.submit(self.engine.dispose))
        self._thread.shutdown()

    def close_now(self) -> None:
        """Close as `close` does and block; for an opening that failed."""
        self._thread.submit(self.engine.dispose).result()
        self._thread.shutdown()

    def _begin(self, work: Callable[[Connection], T]) -> T:
        with self.engine.begin() as connection:
            return work(connection)

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self.engine.connect() as connection:
            reader = connection.execution_options(counterfoil_reads=True)
            with reader.begin():
                return work(reader)


def _engine(
    url: URL,
    password: Callable[[], str] | None,
    durability: Durability,
    cache_kib: int,
) -> Engine:
    engine = create_engine(
        url,
        # Parameters by position, so that rows can be plain tuples (docs/adr/0003).
        paramstyle="qmark" if url.get_backend_name() == "sqlite" else "format",
        pool_size=1,
        max_overflow=0,
        pool_pre_ping=url.get_backend_name() != "sqlite",
        # The parameters of a failed statement are amounts and payloads.
        hide_parameters=True,
    )
    if url.get_backend_name() == "sqlite":
        _prepare_sqlite(engine, durability, cache_kib)
    elif password is not None:
        _give_password(engine, password)
    return engine


def _prepare_sqlite(engine: Engine, durability: Durability, cache_kib: int) -> None:
    @event.listens_for(engine, "connect")
    def _connected(dbapi: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # Python's driver would begin transactions by itself, and not before DDL:
        # a migration that fails half-way would stay half-way.
        dbapi.isolation_level = None
        cursor = dbapi.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000}")
        cursor.execute("PRAGMA journal_mode=WAL")
        if cursor.fetchone() != ("wal",):
            msg = "no write-ahead log is possible on this disk"
            raise sqlite3.OperationalError(msg)
        cursor.execute(f"PRAGMA synchronous={durability.value}")
        cursor.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        cursor.execute(f"PRAGMA cache_size=-{cache_kib}")
        # Some systems build SQLite so that it writes zeros over all that is deleted,
        # and the zeros into the log. A draft that is deleted stands in the vault.
        cursor.execute("PRAGMA secure_delete=FAST")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        reads = connection.get_execution_options().get("counterfoil_reads", False)
        # A writer takes its lock first: a lock that is asked for after a read
        # fails at once when another process wrote in between.
        text = "BEGIN" if reads else "BEGIN IMMEDIATE"
        driver = cast("sqlite3.Connection", connection.connection.driver_connection)
        try:
            # As every transaction begins so, without SQLAlchemy's way around it.
            driver.execute(text)
        except sqlite3.Error as error:
            raise OperationalError(text, None, error) from error


def _give_password(engine: Engine, password: Callable[[], str]) -> None:
    @event.listens_for(engine, "do_connect")
    def _connect(
        dialect: Dialect,
        _entry: ConnectionPoolEntry,
        arguments: tuple[Any, ...],
        options: dict[str, Any],
    ) -> DBAPIConnection:
        # Not by changing `options`: the engine keeps that dictionary.
        return dialect.connect(*arguments, **options, password=password())
