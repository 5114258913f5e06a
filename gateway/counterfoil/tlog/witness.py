"""The witness's decision: is a log's new checkpoint a growth of what we cosigned?

Pure. The caller compares and stores in one transaction, and cosigns after it:

1. `unverified_origin` says which log; an unknown one is refused with no more said.
2. Inside a transaction that nothing else can interleave, read the head last
   cosigned, call `accept_checkpoint`, store the head it returns.
3. Commit, durably; then cosign and answer.

Otherwise two submissions could pass the same head, and the later write roll the
earlier one back.

Source: C2SP tlog-witness 1.0.0, section "add-checkpoint".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from counterfoil.tlog.checkpoint import OpenedCheckpoint, open_checkpoint
from counterfoil.tlog.errors import HeadConflict, OldSizeInvalid, ProofError
from counterfoil.tlog.merkle import HashFunction, TreeHead, empty_root
from counterfoil.tlog.note import NoteVerifier
from counterfoil.tlog.verification import verify_consistency

PROOF_HASHES_MAX: Final = 63
"""Most hashes a consistency proof may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessedLog:
    """What a witness keeps of a log, in constant space.

    Attributes:
        origin: The log.
        keys: The log's keys; each must have signed every checkpoint.
        head: The head last cosigned; `empty_head` at first.
        hash_function: The log's hash function.
    """

    origin: str
    keys: tuple[NoteVerifier, ...]
    head: TreeHead
    hash_function: HashFunction = sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A log's request to cosign.

    Attributes:
        old_size: The size that the proof starts from, in leaves.
        proof: The consistency proof, at most PROOF_HASHES_MAX hashes.
        checkpoint: The signed checkpoint, as received.
    """

    old_size: int
    proof: Sequence[bytes]
    checkpoint: bytes


def accept_checkpoint(log: WitnessedLog, submission: Submission) -> OpenedCheckpoint:
    """Return the checkpoint if it may be cosigned; its head is the one to store.

    The checks, in order:

    1. The log's keys signed the checkpoint, and it is of this log.
    2. The old size is not beyond the checkpoint's.
    3. The old size is the size last cosigned.
    4. A checkpoint of size zero has the empty tree's root.
    5. The proof leads from the head last cosigned to the checkpoint's.

    Raises:
        MalformedNote: The submission is not a checkpoint; status 400.
        OriginUnknown: The checkpoint is another log's; status 404.
        NoteSignatureInvalid: A line of the log's key does not verify; status 403.
        NoteUnsigned: A key of the log has not signed; status 403.
        OldSizeInvalid: The old size is out of range; status 400.
        HeadConflict: Another size was cosigned last; status 409, with that size.
        HeadFork: Another root was cosigned for this size; status 422. The
            checkpoint is evidence against the log: keep it.
        ProofError: The proof does not verify; status 422.
    """
    # (1) Before anything else: nobody else's checkpoint teaches the asker our state.
    opened = open_checkpoint(
        submission.checkpoint, origin=log.origin, required=log.keys
    )
    head = opened.checkpoint.head
    # (2) A request that no log in order would make.
    if not 0 <= submission.old_size <= head.size:
        raise OldSizeInvalid("the old size is out of range")
    # (3) Also when the proof would be right: it is not a proof from our head.
    if submission.old_size != log.head.size:
        raise HeadConflict(log.head.size)
    # (4) `verify_consistency` would find this too if our own record is sound.
    if head.size == 0 and head.root != empty_root(log.hash_function):
        raise ProofError("the root is not that of an empty tree")
    # (5) Also from the empty tree and for the same size: then without hashes.
    if len(submission.proof) > PROOF_HASHES_MAX:
        raise ProofError("the proof has more hashes than any log sends")
    verify_consistency(log.head, head, submission.proof, log.hash_function)
    return opened
