"""Ed25519 cosignatures: what a peer that saw a log only grow adds to its checkpoint.

The form to prefer, and the one that a log may sign its own checkpoints with, is in
`ml_dsa`.

Source: C2SP tlog-cosignature 1.0.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.tlog.checkpoint import parse_checkpoint
from counterfoil.tlog.ed25519 import verify_ed25519
from counterfoil.tlog.keys import SignatureType
from counterfoil.tlog.lines import LineSigner, LineVerifier
from counterfoil.tlog.note import NoteSignature
from counterfoil.tlog.timestamp import require_time, split_time, timed


def ed25519_message(text: bytes, time_s: int) -> bytes:
    """Return the bytes that an Ed25519 cosignature covers.

    Source: tlog-cosignature, section "Ed25519 signed message".
    """
    return b"cosignature/v1\ntime %d\n%b" % (time_s, text)


@dataclass(frozen=True, slots=True)
class Ed25519CosignatureVerifier(LineVerifier):
    """Verifies cosignatures of type 0x04.

    They do not commit to the cosigner's name: one key, one cosigner.
    """

    signature_type = SignatureType.ED25519_COSIGNATURE

    def verify(self, text: bytes, signature: bytes) -> None:
        """Return if the cosigner signed the checkpoint `text`.

        Raises:
            NoteSignatureInvalid: It did not.
            MalformedNote: `text` is not a checkpoint, or the time is out of range.
        """
        parse_checkpoint(text)
        time_s, value = split_time(signature)
        verify_ed25519(self.key.public_key, value, ed25519_message(text, time_s))


@dataclass(frozen=True, slots=True)
class Ed25519Cosigner(LineSigner):
    """Cosigns checkpoints with type 0x04, and its key signs nothing else."""

    signature_type = SignatureType.ED25519_COSIGNATURE

    def sign(self, text: bytes, time_s: int) -> NoteSignature:
        """Cosign the checkpoint `text` at `time_s`, in POSIX seconds.

        Raises:
            MalformedNote: `text` is not a checkpoint, or the time is out of range.
        """
        parse_checkpoint(text)
        require_time(time_s)
        return timed(self.key, time_s, self.sign_bytes(ed25519_message(text, time_s)))
