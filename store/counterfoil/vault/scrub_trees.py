"""Looks the trees through: tiles where leaves fill them, roots at the end."""

from __future__ import annotations

from counterfoil.tlog.errors import TileError
from counterfoil.tlog.merkle import leaf_hash, node_hash
from counterfoil.tlog.tile_reader import TileReader
from counterfoil.tlog.tiles import TILE_HASHES, TILE_HEIGHT
from counterfoil.tlog.trees import LogTree
from counterfoil.vault.engine import Reading, stored_tree
from counterfoil.vault.findings import Fault, Report
from counterfoil.vault.heads import KnownHead
from counterfoil.vault.verify_tree import TREE_FAULTS


def scrub_tiles(tree: TileReader, fault: Fault, report: Report, index: int) -> None:
    """Where a leaf fills a tile, compare the tile with the hash above it."""
    height, at = TILE_HEIGHT, index
    while at % TILE_HASHES == TILE_HASHES - 1:
        at //= TILE_HASHES
        try:
            left, right = (tree.node(height - 1, 2 * at + side) for side in (0, 1))
            above = node_hash(left, right, tree.hash_function)
            is_whole = above == tree.node(height, at)
        except TileError:
            is_whole = False
        if not is_whole:
            detail = f"tile {height // TILE_HEIGHT - 1}/{at}"
            report.add(fault, index=index, detail=detail)
        height += TILE_HEIGHT


def scrub_sm3_leaf(tree: TileReader, report: Report, index: int, leaf: bytes) -> None:
    """Compare a leaf with its hash in the SM3 tree."""
    try:
        is_there = tree.node(0, index) == leaf_hash(leaf, tree.hash_function)
    except TileError:
        is_there = False
    if not is_there:
        report.add(Fault.SM3_TREE_CHANGED, index=index)


def scrub_root(
    reading: Reading, tree: LogTree, log: str, signed: KnownHead | None, report: Report
) -> None:
    """Compare the root that a tree's tiles give with what is kept and was signed.

    Args:
        reading: The vault.
        tree: Which tree; nothing is wrong if the log has none and never had.
        log: The log's name.
        signed: The newest head that is known of it.
        report: Where findings go.
    """
    fault, size, origin = TREE_FAULTS[tree], reading.size(), tree.origin(log)
    if tree is LogTree.SM3 and reading.sm3_tree() is None:
        if signed is not None:
            report.add(fault, key=origin, detail="it is gone")
        return
    stored = stored_tree(reading, tree)
    reader = stored.reader()
    try:
        if reader.frontier(size).head() != stored.frontier.head():
            report.add(fault, detail="root")
        if signed is None:
            if size:
                report.add(Fault.HEAD_UNKNOWN, detail=origin)
        elif signed.head.size > size:
            detail = f"{signed.head.size} leaves signed, {size} here"
            report.add(Fault.HEAD_NEWER, detail=detail)
        elif reader.head(signed.head.size) != signed.head:
            detail = f"at {signed.head.size} leaves"
            report.add(Fault.HEAD_CONTRADICTED, detail=detail)
    except TileError as error:
        report.add(fault, detail=str(error))
