"""What all signature lines on notes have in common: a key of the line's own type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from counterfoil.tlog.keys import SignatureType, SignBytes, VerifierKey, require_type
from counterfoil.tlog.note import NoteSignature


@dataclass(frozen=True, slots=True)
class LineVerifier:
    """Verifies lines of one type.

    Attributes:
        signature_type: The type.
        key: A key of that type.
    """

    signature_type: ClassVar[SignatureType]
    key: VerifierKey

    def __post_init__(self) -> None:
        require_type(self.key, self.signature_type)

    @property
    def name(self) -> str:
        """The key's name: a log's origin, or a cosigner's."""
        return self.key.name

    @property
    def key_id(self) -> bytes:
        """Four bytes that, with the name, select this key."""
        return self.key.key_id


@dataclass(frozen=True, slots=True)
class LineSigner:
    """Signs lines of one type.

    Attributes:
        signature_type: The type.
        key: The public half.
        sign_bytes: The private half.
    """

    signature_type: ClassVar[SignatureType]
    key: VerifierKey
    sign_bytes: SignBytes

    def __post_init__(self) -> None:
        require_type(self.key, self.signature_type)

    def line(self, value: bytes) -> NoteSignature:
        """Return a line of this key."""
        return NoteSignature(name=self.key.name, key_id=self.key.key_id, value=value)
