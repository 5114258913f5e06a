"""Signs our heads, and only those that continue what was signed before."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TypeAlias

from counterfoil.domain.refusals import HeadForked
from counterfoil.tlog.checkpoint import Checkpoint
from counterfoil.tlog.errors import TileError
from counterfoil.tlog.merkle import TreeHead
from counterfoil.tlog.tile_reader import TileReader
from counterfoil.vault.engine import Reading
from counterfoil.vault.heads import HeadStore, KnownHead

SignHead: TypeAlias = Callable[[Checkpoint, int], bytes]
"""Given a checkpoint and POSIX seconds, the note with our log's signatures."""


class HeadSigner:
    """Signs the heads of one log, each size once.

    Args:
        origin: The log's name.
        heads: Where every head is remembered before it leaves.
        sign: Makes the note.
        reading: The vault as it is opened.
    """

    def __init__(
        self, origin: str, heads: HeadStore, sign: SignHead, reading: Reading
    ) -> None:
        self._origin = origin
        self._heads = heads
        self._sign = sign
        self._lock = Lock()
        self.forked = _fork(heads.newest(origin), reading)
        if not self.forked and heads.newest(origin) is None:
            empty = reading.frontier().head()
            heads.replace(None, KnownHead(origin=origin, head=empty, note=b""))

    def sign(self, head: TreeHead, time_s: int) -> bytes:
        """Return a signed checkpoint of `head`, or a later one if there is one.

        Raises:
            HeadForked: It would contradict a head that was signed.
        """
        if self.forked:
            raise HeadForked(self.forked, origin=self._origin)
        with self._lock:
            newest = self._heads.newest(self._origin)
            assert newest is not None, "the empty head was remembered"
            if newest.note and newest.head.size >= head.size:
                if newest.head.size == head.size and newest.head != head:
                    raise HeadForked("another head was signed", origin=self._origin)
                return newest.note
            note = self._sign(Checkpoint(origin=self._origin, head=head), time_s)
            known = KnownHead(origin=self._origin, head=head, note=note)
            self._heads.replace(newest.head.size, known)
            return note


def _fork(newest: KnownHead | None, reading: Reading) -> str:
    """Return in which way the vault is not what was signed; empty if it is."""
    size = reading.frontier().size
    if newest is None:
        return "nothing is known of what this log has signed" if size else ""
    signed = newest.head
    if signed.size > size:
        return f"{signed.size} leaves were signed, the vault has {size}"
    try:
        there = TileReader(reading.tile).head(signed.size)
    except TileError:
        return f"the tree of {signed.size} leaves that was signed is damaged"
    if there != signed:
        return f"another tree of {signed.size} leaves was signed"
    return ""
