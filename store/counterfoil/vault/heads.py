"""The newest signed heads: our own, and those seen of other logs.

A store of its own, in a directory that no backup of the vault contains: putting an
old vault back must not put back what we signed since. Records are only appended,
each with a check sum, and are on disk before anybody hears of them; a record torn
by a power failure was promised to nobody and is dropped.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final, Protocol
from zlib import crc32

from counterfoil.domain.refusals import HeadForked
from counterfoil.tlog.errors import HeadConflict
from counterfoil.tlog.merkle import HASH_BYTES, TreeHead
from counterfoil.vault.locking import DirectoryLock

_MAGIC: Final = b"counterfoil heads 1\n"
_FRAME: Final = struct.Struct(">II")
_HEAD: Final = struct.Struct(f">HQ{HASH_BYTES}s")
_COMPACT_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownHead:
    """A log's newest head, as signed.

    Attributes:
        origin: Which log.
        head: Size and root.
        note: The signed checkpoint; empty for a head of ours that nobody was given:
            that of an empty log, and of an SM3 tree that nobody asked for.
    """

    origin: str
    head: TreeHead
    note: bytes

    def to_bytes(self) -> bytes:
        """Encode for storage."""
        origin = self.origin.encode()
        head = _HEAD.pack(len(origin), self.head.size, self.head.root)
        return head + origin + self.note

    @classmethod
    def from_bytes(cls, encoded: bytes) -> KnownHead:
        """Decode what `to_bytes` made."""
        origin_bytes, size, root = _HEAD.unpack_from(encoded)
        note_at = _HEAD.size + origin_bytes
        return cls(
            origin=encoded[_HEAD.size : note_at].decode(),
            head=TreeHead(size, root),
            note=encoded[note_at:],
        )


class HeadStore(Protocol):
    """Remembers one head per log."""

    def newest(self, origin: str) -> KnownHead | None:
        """Return the newest head of a log."""

    def all(self) -> list[KnownHead]:
        """Return the newest head of every log, by origin."""

    def replace(
        self, old_size: int | None, head: KnownHead, *, beside: Sequence[KnownHead] = ()
    ) -> None:
        """Remember `head`, if the newest one is still the one expected.

        Comparing and storing are one step, durable on return. Whether the larger
        tree continues the smaller is for the caller to prove before.

        Args:
            old_size: Size of the newest head known; None if there is none.
            head: The head to remember.
            beside: Heads of other logs, remembered with it in one write; each only if
                it is larger than what is known of its log.

        Raises:
            HeadConflict: Another head was stored meanwhile; nothing is remembered.
            HeadForked: It is smaller, or has another root for the same size; likewise.
        """

    def close(self) -> None:
        """Close it; idempotent."""


class MemoryHeads:
    """A head store that is forgotten with the process."""

    def __init__(self) -> None:
        self._heads: dict[str, KnownHead] = {}
        self._lock = Lock()

    def newest(self, origin: str) -> KnownHead | None:
        """Return the newest head of a log."""
        return self._heads.get(origin)

    def all(self) -> list[KnownHead]:
        """Return the newest head of every log, by origin."""
        return [self._heads[origin] for origin in sorted(self._heads)]

    def replace(
        self, old_size: int | None, head: KnownHead, *, beside: Sequence[KnownHead] = ()
    ) -> None:
        """Remember `head`, if the newest one is still the one expected."""
        with self._lock:
            for one in _changed(self._heads, old_size, head, beside):
                self._heads[one.origin] = one

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


class FileHeads:
    """A head store in a directory of its own.

    Args:
        directory: Created, for its owner only, if it is not there.
        compact_bytes: Length of the file at which it is written anew.

    Raises:
        VaultLocked: Another process has it open.
        HeadForked: The file is damaged before its last record.
    """

    def __init__(self, directory: Path, compact_bytes: int = _COMPACT_BYTES) -> None:
        self._directory = directory
        self._path = directory / "heads"
        self._compact_bytes = compact_bytes
        self._mutex = Lock()
        self._owner = DirectoryLock(directory)
        try:
            self._heads = _load(self._path)
            self._file = self._rewrite()
        except BaseException:
            self._owner.release()
            raise

    def newest(self, origin: str) -> KnownHead | None:
        """Return the newest head of a log."""
        return self._heads.get(origin)

    def all(self) -> list[KnownHead]:
        """Return the newest head of every log, by origin."""
        return [self._heads[origin] for origin in sorted(self._heads)]

    def replace(
        self, old_size: int | None, head: KnownHead, *, beside: Sequence[KnownHead] = ()
    ) -> None:
        """Remember `head`, if the newest one is still the one expected."""
        self._owner.check_process()
        with self._mutex:
            changed = _changed(self._heads, old_size, head, beside)
            if not changed:
                return
            _write(self._file, b"".join(map(_frame, changed)))
            os.fdatasync(self._file)
            self._heads.update({one.origin: one for one in changed})
            if os.fstat(self._file).st_size > self._compact_bytes:
                os.close(self._file)
                self._file = self._rewrite()

    def close(self) -> None:
        """Close it; idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._owner.release()

    def _rewrite(self) -> int:
        """Write only the newest heads to a new file, and open it for appending."""
        fresh = self._path.with_suffix(".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        file = os.open(fresh, flags | os.O_APPEND, 0o600)
        _write(file, _MAGIC + b"".join(map(_frame, self.all())))
        os.fsync(file)
        fresh.replace(self._path)
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return file


def known_heads(directory: Path) -> dict[str, KnownHead]:
    """Return the newest heads by log, for whoever looks beside the store's owner.

    Raises:
        HeadForked: The file is damaged before its last record.
        OSError: It cannot be read.
    """
    return _load(directory / "heads")


def _changed(
    known: Mapping[str, KnownHead],
    old_size: int | None,
    head: KnownHead,
    beside: Sequence[KnownHead],
) -> list[KnownHead]:
    """Return what is to be written of a change.

    Raises:
        HeadConflict: See `_changes`.
        HeadForked: See `_changes`.
    """
    changed = [head] if _changes(known.get(head.origin), old_size, head) else []
    for one in beside:
        newest = known.get(one.origin)
        if newest is None or newest.head.size < one.head.size:
            changed.append(one)
        elif newest.head.size == one.head.size:
            _changes(newest, newest.head.size, one)
    return changed


def _changes(known: KnownHead | None, old_size: int | None, head: KnownHead) -> bool:
    """Return whether `head` may replace `known`; False if they are the same.

    Raises:
        HeadConflict: `known` is not the head expected.
        HeadForked: `head` contradicts `known`.
    """
    if known is None:
        if old_size is not None:
            raise HeadConflict(0)
        return True
    if known.head.size != old_size:
        raise HeadConflict(known.head.size)
    if head.head.size < known.head.size or (
        head.head.size == known.head.size and head.head.root != known.head.root
    ):
        raise HeadForked(
            "a later or other head was signed before",
            origin=head.origin,
            size=str(known.head.size),
        )
    return head != known


def _frame(head: KnownHead) -> bytes:
    body = head.to_bytes()
    return _FRAME.pack(len(body), crc32(body)) + body


def _write(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]


def _load(path: Path) -> dict[str, KnownHead]:
    """Read all records; the last one may be torn.

    Raises:
        HeadForked: A record before the last one is damaged, so what was signed is
            no longer known.
    """
    if not path.exists():
        return {}
    content = path.read_bytes()
    if not content.startswith(_MAGIC):
        raise HeadForked("the head store is damaged: not a head store")
    heads: dict[str, KnownHead] = {}
    at = len(_MAGIC)
    while at + _FRAME.size <= len(content):
        length, check = _FRAME.unpack_from(content, at)
        body = content[at + _FRAME.size : at + _FRAME.size + length]
        end = at + _FRAME.size + length
        if len(body) < length:
            break
        if crc32(body) != check or length < _HEAD.size:
            if end < len(content):
                raise HeadForked("the head store is damaged: a record is not whole")
            break
        head = KnownHead.from_bytes(body)
        heads[head.origin] = head
        at = end
    return heads
