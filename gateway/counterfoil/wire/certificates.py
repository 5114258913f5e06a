"""Which certificates a seal or a document needs, and where they are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from google.protobuf.message import DecodeError

from counterfoil.sealed.v1 import sealed_pb2

_SEEN_MAX: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCertificates:
    """Finds certificates by the digests that seals name.

    Attributes:
        find: Returns a kept certificate (DER) by its digest, or None.
        authorities: Returns the authorities between signers and roots, in DER, as
            they are at that moment.
        lists: Returns the revocation lists in DER, likewise.
    """

    find: Callable[[bytes], bytes | None]
    authorities: Callable[[], Sequence[bytes]] = field(default=tuple, repr=False)
    lists: Callable[[], Sequence[bytes]] = field(default=tuple, repr=False)
    _seen: dict[bytes, bytes] = field(default_factory=dict, repr=False)

    def of_seals(self, seals: Iterable[bytes]) -> list[bytes]:
        """Return the known certificates that encoded seals name, each once."""
        parsed = (sealed_pb2.Seal.FromString(seal) for seal in seals)
        return self._found(seal.statement for seal in parsed)

    def of_document(self, sealed: bytes) -> list[bytes]:
        """Return the certificates of a sealed document and their authorities."""
        return [*self.signers(sealed), *self.authorities()]

    def revocation_lists(self) -> list[bytes]:
        """Return the revocation lists of those authorities, as they are now."""
        return list(self.lists())

    def signers(self, sealed: bytes) -> list[bytes]:
        """Return the known certificates that a document's seals name, each once.

        Those on its enclosures count too: who judges the one judges the others.
        """
        try:
            message = sealed_pb2.Sealed.FromString(sealed)
            enclosed = [sealed_pb2.Sealed.FromString(one) for one in message.enclosures]
        except DecodeError:
            return []
        # Enclosures stand side by side, never inside each other.
        return self._found(
            seal.statement for one in (message, *enclosed) for seal in one.seals
        )

    def _found(self, statements: Iterable[bytes]) -> list[bytes]:
        digests = dict.fromkeys(
            sealed_pb2.SealStatement.FromString(statement).certificate_digest
            for statement in statements
        )
        found = (self._find(digest) for digest in digests)
        return [certificate for certificate in found if certificate is not None]

    def _find(self, digest: bytes) -> bytes | None:
        """Return a certificate; one that was found once is not looked for again."""
        certificate = self._seen.get(digest)
        if certificate is None and (certificate := self.find(digest)) is not None:
            if len(self._seen) >= _SEEN_MAX:
                self._seen.clear()
            self._seen[digest] = certificate
        return certificate
