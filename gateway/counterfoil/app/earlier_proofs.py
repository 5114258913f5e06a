"""Whether a leaf of a log shows that a document was sealed by then.

Shown by whoever delivers the document; asked when it arrives, and again by whoever
reads the vault later.
"""

from __future__ import annotations

from counterfoil.app.ports import LaneItem
from counterfoil.app.proved_log import ProvedLog
from counterfoil.domain.earlier_refusals import EarlierProofRefused
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import LeafNotFound
from counterfoil.domain.standing import OUR_OWN
from counterfoil.domain.violation import Violation
from counterfoil.domain.witnessing import EarlierProof, ShownProof, WitnessedHead
from counterfoil.tlog.errors import TlogError
from counterfoil.tlog.merkle import TreeHead, leaf_hash
from counterfoil.tlog.verification import verify_inclusion


def require_earlier(
    proof: EarlierProof, head: WitnessedHead, version: bytes, *, path: str
) -> Leaf:
    """Check that a document with its seals stood in a peer's log by a witnessed head.

    The checks, in order:

    1. What is shown is a leaf of a log.
    2. By it a document entered; other leaves name what their log's keeper pleased.
    3. It is this very document: the leaf holds the digest of its bytes, seals and all.
    4. It is no younger than the head: its place is below it.
    5. The hashes lead from the leaf to the head's root.

    Args:
        proof: What is shown.
        head: The head that our log witnessed.
        version: SHA-256 of the document with its seals.
        path: Of the proof, for whoever sent it.

    Returns:
        The leaf.

    Raises:
        EarlierProofRefused: A check failed; `facts["check"]` is its number.
    """
    # (1) Nothing else of it is looked at before.
    try:
        leaf = Leaf.from_bytes(proof.leaf)
    except ValueError as error:
        raise _not_shown(1, f"{path}.leaf", "it is no leaf", "不是日志记录") from error
    # (2) A `DELIVER` holds digests too, of whatever a third party said.
    if leaf.act not in OUR_OWN:
        raise _not_shown(
            2, f"{path}.leaf", "nothing entered by that leaf", "该记录不是入库记录"
        )
    # (3) The payload alone would leave open who sealed it when.
    if leaf.version != version:
        raise _not_shown(
            3, f"{path}.leaf", "the leaf is of another document", "该记录属于其他凭证"
        )
    # (4) The issuer says so itself where its log was shorter then.
    if proof.index >= head.size:
        raise _not_shown(
            4,
            f"{path}.leaf_index",
            "it entered after the head that was witnessed",
            "入库晚于所见证的树头",
        )
    # (5) Last: the rest is said without hashing.
    try:
        tree = TreeHead(head.size, head.root)
        verify_inclusion(proof.index, leaf_hash(proof.leaf), tree, proof.hashes)
    except TlogError as error:
        raise _not_shown(
            5,
            f"{path}.hashes",
            "the hashes do not lead to the head that was witnessed",
            "哈希路径不通向所见证的树头",
        ) from error
    return leaf


def _not_shown(check: int, path: str, text: str, text_zh: str) -> EarlierProofRefused:
    violation = Violation(path=path, rule="earlier.proof", text=text, text_zh=text_zh)
    return EarlierProofRefused(
        f"what is shown does not prove it: {text}", [violation], check=str(check)
    )


def shown_earlier(
    log: ProvedLog, item: LaneItem, *, size: int, document: int, place: int
) -> ShownProof:
    """Return what shows that a document of ours had entered when our log had a size.

    Args:
        log: Our log.
        item: The document.
        size: The size that the peer asks for.
        document: Which document of its batch it is, from 0.
        place: Which proof of the batch this is, from 0.

    Returns:
        Without hashes if it entered later, or our log never had that size: the peer
        refuses it, and then it is issued again.
    """
    try:
        hashes = log.inclusion_proof(item.index, size)
    except LeafNotFound:
        hashes = ()
    return ShownProof(
        place=place,
        document=document,
        size=size,
        index=item.index,
        leaf=item.leaf.to_bytes(),
        hashes=hashes,
    )
