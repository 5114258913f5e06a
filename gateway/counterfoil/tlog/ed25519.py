"""Plain Ed25519 lines on notes: a log's own, type 0x01.

Source: C2SP signed-note 1.0.0, section "Ed25519 signatures".
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from counterfoil.tlog.errors import NoteSignatureInvalid
from counterfoil.tlog.keys import SignatureType
from counterfoil.tlog.lines import LineSigner, LineVerifier
from counterfoil.tlog.note import NoteSignature


def verify_ed25519(public_key: bytes, signature: bytes, message: bytes) -> None:
    """Check an Ed25519 signature.

    Raises:
        NoteSignatureInvalid: The key did not sign the message.

    Source: RFC 8032, section 5.1.7.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature as error:
        raise NoteSignatureInvalid("an Ed25519 signature does not verify") from error


@dataclass(frozen=True, slots=True)
class Ed25519Verifier(LineVerifier):
    """Verifies plain Ed25519 lines: a log's own, type 0x01."""

    signature_type = SignatureType.ED25519

    def verify(self, text: bytes, signature: bytes) -> None:
        """Return if the key signed `text`.

        Raises:
            NoteSignatureInvalid: It did not.
        """
        verify_ed25519(self.key.public_key, signature, text)


@dataclass(frozen=True, slots=True)
class Ed25519Signer(LineSigner):
    """Signs notes with plain Ed25519, type 0x01."""

    signature_type = SignatureType.ED25519

    def sign(self, text: bytes, time_s: int) -> NoteSignature:
        """Sign `text`; this type states no time."""
        del time_s
        return self.line(self.sign_bytes(text))
