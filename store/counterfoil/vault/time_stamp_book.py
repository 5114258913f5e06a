"""Stamped heads of our log, in a file of their own beside the vault.

Not in the vault: a vault stops for good when a commit fails, and no time stamp is worth
that. What stands here is evidence about the log, signed by others; whoever changes it
makes it worthless, and nothing else. It is SQLite, so that anybody can read it, also
while the gateway runs.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from counterfoil.app.time_stamps import StampedHead

log = logging.getLogger("counterfoil.vault")

FILE: Final = "timestamps.sqlite"
"""Its name in the state directory."""

_BUSY_S: Final = 5.0
"""Longest wait for another process that reads or writes."""

_MAKE: Final = """
CREATE TABLE IF NOT EXISTS stamped_head (
  size INTEGER PRIMARY KEY,   -- leaves that the checkpoint covers
  time_us INTEGER NOT NULL,   -- what the authority says, microseconds since 1970, UTC
  accuracy_us INTEGER,        -- as it states it
  checkpoint BLOB NOT NULL,   -- the signed note that was stamped
  response BLOB NOT NULL      -- TimeStampResp, DER (RFC 3161)
)
"""
_IS_MADE: Final = "SELECT 1 FROM sqlite_master WHERE name = 'stamped_head'"
_KEEP: Final = "INSERT OR IGNORE INTO stamped_head VALUES (?, ?, ?, ?, ?)"
_NEWEST: Final = """
SELECT size, time_us, accuracy_us, checkpoint, response
FROM stamped_head ORDER BY size DESC LIMIT 1
"""
_ALL: Final = """
SELECT size, time_us, accuracy_us, checkpoint, response
FROM stamped_head ORDER BY size
"""
_COVERING: Final = """
SELECT size, time_us, accuracy_us, checkpoint, response
FROM stamped_head WHERE size > ? ORDER BY size LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class TimeStampBook:
    """The stamped heads of one log.

    Attributes:
        file: Where they are; made with the first one.
    """

    file: Path

    def keep(self, head: StampedHead) -> None:
        """Store a stamped head; durable on return. One of the same size stays.

        Raises:
            OSError: The file cannot be made.
            sqlite3.Error: It cannot be written.
        """
        # SQLite would make it readable for others.
        os.close(os.open(self.file, os.O_CREAT | os.O_WRONLY, 0o600))
        with self._opened() as opened:
            opened.execute("PRAGMA synchronous = FULL")
            opened.execute(_MAKE)
            row = (head.size, head.time_us, head.accuracy_us)
            opened.execute(_KEEP, (*row, head.checkpoint, head.response))
            opened.commit()

    def newest(self) -> StampedHead | None:
        """Return the stamped head of the largest tree; None if there is none.

        Raises:
            sqlite3.Error: The file cannot be read.
        """
        if not self.file.exists():
            return None
        with self._opened() as opened:
            row = opened.execute(_NEWEST).fetchone() if _is_made(opened) else None
        return None if row is None else _head(row)

    def all(self) -> Generator[StampedHead]:
        """Yield the stamped heads, smallest first; close the iterator.

        Raises:
            sqlite3.Error: The file cannot be read.
        """
        if not self.file.exists():
            return
        with self._opened() as opened:
            for row in opened.execute(_ALL) if _is_made(opened) else ():
                yield _head(row)

    async def covering(self, indices: Iterable[int]) -> dict[int, StampedHead]:
        """Return for each leaf the earliest stamped head that covers it."""
        if not self.file.exists():
            return {}
        return await asyncio.to_thread(self._covering, list(indices))

    def _covering(self, indices: list[int]) -> dict[int, StampedHead]:
        found: dict[int, StampedHead] = {}
        try:
            with self._opened() as opened:
                for index in indices if _is_made(opened) else ():
                    row = opened.execute(_COVERING, (index,)).fetchone()
                    if row is not None:
                        found[index] = _head(row)
        except sqlite3.Error as error:
            log.warning("time stamps not read", extra={"detail": str(error)})
            return {}
        return found

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """Open the file for a moment: nothing is kept open, so nothing has to close.

        Readers may write too: who was killed while writing is tidied up after by
        whoever comes next. SQLite opens what nobody may write to for reading.
        """
        place = f"{self.file.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(place, uri=True, timeout=_BUSY_S)) as opened:
            yield opened


def _is_made(opened: sqlite3.Connection) -> bool:
    """Tell whether anything was kept yet: the file is there a moment earlier."""
    return opened.execute(_IS_MADE).fetchone() is not None


def _head(row: tuple[int, int, int | None, bytes, bytes]) -> StampedHead:
    size, time_us, accuracy_us, checkpoint, response = row
    return StampedHead(
        size=size,
        checkpoint=checkpoint,
        response=response,
        time_us=time_us,
        accuracy_us=accuracy_us,
    )
