"""What `counterfoil inquire` shows and writes of time stamps (RFC 3161).

It checks what needs no root: that a time stamp is of that head, and the head above a
leaf. Whose word the time is, `openssl ts -verify` tells: `docs/verify-a-voucher.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final

from counterfoil.daemon.desk_channel import tell
from counterfoil.desk.v1 import desk_pb2
from counterfoil.domain.refusals import VaultCorrupt
from counterfoil.seal.timestamp_reading import SHA256, read_response
from counterfoil.tlog.checkpoint import parse_checkpoint
from counterfoil.tlog.errors import TlogError
from counterfoil.tlog.merkle import leaf_hash
from counterfoil.tlog.note import parse_note
from counterfoil.tlog.proof_file import ProofFile
from counterfoil.tlog.verification import verify_inclusion

INDEX_DIGITS: Final = 10
"""Of the names of exported files, so that they stand in the order of the log."""


def tell_stamped(stamped: desk_pb2.StampedHead, leaves: Mapping[int, bytes]) -> None:
    """Print a stamped head: its time, its size, and the acts that it proves.

    Raises:
        VaultCorrupt: It is of another head, or a proof does not hold.
        TlogError: The head cannot be read.
        ValueError: The time stamp cannot be read.
    """
    head = parse_checkpoint(parse_note(stamped.checkpoint).text).head
    parts = read_response(stamped.time_stamp_response)
    imprint = SHA256, sha256(stamped.checkpoint).digest()
    if (parts.imprint_algorithm, parts.imprint) != imprint:
        raise VaultCorrupt("a time stamp is of another head")
    for one in stamped.leaves:
        try:
            hashed = leaf_hash(leaves[one.leaf_index])
            verify_inclusion(one.leaf_index, hashed, head, tuple(one.inclusion_proof))
        except (KeyError, TlogError) as error:
            msg = f"leaf {one.leaf_index} under a stamped head: {error}"
            raise VaultCorrupt(msg) from error
    acts = " ".join(str(one.leaf_index) for one in stamped.leaves)
    at = parts.time.isoformat(timespec="milliseconds")
    tell("stamped", at, f"{head.size} leaves", f"acts {acts}")


def export_timestamps(
    heads: Iterable[desk_pb2.StampedHead], leaves: Mapping[int, bytes]
) -> dict[str, bytes]:
    """Return what a third party needs to check time stamps, by file name.

    For each head the checkpoint that was stamped (`.checkpoint`) and the authority's
    answer (`.tsr`), and for each act the C2SP tlog-proof under that head, whose extra
    data is the leaf.

    Raises:
        TlogError: A head cannot be read.
        ValueError: An index or a hash is out of range.
    """
    files = {}
    for stamped in heads:
        size = parse_checkpoint(parse_note(stamped.checkpoint).text).head.size
        files[f"head-{size:0{INDEX_DIGITS}}.checkpoint"] = stamped.checkpoint
        files[f"head-{size:0{INDEX_DIGITS}}.tsr"] = stamped.time_stamp_response
        for one in stamped.leaves:
            name = f"act-{one.leaf_index:0{INDEX_DIGITS}}.tlog-proof"
            files[name] = ProofFile(
                index=one.leaf_index,
                proof=tuple(one.inclusion_proof),
                checkpoint=stamped.checkpoint,
                extra=leaves[one.leaf_index],
            ).to_bytes()
    return files
