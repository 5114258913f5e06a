"""The leaves of a log, written down a second time (docs/conformance.md).

On purpose: so that a gateway and its judge do not share a mistake.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import Final

from counterfoil.catalogue.v1 import document_kind_pb2
from counterfoil.conformance.papers import Paper

ENTER: Final = 1
"""A document of the log's own party entered."""
ARRIVE: Final = 3
"""A document arrived."""
WITNESS: Final = 15
"""A head of a peer's log was witnessed."""

_FORMAT: Final = 1
_HEAD: Final = struct.Struct(">BBBQ32s32s32s")
_TIME: Final = slice(3, 11)


def document_leaf(act: int, paper: Paper, by: str, time_us: int) -> bytes:
    """Return the leaf by which a document entered, or arrived.

    Args:
        act: `ENTER` or `ARRIVE`.
        paper: The document.
        by: The party that issued it.
        time_us: When it did, microseconds since the epoch.
    """
    head = _HEAD.pack(
        _FORMAT,
        act,
        paper.kind,
        time_us,
        paper.voucher.digest,
        sha256(paper.payload).digest(),
        sha256(paper.sealed).digest(),
    )
    return head + _parties(by)


def witness_leaf(root: bytes, checkpoint: bytes, peer: str, time_us: int) -> bytes:
    """Return the leaf by which a head of a peer's log was witnessed.

    Args:
        root: The head's root.
        checkpoint: The signed checkpoint that told it.
        peer: The party whose log it is.
        time_us: When it was, microseconds since the epoch.
    """
    # Of no document; they bear the kind of what is about no voucher either.
    kind, told = document_kind_pb2.DOCUMENT_KIND_REGISTRATION, sha256(checkpoint)
    head = _HEAD.pack(_FORMAT, WITNESS, kind, time_us, root, root, told.digest())
    return head + _parties(peer)


def act_of(leaf: bytes) -> int:
    """Return what a leaf says was done; 0 if it is too short to be one."""
    return leaf[1] if len(leaf) >= _HEAD.size else 0


def time_us_of(leaf: bytes) -> int:
    """Return when it says that it was committed, microseconds since the epoch."""
    return int.from_bytes(leaf[_TIME], "big")


def _parties(by: str) -> bytes:
    """Return the end of a leaf that concerns all recipients."""
    party = by.encode("ascii")
    return bytes((len(party),)) + party + b"\0"
