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

SM2_SM3_NAME: Final = b"counterfoil/sm2-sm3/v1"
"""Stands behind 0xff in the identifier of our type for SM2; see `sm2`."""

_VKEY_PARTS: Final = 3


class SignatureType(IntEnum):
    """The signature types used here; others are passed over in notes."""

    ED25519 = 0x01
    ED25519_COSIGNATURE = 0x04
    ML_DSA_44 = 0x06
    SM2_SM3 = 0xFF

    @property
    def public_key_bytes(self) -> int:
        """Length of the public key, in bytes."""
        return _PUBLIC_KEY_BYTES.get(self, 32)

    @property
    def identifier(self) -> bytes:
        """What says the type in front of a public key: one byte, if it is assigned.

        Source: signed-note, section "Signature types".
        """
        name = SM2_SM3_NAME if self is SignatureType.SM2_SM3 else b""
        return bytes([self]) + name


_PUBLIC_KEY_BYTES: Final = {SignatureType.ML_DSA_44: 1312, SignatureType.SM2_SM3: 65}


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
        for signature_type in SignatureType:
            if material.startswith(signature_type.identifier):
                break
        else:
            raise MalformedNote("the signature type is not used here")
        public_key = material.removeprefix(signature_type.identifier)
        key = cls(name=parts[0], signature_type=signature_type, public_key=public_key)
        if key.key_id.hex() != parts[1]:
            raise MalformedNote("the key ID does not belong to the key")
        return key

    def _material(self) -> bytes:
        """Return what the key ID covers beside the name."""
        return self.signature_type.identifier + self.public_key


def require_type(key: VerifierKey, signature_type: SignatureType) -> None:
    """Refuse a key that is configured for another use.

    Raises:
        ValueError: The key has another type.
    """
    if key.signature_type is not signature_type:
        raise ValueError("the key is of another signature type")
