"""Plain Ed25519 lines on notes: a log's own, type 0x01.

Source: C2SP signed-note 1.0.0, section "Ed25519 signatures".
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from counterfoil.tlog.errors import NoteSignatureInvalid
from counterfoil.tlog.keys import SignatureType, SignBytes, VerifierKey, require_type
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
class Ed25519Verifier:
    """Verifies plain Ed25519 lines: a log's own, type 0x01.

    Attributes:
        key: A key of that type.
    """

    key: VerifierKey

    def __post_init__(self) -> None:
        require_type(self.key, SignatureType.ED25519)

    @property
    def name(self) -> str:
        """The key's name."""
        return self.key.name

    @property
    def key_id(self) -> bytes:
        """Four bytes that, with the name, select this key."""
        return self.key.key_id

    def verify(self, text: bytes, signature: bytes) -> None:
        """Return if the key signed `text`.

        Raises:
            NoteSignatureInvalid: It did not.
        """
        verify_ed25519(self.key.public_key, signature, text)


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """Signs notes with plain Ed25519, type 0x01.

    Attributes:
        key: The public half.
        sign_bytes: The private half.
    """

    key: VerifierKey
    sign_bytes: SignBytes

    def __post_init__(self) -> None:
        require_type(self.key, SignatureType.ED25519)

    def sign(self, text: bytes, time_s: int) -> NoteSignature:
        """Sign `text`; this type states no time."""
        del time_s
        return NoteSignature(
            name=self.key.name, key_id=self.key.key_id, value=self.sign_bytes(text)
        )
