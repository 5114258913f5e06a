"""Books in a database: any thread reads, one at a time writes."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    Connection,
    Inspector,
    MetaData,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session


def _require_own(there: Inspector, tables: Iterable[MetaData]) -> None:
    """Check that a database has no table of ours with other columns.

    Raises:
        ValueError: It has one; nothing was added to it.
    """
    known = set(there.get_table_names())
    for some in tables:
        for table in some.tables.values():
            if table.name not in known:
                continue
            columns = {column["name"] for column in there.get_columns(table.name)}
            lacking = sorted(set(table.columns.keys()) - columns)
            if lacking:
                msg = (
                    f"books.url: these are another system's books, or another "
                    f"release's: {table.name} has no {lacking[0]}"
                )
                raise ValueError(msg)


class SqlBooks:
    """A business system's own books; any thread may use them.

    Args:
        url: SQLAlchemy's URL, e.g. `sqlite:///bank.sqlite`.
        tables: The tables, which are made if they are not there.

    Raises:
        ValueError: The database cannot be opened, or has other books in it.
    """

    def __init__(self, url: str, *tables: MetaData) -> None:
        self._engine = create_engine(url)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _prepare_sqlite)
        try:
            _require_own(inspect(self._engine), tables)
            for some in tables:
                some.create_all(self._engine)
        except DBAPIError as error:
            msg = f"books.url: the books cannot be opened: {error.orig}"
            raise ValueError(msg) from error
        # SQLite takes one writer; two threads of ours wait here, not there.
        self._one_writer = threading.Lock()
        self._one_watcher = threading.Lock()
        self._watching: Connection | None = None

    def version(self) -> int | None:
        """Return a number that is another one after every change of the books.

        Whoever made it, we or another program. None: this database cannot tell.
        """
        if self._engine.dialect.name != "sqlite":
            return None
        with self._one_watcher:
            if self._watching is None:
                self._watching = self._engine.connect()
            # It never writes itself, so that it sees every change as another's.
            with self._watching.begin():
                version = self._watching.scalar(text("PRAGMA data_version"))
        return int(version or 0)

    def close(self) -> None:
        """Close the connections."""
        if self._watching is not None:
            self._watching.close()
        self._engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open one transaction: committed on leaving, undone on any error.

        Another program may have the same books open, a command beside `run`: it waits
        until we are done, so that what is decided on is what is changed.
        """
        with (
            self._one_writer,
            Session(self._engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            if self._engine.dialect.name == "sqlite":
                # By itself SQLite would begin at the first change, after what we read.
                session.execute(text("BEGIN IMMEDIATE"))
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session for queries; what it returns may be used afterwards."""
        with Session(self._engine, expire_on_commit=False) as session:
            yield session


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 -- any driver's
    # A journal that a power cut could shorten would be none: FULL.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")
