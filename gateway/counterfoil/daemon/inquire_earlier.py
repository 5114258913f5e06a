"""What `counterfoil inquire` shows and writes of documents that came late (迟到)."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from counterfoil.daemon.desk_channel import tell
from counterfoil.daemon.inquire_timestamps import INDEX_DIGITS
from counterfoil.desk.v1 import desk_pb2
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import VaultCorrupt
from counterfoil.domain.standing import OUR_OWN, Act
from counterfoil.tlog.checkpoint import Checkpoint, parse_checkpoint
from counterfoil.tlog.errors import TlogError
from counterfoil.tlog.merkle import leaf_hash
from counterfoil.tlog.note import parse_note
from counterfoil.tlog.proof_file import ProofFile
from counterfoil.tlog.verification import verify_inclusion
from counterfoil.wire.keys import datetime_from_us


def tell_earlier(act: desk_pb2.ActRecord, checkpoint: bytes) -> None:
    """Print since when a late document is known to have been sealed, once it is.

    Args:
        act: The arrival.
        checkpoint: The log's, that the acts are proved under.

    Raises:
        VaultCorrupt: What is shown does not show it.
        TlogError: It cannot be read.
        ValueError: Likewise.
    """
    theirs = ProofFile.from_bytes(act.earlier_proof)
    ours = ProofFile.from_bytes(act.witness_proof)
    entered = Leaf.from_bytes(theirs.extra or b"")
    witness = Leaf.from_bytes(ours.extra or b"")
    try:
        head = _proved(theirs)
        _proved(ours)
    except TlogError as error:
        raise VaultCorrupt(f"leaf {act.leaf_index}: {error}") from error
    if (
        ours.checkpoint != checkpoint
        or entered.act not in OUR_OWN
        or witness.act is not Act.WITNESS
        or entered.version != Leaf.from_bytes(act.leaf).version
        or witness.version != sha256(theirs.checkpoint).digest()
    ):
        msg = f"leaf {act.leaf_index}: what came late was not witnessed"
        raise VaultCorrupt(msg)
    at = datetime_from_us(witness.time_us).isoformat(timespec="milliseconds")
    place = f"leaf {theirs.index} of {head.head.size} in {head.origin}"
    tell("earlier", str(act.leaf_index), at, place, f"witnessed as leaf {ours.index}")


def _proved(file: ProofFile) -> Checkpoint:
    """Return the checkpoint under which a file proves its leaf.

    Raises:
        TlogError: It does not.
    """
    checkpoint = parse_checkpoint(parse_note(file.checkpoint).text)
    verify_inclusion(
        file.index, leaf_hash(file.extra or b""), checkpoint.head, file.proof
    )
    return checkpoint


def export_earlier(acts: Iterable[desk_pb2.ActRecord]) -> dict[str, bytes]:
    """Return what late documents rest on, by file names that bear the arrival's index.

    For each the deliverer's leaf under a head that the log witnessed (`earlier-`), and
    the leaf by which it did (`witness-`), both as C2SP tlog-proof files.
    """
    files = {}
    for act in acts:
        if act.earlier_proof:
            name = f"{act.leaf_index:0{INDEX_DIGITS}}.tlog-proof"
            files[f"earlier-{name}"] = act.earlier_proof
            files[f"witness-{name}"] = act.witness_proof
    return files
