"""Signs our heads, and only those that continue what was signed before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import TypeAlias

from counterfoil.domain.refusals import HeadForked, TreesDiffer
from counterfoil.tlog.checkpoint import Checkpoint
from counterfoil.tlog.errors import TileError
from counterfoil.tlog.merkle import TreeHead
from counterfoil.tlog.trees import LogTree
from counterfoil.vault.engine import Reading, StoredTree, stored_tree
from counterfoil.vault.heads import HeadStore, KnownHead

SignHead: TypeAlias = Callable[[Checkpoint, int], bytes]
"""Given a checkpoint and POSIX seconds, the note with our log's signatures."""


class HeadSigner:
    """Signs the heads of one log, each size of each tree once.

    Args:
        log: The log's name.
        heads: Where every head is remembered before it leaves.
        sign: Makes the note, for each tree that the log is to have.
        reading: The vault as it is opened.

    Raises:
        TreesDiffer: The vault was made with other trees.
    """

    def __init__(
        self,
        log: str,
        heads: HeadStore,
        sign: Mapping[LogTree, SignHead],
        reading: Reading,
    ) -> None:
        self._log = log
        self._heads = heads
        self._sign = sign
        self._lock = Lock()
        self.forked = ""
        _require_as_made(reading.sm3_tree() is not None, wanted=LogTree.SM3 in sign)
        for tree in sign:
            stored = stored_tree(reading, tree)
            self.forked = self.forked or self._compare(tree, stored, reading.size())

    def sign(
        self, tree: LogTree, heads: Mapping[LogTree, TreeHead], time_s: int
    ) -> bytes:
        """Return a signed checkpoint of a tree, or a later one if there is one.

        The heads of the other trees are remembered with it in one write, though not
        signed, so that a copy that is older contradicts each tree by itself.

        Args:
            tree: The tree that it is of.
            heads: The heads of all trees after one commit.
            time_s: POSIX seconds.

        Raises:
            HeadForked: It would contradict a head that was signed.
        """
        origin, head = tree.origin(self._log), heads[tree]
        if self.forked:
            raise HeadForked(self.forked, origin=origin)
        with self._lock:
            newest = self._heads.newest(origin)
            assert newest is not None, "the empty head was remembered"
            if newest.head.size == head.size and newest.head != head:
                raise HeadForked("another head was signed", origin=origin)
            if newest.head.size >= head.size:
                if newest.note:
                    return newest.note
                head = newest.head  # remembered with another, and now asked for
            note = self._sign[tree](Checkpoint(origin=origin, head=head), time_s)
            known = KnownHead(origin=origin, head=head, note=note)
            beside = [
                KnownHead(origin=other.origin(self._log), head=one, note=b"")
                for other, one in heads.items()
                if other is not tree
            ]
            self._heads.replace(newest.head.size, known, beside=beside)
            return note

    def _compare(self, tree: LogTree, stored: StoredTree, size: int) -> str:
        """Return in which way a tree is not what was signed; empty if it is.

        What is empty and was never signed is remembered as that.
        """
        origin = tree.origin(self._log)
        newest = self._heads.newest(origin)
        fault = _fork(newest, stored, size)
        if not fault and newest is None:
            empty = stored.frontier.head()
            self._heads.replace(None, KnownHead(origin=origin, head=empty, note=b""))
        return f"{tree.value} tree: {fault}" if fault and tree is LogTree.SM3 else fault


def _require_as_made(there: bool, *, wanted: bool) -> None:  # noqa: FBT001
    """Refuse to sign for a tree that is not there, or to let one stand unsigned."""
    if wanted and not there:
        raise TreesDiffer(
            "an SM3 tree is configured, but the vault was made without one; leave "
            "`sm2` out of [head], or make a new vault with `counterfoil init`"
        )
    if there and not wanted:
        raise TreesDiffer(
            "the vault was made with an SM3 tree, but no key signs its heads; name "
            "the key as `sm2` in [head]"
        )


def _fork(newest: KnownHead | None, tree: StoredTree, size: int) -> str:
    """Return in which way a tree is not what was signed; empty if it is."""
    if tree.frontier.size != size:
        return f"it has {tree.frontier.size} leaves, the log has {size}"
    if newest is None:
        return "nothing is known of what this log has signed" if size else ""
    signed = newest.head
    if signed.size > size:
        return f"{signed.size} leaves were signed, the vault has {size}"
    try:
        there = tree.reader().head(signed.size)
    except TileError:
        return f"the tree of {signed.size} leaves that was signed is damaged"
    if there != signed:
        return f"another tree of {signed.size} leaves was signed"
    return ""
