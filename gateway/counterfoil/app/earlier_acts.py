"""What shows of an act that its document was sealed earlier, for whoever inquires."""

from __future__ import annotations

from typing import Final

from counterfoil.app.ports import Vault
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import VaultCorrupt
from counterfoil.domain.standing import Act
from counterfoil.domain.witnessing import EarlierProof
from counterfoil.tlog.proof_file import ProofFile

NOTHING: Final = (b"", b"")
"""Of a document that was judged as of its arrival."""


def earlier_proofs_of(
    vault: Vault, index: int, leaf: Leaf, *, checkpoint: bytes, size: int
) -> tuple[bytes, bytes]:
    """Return what an arrival rests on, as two C2SP tlog-proof files.

    Args:
        vault: Our vault.
        index: Log index of the act.
        leaf: Its leaf.
        checkpoint: Our signed checkpoint.
        size: How many leaves it covers.

    Returns:
        The deliverer's leaf under a head that we witnessed; and our leaf that says so,
        under our checkpoint. Both empty if the document came in time.

    Raises:
        VaultCorrupt: What is kept of it is damaged.
    """
    kept = vault.earlier_proof(index) if leaf.act is Act.ARRIVE else b""
    if not kept:
        return NOTHING
    try:
        proof = EarlierProof.from_bytes(kept)
    except ValueError as error:
        raise VaultCorrupt("an earlier proof is damaged", leaf=str(index)) from error
    head = vault.witnessed_at(proof.witness)
    theirs = ProofFile(
        index=proof.index, proof=proof.hashes, checkpoint=head.note, extra=proof.leaf
    )
    ours = ProofFile(
        index=head.leaf,
        proof=vault.inclusion_proof(head.leaf, size),
        checkpoint=checkpoint,
        extra=vault.leaf(head.leaf).to_bytes(),
    )
    return theirs.to_bytes(), ours.to_bytes()
