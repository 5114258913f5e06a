"""Builds a tree of the log again from its leaves; compares it with what is stored."""

from __future__ import annotations

from typing import Final

from counterfoil.tlog.merkle import HASH_BYTES, Frontier, TreeHead, leaf_hash
from counterfoil.tlog.tile_writer import TileWriter
from counterfoil.tlog.tiles import TILE_HASHES
from counterfoil.tlog.trees import LogTree
from counterfoil.vault.engine import Reading, stored_tree
from counterfoil.vault.findings import Fault, Report
from counterfoil.vault.heads import HeadStore

_HASHES_AT_ONCE: Final = 16 * TILE_HASHES

TREE_FAULTS: Final = {
    LogTree.SHA256: Fault.TREE_CHANGED,
    LogTree.SM3: Fault.SM3_TREE_CHANGED,
}
"""What it is called when a tree is not that of its leaves."""


class TreeCheck:
    """One tree, leaf by leaf in the order of the log, then `finish`.

    Args:
        reading: The vault, which has that tree.
        tree: Which one.
        report: Where findings go.
        signed: The newest head that is known of it.
    """

    def __init__(
        self, reading: Reading, tree: LogTree, report: Report, signed: TreeHead | None
    ) -> None:
        self._stored = stored_tree(reading, tree)
        self._hash_function = tree.hash_function
        self._fault = TREE_FAULTS[tree]
        # A leaf is named for what it is in the first tree; in the second it is a tile.
        self._leaf_fault = Fault.LEAF_CHANGED if tree is LogTree.SHA256 else self._fault
        self._report = report
        self._signed = signed
        empty = Frontier(hash_function=self._hash_function)
        self._writer = TileWriter(empty, lambda _level, _index: b"")
        self._hashes: list[bytes] = []
        self._size = 0

    def add(self, leaf: bytes | None) -> None:
        """Take in the next leaf; if it cannot be read, its hash is believed."""
        if self._signed is not None and self._size == self._signed.size:
            self._grow()
            self._compare_signed()
        tile, at = divmod(self._size, TILE_HASHES)
        hashes = self._stored.tile(0, tile)
        stored = hashes[at * HASH_BYTES : (at + 1) * HASH_BYTES]
        computed = stored if leaf is None else leaf_hash(leaf, self._hash_function)
        if computed != stored:
            self._report.add(self._leaf_fault, index=self._size)
        self._hashes.append(computed)
        self._size += 1
        if len(self._hashes) == _HASHES_AT_ONCE:
            self._grow()

    def finish(self) -> TreeHead:
        """Compare the root, and return what it was computed to be."""
        self._grow()
        if self._signed is not None and self._signed.size >= self._size:
            self._compare_signed()
        head = self._writer.frontier.head()
        if head != self._stored.frontier.head():
            self._report.add(self._fault, detail="root")
        return head

    def _grow(self) -> None:
        """Append to the tree, and compare the tiles that this changes."""
        for tile in self._writer.extend(self._hashes):
            if not self._stored.tile(tile.level, tile.index).startswith(tile.hashes):
                self._report.add(
                    self._fault,
                    index=tile.index * TILE_HASHES ** (tile.level + 1),
                    detail=f"tile {tile.level}/{tile.index}",
                )
        self._hashes.clear()

    def _compare_signed(self) -> None:
        signed, head = self._signed, self._writer.frontier.head()
        assert signed is not None, "called where the signed size is reached"
        if signed.size > head.size:
            self._report.add(
                Fault.HEAD_NEWER,
                detail=f"{signed.size} leaves signed, {head.size} here",
            )
        elif signed != head:
            self._report.add(Fault.HEAD_CONTRADICTED, detail=f"at {signed.size} leaves")


def tree_checks(
    reading: Reading, report: Report, log: str, heads: HeadStore | None
) -> list[TreeCheck]:
    """Return a check for each tree of the log, that of SHA-256 first.

    Args:
        reading: The vault.
        report: Where findings go: of what was signed, too, or was not.
        log: The log's name.
        heads: What was signed; None if that is not to be compared.
    """
    checks = []
    for tree in LogTree:
        origin = tree.origin(log)
        known = None if heads is None else heads.newest(origin)
        if tree is LogTree.SM3 and reading.sm3_tree() is None:
            if known is not None:
                report.add(Fault.SM3_TREE_CHANGED, key=origin, detail="it is gone")
            continue
        if heads is not None and known is None and reading.size():
            report.add(Fault.HEAD_UNKNOWN, detail=origin)
        signed = None if known is None else known.head
        checks.append(TreeCheck(reading, tree, report, signed))
    return checks
