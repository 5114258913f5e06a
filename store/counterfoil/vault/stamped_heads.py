"""Does the log still lead to every head that an authority has stamped.

A head that was stamped cannot be taken back: whoever holds all of an institution's keys
can write another log, and cannot have the old time stamps for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from counterfoil.app.time_stamps import StampedHead
from counterfoil.seal.timestamp_reading import read_response
from counterfoil.tlog.checkpoint import parse_checkpoint
from counterfoil.tlog.errors import TileError, TlogError
from counterfoil.tlog.merkle import TreeHead
from counterfoil.tlog.note import parse_note
from counterfoil.tlog.tile_reader import TileReader
from counterfoil.vault.engine import Reading
from counterfoil.vault.findings import Fault, Report


def check_stamped_heads(
    reading: Reading, origin: str, heads: Iterable[StampedHead], report: Report
) -> list[int]:
    """Compare stamped heads with the tree of the vault, and report what differs.

    Whose word a time stamp is, is not judged: only that it is of that head.

    Returns:
        The sizes of those that say nothing: they were changed since they were stamped,
        or are of another log.
    """
    tree, size = TileReader(reading.tile), reading.size()
    worthless = []
    for stamped in heads:
        head = _head_of(stamped, origin)
        if head is None:
            worthless.append(stamped.size)
        elif head.size > size:
            detail = f"{head.size} leaves stamped, {size} here"
            report.add(Fault.HEAD_NEWER, detail=detail)
        elif not _leads_to(tree, head):
            detail = f"at {head.size} leaves, by a time stamp"
            report.add(Fault.HEAD_CONTRADICTED, detail=detail)
    return worthless


def _head_of(stamped: StampedHead, origin: str) -> TreeHead | None:
    """Return the head that was stamped; None if the time stamp is not of it."""
    try:
        checkpoint = parse_checkpoint(parse_note(stamped.checkpoint).text)
        imprint = read_response(stamped.response).imprint
    except (TlogError, ValueError, TypeError):
        return None
    if checkpoint.origin != origin or imprint != sha256(stamped.checkpoint).digest():
        return None
    return checkpoint.head


def _leads_to(tree: TileReader, head: TreeHead) -> bool:
    try:
        return tree.head(head.size) == head
    except TileError:  # said of the tiles themselves as well
        return False
