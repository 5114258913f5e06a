"""Books in a database: any thread reads, one at a time writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, MetaData, create_engine, event, text
from sqlalchemy.orm import Session


class SqlBooks:
    """A business system's own books; any thread may use them.

    Args:
        url: SQLAlchemy's URL, e.g. `sqlite:///bank.sqlite`.
        tables: The tables, which are made if they are not there.
    """

    def __init__(self, url: str, *tables: MetaData) -> None:
        self._engine = create_engine(url)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _prepare_sqlite)
        for some in tables:
            some.create_all(self._engine)
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
