"""Stamped heads are kept, found by the leaf, and never stand in anybody's way."""

from __future__ import annotations

import logging
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from counterfoil.app.time_stamps import StampedHead
from counterfoil.vault.time_stamp_book import FILE, TimeStampBook


def head(size: int, *, accuracy_us: int | None = None) -> StampedHead:
    return StampedHead(
        size=size,
        checkpoint=b"note %d" % size,
        response=b"token %d" % size,
        time_us=1_000 * size,
        accuracy_us=accuracy_us,
    )


@pytest.fixture
def book(tmp_path: Path) -> TimeStampBook:
    return TimeStampBook(tmp_path / FILE)


async def test_a_leaf_is_covered_by_the_earliest_head_above_it(
    book: TimeStampBook,
) -> None:
    for size in (3, 5, 9):
        book.keep(head(size, accuracy_us=size))

    found = await book.covering(range(12))

    assert [found[index].size for index in range(9)] == [3, 3, 3, 5, 5, 9, 9, 9, 9]
    assert found.keys() == set(range(9))
    assert found[4] == head(5, accuracy_us=5)


async def test_what_was_stamped_first_stays(book: TimeStampBook) -> None:
    book.keep(head(3))
    later = head(3, accuracy_us=1)
    book.keep(later)

    assert book.newest() == head(3)
    assert book.newest() != later


async def test_nothing_is_made_by_asking(book: TimeStampBook) -> None:
    assert book.newest() is None
    assert await book.covering([0, 1]) == {}

    assert not book.file.exists()


async def test_only_the_owner_may_read_them_and_another_process_can_meanwhile(
    book: TimeStampBook,
) -> None:
    book.keep(head(3))

    assert stat.S_IMODE(book.file.stat().st_mode) == 0o600
    reader = sqlite3.connect(f"{book.file.as_uri()}?mode=ro", uri=True)
    book.keep(head(4))
    assert reader.execute("SELECT size FROM stamped_head").fetchall() == [(3,), (4,)]
    reader.close()


async def test_a_damaged_file_is_told_and_covers_nothing(
    book: TimeStampBook, caplog: pytest.LogCaptureFixture
) -> None:
    book.file.write_bytes(b"this is no database, and long enough to be seen as none")

    with caplog.at_level(logging.WARNING):
        assert await book.covering([0]) == {}
    assert "time stamps not read" in caplog.text
    with pytest.raises(sqlite3.Error):
        book.newest()
    with pytest.raises(sqlite3.Error):
        book.keep(head(3))


async def test_a_file_in_which_nothing_was_kept_yet_is_an_empty_one(
    book: TimeStampBook, caplog: pytest.LogCaptureFixture
) -> None:
    # As another process, or a thread, sees it that comes between the first two steps.
    book.file.touch(mode=0o600)

    assert book.newest() is None
    assert list(book.all()) == []
    assert await book.covering([0]) == {}
    assert caplog.text == ""
    book.keep(head(3))
    assert list(book.all()) == [head(3)]


KILLED = """
import os, sqlite3, sys
opened = sqlite3.connect(sys.argv[1], isolation_level=None)
opened.execute("PRAGMA cache_size = 1")
opened.execute("BEGIN IMMEDIATE")
for size in range(100, 200):
    opened.execute("INSERT INTO stamped_head VALUES (?, 0, 0, ?, ?)",
                   (size, bytes(5000), bytes(5000)))
os._exit(9)  # half of it is in the file by now
"""


def test_whoever_was_killed_while_writing_leaves_what_was_there(
    book: TimeStampBook,
) -> None:
    for size in (3, 5):
        book.keep(head(size))
    command = [sys.executable, "-c", KILLED, str(book.file)]
    assert subprocess.run(command, check=False, timeout=60).returncode == 9
    assert book.file.with_name(f"{FILE}-journal").exists()

    assert book.newest() == head(5)
    assert list(book.all()) == [head(3), head(5)]
