"""A peer's leaf of arrival, and the proof of one out of many."""

from __future__ import annotations

from dataclasses import replace

from counterfoil.domain.evidence import Evidence
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.standing import Act
from counterfoil.tlog.checkpoint import parse_checkpoint
from counterfoil.tlog.merkle import leaf_hash
from counterfoil.tlog.note import parse_note
from counterfoil.tlog.proof_file import ProofFile
from counterfoil.tlog.verification import verify_range


def arrival_leaf(entered: Leaf, arrival_time_us: int) -> Leaf:
    """Return the leaf under which a peer's log must hold a document of ours.

    Args:
        entered: The leaf under which it entered our vault.
        arrival_time_us: When it arrived, as the peer states it.
    """
    return replace(entered, act=Act.ARRIVE, time_us=arrival_time_us, recipients="")


def arrival_hash(entered: Leaf, arrival_time_us: int) -> bytes:
    """Return the hash of `arrival_leaf`; a lane needs one for every document."""
    return leaf_hash(entered.bytes_as(Act.ARRIVE, arrival_time_us, ""))


def single_proof(evidence: Evidence, leaf: Leaf) -> bytes:
    """Return the proof of one leaf of a proved range as a C2SP tlog-proof file.

    The leaf is its extra data: whoever reads the file can hash what it proves.

    Args:
        evidence: The peer's proof of the whole range.
        leaf: The leaf.

    Raises:
        ValueError: The leaf is not in the range, or the proof does not hold.
    """
    text = parse_note(evidence.checkpoint).text
    head = parse_checkpoint(text).head
    proved = verify_range(
        evidence.first_leaf, evidence.leaf_hashes, head, evidence.range_proof
    )
    encoded = leaf.to_bytes()
    place = evidence.leaf_hashes.index(leaf_hash(encoded))
    index = evidence.first_leaf + place
    return ProofFile(
        index=index,
        proof=proved.inclusion_proof(index),
        checkpoint=evidence.checkpoint,
        extra=encoded,
    ).to_bytes()
