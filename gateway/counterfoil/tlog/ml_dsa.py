"""ML-DSA-44 lines: a log's own beside Ed25519, and cosigners'.

On a log's own line the key's name is the origin.

Source: C2SP tlog-cosignature 1.0.1, section "ML-DSA-44 signed message".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from counterfoil.tlog.checkpoint import Checkpoint, parse_checkpoint
from counterfoil.tlog.errors import MalformedNote, NoteSignatureInvalid
from counterfoil.tlog.keys import SignatureType
from counterfoil.tlog.lines import LineSigner, LineVerifier
from counterfoil.tlog.merkle import HASH_BYTES, SIZE_MAX
from counterfoil.tlog.note import NoteSignature
from counterfoil.tlog.timestamp import require_time, split_time, timed

_LABEL: Final = b"subtree/v1\n\x00"
_NAME_BYTES_MAX: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtree:
    """A part of a log that an ML-DSA-44 key can vouch for.

    Attributes:
        origin: The log; 1 to 255 bytes in UTF-8.
        start: Index of the first leaf; 0 for a checkpoint.
        end: Index after the last leaf; the size for a checkpoint.
        root: Hash of the subtree.
    """

    origin: str
    start: int
    end: int
    root: bytes

    @classmethod
    def of_checkpoint(cls, checkpoint: Checkpoint) -> Subtree:
        """Return the whole tree of a checkpoint; extension lines are not in it."""
        head = checkpoint.head
        return cls(origin=checkpoint.origin, start=0, end=head.size, root=head.root)


def ml_dsa_44_message(cosigner_name: str, time_s: int, subtree: Subtree) -> bytes:
    """Return the bytes that an ML-DSA-44 cosignature covers.

    Args:
        cosigner_name: 1 to 255 bytes in UTF-8.
        time_s: POSIX seconds; 0 if nothing is said of the largest tree seen, as it
            must be when `subtree` does not start at 0.
        subtree: What is vouched for.

    Raises:
        MalformedNote: A name is too long, or a value is out of range.

    Source: tlog-cosignature, section "ML-DSA-44 signed message".
    """
    name, origin = cosigner_name.encode(), subtree.origin.encode()
    if not (0 < len(name) <= _NAME_BYTES_MAX and 0 < len(origin) <= _NAME_BYTES_MAX):
        raise MalformedNote("a name is empty or too long to be cosigned")
    if not 0 <= subtree.start <= subtree.end <= SIZE_MAX:
        raise MalformedNote("the subtree is out of range")
    if len(subtree.root) != HASH_BYTES:
        raise MalformedNote("the subtree's root is not a hash")
    require_time(time_s)
    if subtree.start and time_s:
        raise MalformedNote("a subtree that does not start at 0 has no time")
    return b"".join(
        (
            _LABEL,
            bytes([len(name)]) + name,
            time_s.to_bytes(8, "big"),
            bytes([len(origin)]) + origin,
            subtree.start.to_bytes(8, "big"),
            subtree.end.to_bytes(8, "big"),
            subtree.root,
        )
    )


@dataclass(frozen=True, slots=True)
class MlDsa44Verifier(LineVerifier):
    """Verifies ML-DSA-44 lines, type 0x06: a log's own and cosigners'."""

    signature_type = SignatureType.ML_DSA_44

    def verify(self, text: bytes, signature: bytes) -> None:
        """Return if the key signed the checkpoint `text`, extension lines aside.

        Raises:
            NoteSignatureInvalid: It did not.
            MalformedNote: `text` is not a checkpoint, or a value is out of range.
        """
        self.verify_subtree(Subtree.of_checkpoint(parse_checkpoint(text)), signature)

    def verify_subtree(self, subtree: Subtree, signature: bytes) -> None:
        """Return if the key vouches for `subtree`.

        Raises:
            NoteSignatureInvalid: It does not.
            MalformedNote: A value is out of range.

        Source: FIPS 204, algorithm 3, with an empty context.
        """
        time_s, value = split_time(signature)
        message = ml_dsa_44_message(self.key.name, time_s, subtree)
        public_key = MLDSA44PublicKey.from_public_bytes(self.key.public_key)
        try:
            public_key.verify(value, message)
        except InvalidSignature as error:
            raise NoteSignatureInvalid(
                "an ML-DSA-44 signature does not verify"
            ) from error


@dataclass(frozen=True, slots=True)
class MlDsa44Signer(LineSigner):
    """Signs a log's own checkpoints, or others', with type 0x06, the context empty."""

    signature_type = SignatureType.ML_DSA_44

    def sign(self, text: bytes, time_s: int) -> NoteSignature:
        """Sign the checkpoint `text` at `time_s`, in POSIX seconds.

        Raises:
            MalformedNote: `text` is not a checkpoint, or a value is out of range.
        """
        subtree = Subtree.of_checkpoint(parse_checkpoint(text))
        return self.sign_subtree(subtree, time_s)

    def sign_subtree(self, subtree: Subtree, time_s: int = 0) -> NoteSignature:
        """Vouch for `subtree`; see `ml_dsa_44_message` for the time.

        Raises:
            MalformedNote: A value is out of range.
        """
        message = ml_dsa_44_message(self.key.name, time_s, subtree)
        return timed(self.key, time_s, self.sign_bytes(message))
