"""The file of refused calls, open for appending, and the one that takes its place."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from counterfoil.vault.refusal_chain import (
    FORMAT,
    End,
    Entry,
    RecordChanged,
    line_of,
    read_chain,
)


class RefusalFile:
    """A file of refused calls that is open for appending; owned by one thread.

    Args:
        path: Where it is.
        end: Where it ends.
        size: Its length in bytes; what is behind it is torn and cut off.
    """

    def __init__(self, path: Path, end: End, size: int) -> None:
        self.path = path
        self.end = end
        self.size = size
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(path, flags)
        if os.fstat(self._file).st_size != size:
            os.ftruncate(self._file, size)

    def append(self, entries: Iterable[Entry]) -> list[bytes]:
        """Append entries; they are on disk when this returns.

        Returns:
            The digest after each.

        Raises:
            OSError: They cannot be written; nothing of them counts.
        """
        end, lines, digests = self.end, [], []
        for entry in entries:
            line, end = line_of(entry, end)
            lines.append(line)
            digests.append(end.digest)
        content = b"".join(lines)
        try:
            _write(self._file, content)
            os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, self.size)
            raise
        self.end, self.size = end, self.size + len(content)
        return digests

    def is_there(self) -> bool:
        """Tell whether the file is still the one that was opened, and as long."""
        try:
            named, opened = self.path.stat(), os.fstat(self._file)
        except OSError:
            return False
        is_same = (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino)
        return is_same and opened.st_size == self.size

    def is_whole(self) -> bool:
        """Tell whether every entry is still the one that was written."""
        try:
            return read_chain(self.path).end == self.end
        except (OSError, RecordChanged):
            return False

    def close(self) -> None:
        """Close it; idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def successor_of(path: Path) -> Path:
    """Return where a file is written that is to take another's place."""
    return path.with_suffix(".new")


def write_successor(path: Path, start: End, summary: Entry) -> tuple[End, int]:
    """Write a file that goes on from an end, beside the one whose place it takes.

    It is on disk when this returns, and counts once it was put in its place.

    Args:
        path: Whose place.
        start: What it goes on from.
        summary: What sums up all before.

    Returns:
        Where it ends, and its length in bytes.

    Raises:
        OSError: It cannot be written.
    """
    first = {"format": FORMAT, "entries": start.entries, "end": start.digest.hex()}
    line, end = line_of({**first, **summary}, start)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    file = os.open(successor_of(path), flags, 0o600)
    try:
        _write(file, line)
        os.fsync(file)
    finally:
        os.close(file)
    return end, len(line)


def put_in_place(path: Path) -> None:
    """Let a successor take its place, durably."""
    successor_of(path).replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _write(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]
