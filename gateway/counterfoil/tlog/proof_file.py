"""Proof files: that a leaf is in a log, checkable by anyone who has the keys.

The form of the answer that a voucher was received (`.tlog-proof`).

Source: C2SP tlog-proof, draft of 22 July 2026 (commit 5ba5ee8), version line 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from counterfoil.tlog.checkpoint import OpenedCheckpoint, open_checkpoint
from counterfoil.tlog.encoding import (
    decode_base64,
    decode_count,
    decode_hash,
    encode_base64,
)
from counterfoil.tlog.errors import MalformedNote
from counterfoil.tlog.merkle import HASH_BYTES, SIZE_MAX, HashFunction
from counterfoil.tlog.note import NOTE_BYTES_MAX, NoteVerifier
from counterfoil.tlog.verification import verify_inclusion

PROOF_HASHES_MAX: Final = 63
"""Hashes of the longest inclusion proof: that of a tree of SIZE_MAX leaves."""

EXTRA_BYTES_MAX: Final = 64 * 1024
"""Longest extra data accepted."""

_HEADER: Final = "c2sp.org/tlog-proof@v1"
_HEAD_BYTES_MAX: Final = 2 * EXTRA_BYTES_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofFile:
    """An inclusion proof with the checkpoint it leads to; unverified by itself.

    Attributes:
        index: The leaf's index.
        proof: The siblings on the way up, the leaf's own sibling first.
        checkpoint: The signed checkpoint, verbatim.
        extra: What an application adds; nothing authenticates it.
    """

    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def to_bytes(self) -> bytes:
        """Return the file's content.

        Raises:
            ValueError: A value is out of range, so that no parser would take it.
        """
        if not 0 <= self.index <= SIZE_MAX or len(self.proof) > PROOF_HASHES_MAX:
            raise ValueError("the index or the proof is out of range")
        if any(len(value) != HASH_BYTES for value in self.proof):
            raise ValueError("a value is not a hash")
        if self.extra is not None and len(self.extra) > EXTRA_BYTES_MAX:
            raise ValueError("the extra data is too long")
        lines = [_HEADER]
        if self.extra is not None:
            lines.append(f"extra {encode_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [encode_base64(value) for value in self.proof]
        head = "".join(f"{line}\n" for line in lines)
        return head.encode() + b"\n" + self.checkpoint

    @classmethod
    def from_bytes(cls, content: bytes) -> ProofFile:
        """Parse a file's content; the checkpoint is not looked into.

        Raises:
            MalformedNote: It is not a proof file, or a part exceeds its limit.
        """
        # Before the first empty line is the proof, after it the checkpoint.
        head, separator, checkpoint = content.partition(b"\n\n")
        if not separator or not checkpoint:
            raise MalformedNote("the proof has no checkpoint")
        if len(head) > _HEAD_BYTES_MAX:
            raise MalformedNote("the part before the checkpoint is too long")
        if len(checkpoint) > NOTE_BYTES_MAX:
            raise MalformedNote("the checkpoint is too long")
        try:
            lines = iter(head.decode("ascii").split("\n"))
        except UnicodeDecodeError as error:
            raise MalformedNote("the proof is not ASCII") from error
        if next(lines) != _HEADER:
            raise MalformedNote("not a proof of a known version")
        line, extra = next(lines, ""), None
        if line.startswith("extra "):
            extra = decode_base64(line.removeprefix("extra "))
            line = next(lines, "")
        if not line.startswith("index "):
            raise MalformedNote("the proof has no index")
        index = decode_count(line.removeprefix("index "))
        proof = tuple(decode_hash(line) for line in lines)
        if len(proof) > PROOF_HASHES_MAX or len(extra or b"") > EXTRA_BYTES_MAX:
            raise MalformedNote("the proof is too long")
        return cls(index=index, proof=proof, checkpoint=checkpoint, extra=extra)

    def verify(
        self,
        leaf: bytes,
        *,
        origin: str,
        required: Sequence[NoteVerifier],
        known: Iterable[NoteVerifier] = (),
        hash_function: HashFunction = sha256,
    ) -> OpenedCheckpoint:
        """Check that the log vouches for `leaf`, a leaf hash the caller computed.

        The checks, in order:

        1. The required keys signed a checkpoint of the log; see `open_checkpoint`.
        2. The leaf stands at the index under the checkpoint's root.

        How many cosigners are enough is for the caller to judge from the answer.

        Raises:
            MalformedNote: The checkpoint is not one.
            NoteSignatureInvalid: A line of a required or known key does not verify.
            NoteUnsigned: A required key has not signed.
            OriginUnknown: The checkpoint is another log's.
            ProofError: The leaf is not where the file says.
        """
        # (1) Signatures first: only then is there a root to compare with.
        opened = open_checkpoint(
            self.checkpoint, origin=origin, required=required, known=known
        )
        # (2) The index is part of the claim, not a hint.
        head = opened.checkpoint.head
        verify_inclusion(self.index, leaf, head, self.proof, hash_function)
        return opened
