"""The vault's own engine: LMDB, one file in one directory, one process.

Every commit is synchronous: data first, then the page that makes it visible
(`sync` and `metasync` on, no `writemap`). Documents and log rows are appended; see
`docs/adr/0002-vault-layout.md` for what was measured.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import lmdb

from counterfoil.domain.refusals import VaultCorrupt, VaultFull
from counterfoil.tlog.merkle import Frontier
from counterfoil.tlog.sm3 import sm3
from counterfoil.vault.engine import Batch, CannotBeStored
from counterfoil.vault.lmdb_layout import (
    FORMAT,
    FORMAT_WITH_SM3,
    TABLES,
    LmdbReading,
    Tables,
    pack_sm3,
)
from counterfoil.vault.lmdb_records import Changes, encoded
from counterfoil.vault.locking import DirectoryLock, Gate

MEBIBYTE: Final = 1 << 20
VAULT_FILE: Final = "vault.lmdb"
"""Name of the file in the vault's directory."""
_LMDB_09: Final = 0  # the engine that has been in the field longest
_READERS_MAX: Final = 512
_SYSTEM_REASONS: Final = frozenset(
    {errno.EACCES, errno.EPERM, errno.ENOENT, errno.EISDIR, errno.ENOTDIR}
    | {errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOMEM}
)
_HEADROOM: Final = 8  # parts of the map; the last one is kept free
_PAGE_FACTOR: Final = 4  # pages written per byte of a batch, at worst


@dataclass(frozen=True, slots=True, kw_only=True)
class LmdbLimits:
    """How large the file may become.

    Attributes:
        map_bytes: The map to begin with; address space, not disk space.
        growth_bytes: By how much the map grows, at least.
        map_bytes_max: Where growth ends and `VAULT_FULL` begins.
        disk_reserve_bytes: Free space of the disk that is never used up: a write
            that meets a full disk would stop the engine.
    """

    map_bytes: int = 64 * 1024 * MEBIBYTE
    growth_bytes: int = 16 * 1024 * MEBIBYTE
    map_bytes_max: int = 1024 * 1024 * MEBIBYTE
    disk_reserve_bytes: int = 256 * MEBIBYTE


class LmdbEngine:
    """A vault in a directory of its own.

    Args:
        directory: Created, for its owner only, if it is not there.
        limits: How large it may become.
        read_only: Refuse to write, e.g. to verify a copy.
        sm3_tree: Whether a vault that is made now gets an SM3 tree; one that is there
            keeps what it was made with.

    Raises:
        VaultLocked: It is open already.
        VaultCorrupt: It is no vault, or of another format.
        OSError: Its file cannot be opened.
    """

    def __init__(
        self,
        directory: Path,
        limits: LmdbLimits | None = None,
        *,
        read_only: bool = False,
        sm3_tree: bool = False,
    ) -> None:
        self._limits = limits or LmdbLimits()
        self._lock = DirectoryLock(directory)
        self._directory = directory
        self._gate = Gate()
        try:
            self._env = self._open(read_only=read_only)
            self._check_length(directory)
            self._tables = self._open_tables(sm3_tree=sm3_tree)
        except BaseException as error:
            self._lock.release()
            if isinstance(error, lmdb.Error):
                raise _not_opened(error, directory / VAULT_FILE) from error
            raise
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def reading(self) -> Iterator[LmdbReading]:
        """Open a reading; it must not outlive a moment, or the file grows."""
        self._lock.check_process()
        with self._gate.shared(), self._env.begin() as txn:
            yield LmdbReading(txn, self._tables)

    @contextmanager
    def writing(self) -> Iterator[LmdbWriting]:
        """Open the one writing."""
        self._lock.check_process()
        writing = LmdbWriting(self)
        try:
            yield writing
        finally:
            writing.abort()

    def begin(self) -> tuple[lmdb.Transaction, Tables]:
        """Begin a write transaction."""
        return self._env.begin(write=True), self._tables

    def make_room(self, expected_bytes: int) -> None:
        """See to it that a batch fits, as far as can be known beforehand.

        Raises:
            VaultFull: It does not, and the map may not grow.
        """
        disk = os.statvfs(self._directory)
        free = disk.f_bavail * disk.f_frsize
        if free < self._limits.disk_reserve_bytes + expected_bytes:
            raise VaultFull("the disk is full")
        info = self._env.info()
        used = (info["last_pgno"] + 1) * self._env.stat()["psize"]
        headroom = info["map_size"] // _HEADROOM
        wanted = used + max(expected_bytes, headroom)
        if wanted > info["map_size"] < self._limits.map_bytes_max:
            self.grow(wanted)

    def grow(self, at_least_bytes: int = 0) -> None:
        """Enlarge the map while no transaction is open.

        Raises:
            VaultFull: It has its largest size already.
        """
        size = self._env.info()["map_size"]
        wanted = max(size + self._limits.growth_bytes, at_least_bytes)
        wanted = min(wanted, self._limits.map_bytes_max)
        if wanted <= size:
            raise VaultFull("the vault has reached its limit")
        with self._gate.exclusive():
            self._env.set_mapsize(wanted)

    def reader_check(self) -> int:
        """Free the slots of readers that died; return how many."""
        count: int = self._env.reader_check()
        return count

    def close(self) -> None:
        """Close the file and release the directory; idempotent."""
        if self._closed:
            return
        self._closed = True
        with self._gate.exclusive():
            self._env.close()
        self._lock.release()

    def _open(self, *, read_only: bool) -> lmdb.Environment:
        path = self._directory / VAULT_FILE
        size = path.stat().st_size if path.exists() else 0
        wanted = max(self._limits.map_bytes, size + size // _HEADROOM)
        return lmdb.open(
            str(path),
            subdir=False,
            map_size=max(size, min(wanted, self._limits.map_bytes_max)),
            max_dbs=len(TABLES) + 1,  # that of the SM3 tree
            max_readers=_READERS_MAX,
            mode=0o600,
            readonly=read_only,
            sync=True,
            metasync=True,
            writemap=False,
            readahead=False,
            lib_version=_LMDB_09,
        )

    def _check_length(self, directory: Path) -> None:
        """Check that the file is as long as it says: reading behind it would kill us.

        Raises:
            VaultCorrupt: It was cut off.
        """
        pages = self._env.info()["last_pgno"] + 1
        expected = pages * self._env.stat()["psize"]
        if (directory / VAULT_FILE).stat().st_size < expected:
            raise VaultCorrupt("the vault's file was cut off")

    def _open_tables(self, *, sm3_tree: bool) -> Tables:
        """Open the tables that the vault was made with, or make them.

        Raises:
            VaultCorrupt: It is of another format.
        """
        tables = Tables.open(self._env)
        with self._env.begin() as txn:
            found = txn.get(b"format", db=tables.meta)
        made = FORMAT_WITH_SM3 if sm3_tree else FORMAT
        if found not in {None, FORMAT, FORMAT_WITH_SM3}:
            raise VaultCorrupt("not a vault of this format")
        if (found or made) == FORMAT_WITH_SM3:
            tables = tables.with_sm3(self._env)
        if found is None:
            with self._env.begin(write=True) as txn:
                if sm3_tree:
                    empty = pack_sm3(Frontier(hash_function=sm3))
                    txn.put(b"sm3", empty, db=tables.meta)
                txn.put(b"format", made, db=tables.meta)
        return tables


def _not_opened(error: lmdb.Error, path: Path) -> Exception:
    """Return why a file was not opened: the system's reason, else that it is none."""
    number = getattr(error, "code", 0)
    if number in _SYSTEM_REASONS:
        return OSError(number, os.strerror(number), str(path))
    return VaultCorrupt("the vault's file is not one, or not whole")


class LmdbWriting(LmdbReading):
    """The state on which one commit is judged, and that commit."""

    def __init__(self, engine: LmdbEngine) -> None:
        self._engine = engine
        txn, tables = engine.begin()
        super().__init__(txn, tables)
        self._open = True

    def abort(self) -> None:
        """Leave the state as it was, unless it was committed."""
        if self._open:
            self._open = False
            self._txn.abort()

    def commit(self, batch: Batch) -> None:
        """Store `batch`; when the map is too small, enlarge it and start again.

        Raises:
            VaultFull: There is no room; nothing was stored.
            CannotBeStored: It cannot be written down; nothing was stored.
            lmdb.Error: The engine must not be written to any more.
        """
        assert batch.first == self.size(), "another writer was here"
        changes = encoded(batch, self._tables)
        expected = _PAGE_FACTOR * sum(len(sealed) for _, sealed in batch.documents)
        self.abort()
        self._engine.make_room(expected + MEBIBYTE)
        while True:
            self._txn, _ = self._engine.begin()
            self._open = True
            try:
                self._store(changes)
                self._open = False
                self._txn.commit()
            except lmdb.BadValsizeError as error:  # type: ignore[attr-defined]
                # Found before any page was written: what was put is in memory only.
                self.abort()
                raise CannotBeStored("a key or value is too long") from error
            except lmdb.MapFullError:
                self.abort()
                self._engine.grow()
            else:
                return

    def _store(self, changes: Iterable[Changes]) -> None:
        """Write all tables, each in the order of its keys."""
        for one in changes:
            for key in one.struck:
                self._txn.delete(key, db=one.table)
            if one.put:
                with self._txn.cursor(one.table) as cursor:
                    cursor.putmulti(one.put, append=one.appended)
