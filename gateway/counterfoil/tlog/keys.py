"""Keys of notes: how they are named and written down.

Source: C2SP signed-note 1.0.0, sections "Signatures" and "Verifier keys".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Final, TypeAlias

from counterfoil.tlog.encoding import decode_base64, encode_base64
from counterfoil.tlog.errors import MalformedNote
from counterfoil.tlog.note import KEY_ID_BYTES, require_key_name

SignBytes: TypeAlias = Callable[[bytes], bytes]
"""Signs a message; the private key stays with whoever made the callable."""

_VKEY_PARTS: Final = 3


class SignatureType(IntEnum):
    """The signature types used here; others are passed over in notes."""

    ED25519 = 0x01
    ED25519_COSIGNATURE = 0x04
    ML_DSA_44 = 0x06

    @property
    def public_key_bytes(self) -> int:
        """Length of the public key, in bytes."""
        return 1312 if self is SignatureType.ML_DSA_44 else 32


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key with its name and use, as configuration states it.

    Attributes:
        name: The key's name; a log's is its origin.
        signature_type: What the key signs and how.
        public_key: Raw encoding.

    Raises:
        MalformedNote: The name or the length of the public key is wrong.
    """

    name: str
    signature_type: SignatureType
    public_key: bytes

    def __post_init__(self) -> None:
        require_key_name(self.name)
        if len(self.public_key) != self.signature_type.public_key_bytes:
            raise MalformedNote("the public key has the wrong length")

    @property
    def key_id(self) -> bytes:
        """Four bytes that, with the name, select this key on a note."""
        return sha256(self.name.encode() + b"\n" + self._material()).digest()[
            :KEY_ID_BYTES
        ]

    def to_text(self) -> str:
        """Return the key as text, the form called vkey."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(self._material())}"

    @classmethod
    def from_text(cls, text: str) -> VerifierKey:
        """Parse a vkey.

        Raises:
            MalformedNote: It is not one, its type is not used here, or its key ID
                is not computed as the specification recommends.
        """
        # The name has no plus sign, but base64 may.
        parts = text.split("+", _VKEY_PARTS - 1)
        if len(parts) != _VKEY_PARTS:
            raise MalformedNote("not a verifier key")
        material = decode_base64(parts[2])
        try:
            signature_type = SignatureType(material[0] if material else 0)
        except ValueError as error:
            raise MalformedNote("the signature type is not used here") from error
        key = cls(name=parts[0], signature_type=signature_type, public_key=material[1:])
        if key.key_id.hex() != parts[1]:
            raise MalformedNote("the key ID does not belong to the key")
        return key

    def _material(self) -> bytes:
        """Return what the key ID covers beside the name."""
        return bytes([self.signature_type]) + self.public_key


def require_type(key: VerifierKey, signature_type: SignatureType) -> None:
    """Refuse a key that is configured for another use.

    Raises:
        ValueError: The key has another type.
    """
    if key.signature_type is not signature_type:
        raise ValueError("the key is of another signature type")
