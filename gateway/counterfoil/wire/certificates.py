"""Which certificates a seal or a document needs, and where they are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from google.protobuf.message import DecodeError

from counterfoil.domain.draft_seals import Signers
from counterfoil.domain.party import Identity
from counterfoil.seal.certificates import (
    CertificateRefused,
    identity_of,
    load_certificate,
)
from counterfoil.sealed.v1 import sealed_pb2

_SEEN_MAX: Final = 4096


SHOWN_MAX: Final = 192
"""Certificates of one stream that are remembered. A lane shows them again before
it has shown so many others; with a seal's check the most is 256."""


class ShownCertificates:
    """The certificates that a stream of batches showed: each comes only once.

    The same holds of answers about their revocation.

    A worker's own memory would not do: it ends with every new revocation list, there
    are several workers, and a document may be sent again much later.
    """

    def __init__(self) -> None:
        self._shown: dict[bytes, None] = {}

    def add(self, certificates: Iterable[bytes]) -> list[bytes]:
        """Remember those of a batch; return all that it may be judged with."""
        for one in certificates:
            # What is shown again is the newest again, as the sender counts.
            self._shown.pop(one, None)
            self._shown[one] = None
        while len(self._shown) > SHOWN_MAX:
            self._shown.pop(next(iter(self._shown)))
        return list(self._shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCertificates:
    """Finds certificates by the digests that seals name.

    Attributes:
        find: Returns a kept certificate (DER) by its digest, or None.
        authorities: Returns the authorities between signers and roots, in DER, as
            they are at that moment.
        lists: Returns the revocation lists in DER, likewise.
        answers: Returns what responders answered about certificates, in DER.
        listed: Returns for whom the directory lists a certificate, by its digest.
    """

    find: Callable[[bytes], bytes | None]
    authorities: Callable[[], Sequence[bytes]] = field(default=tuple, repr=False)
    lists: Callable[[], Sequence[bytes]] = field(default=tuple, repr=False)
    answers: Callable[[Iterable[bytes]], list[bytes]] = field(
        default=lambda _: [], repr=False
    )
    listed: Callable[[bytes], Identity | None] = field(
        default=lambda _: None, repr=False
    )
    _seen: dict[bytes, bytes] = field(default_factory=dict, repr=False)
    _names: dict[bytes, str] = field(default_factory=dict, repr=False)

    def of_seals(self, seals: Iterable[bytes]) -> list[bytes]:
        """Return the known certificates that encoded seals name, each once."""
        parsed = (sealed_pb2.Seal.FromString(seal) for seal in seals)
        return self._found(_signer(seal) for seal in parsed)

    def sealings(self, seals: Iterable[bytes]) -> tuple[tuple[str, str], ...]:
        """Return position and signer's identity URN of each encoded seal.

        The URN of a signer whose certificate is not known, or nobody's, is empty.
        """
        return self.whose(seals).sealings

    def whose(self, seals: Iterable[bytes]) -> Signers:
        """Return whose encoded seals are; see `sealings` of what is not known."""
        statements = [_statement(seal) for seal in seals]
        digests = tuple(one.certificate_digest for one in statements)
        urns = [self._signer(digest) for digest in digests]
        return Signers(
            sealings=tuple(
                (one.position, urn) for one, urn in zip(statements, urns, strict=True)
            ),
            certificates=digests,
            listed=tuple(
                (digest, urn)
                for digest, urn in zip(digests, urns, strict=True)
                # One that is nobody's was taken out, and is asked for in vain.
                if not urn or self.listed(digest) is not None
            ),
        )

    def of_document(self, sealed: bytes) -> list[bytes]:
        """Return the certificates of a sealed document and their authorities."""
        return [*self.signers(sealed), *self.authorities()]

    def of_batch(self, documents: Iterable[bytes]) -> list[bytes]:
        """Return the certificates of several sealed documents, each once.

        The authorities come first: none of the documents can do without them.
        """
        named = dict.fromkeys(chain.from_iterable(map(named_signers, documents)))
        return list(dict.fromkeys((*self.authorities(), *self._found(named))))

    def revocation_lists(self) -> list[bytes]:
        """Return the revocation lists of those authorities, as they are now."""
        return list(self.lists())

    def revocation_answers(self, documents: Iterable[bytes]) -> list[bytes]:
        """Return what responders answered about the certificates of documents."""
        return self.answers(self.of_batch(documents))

    def signers(self, sealed: bytes) -> list[bytes]:
        """Return the known certificates that a document's seals name, each once.

        Those on its enclosures count too: who judges the one judges the others.
        """
        return self._found(named_signers(sealed))

    def _found(self, digests: Iterable[bytes]) -> list[bytes]:
        found = map(self._find, dict.fromkeys(digests))
        return [certificate for certificate in found if certificate is not None]

    def _signer(self, digest: bytes) -> str:
        """Return whose a certificate is, as URN; empty if that is not known."""
        if (listed := self.listed(digest)) is not None:
            return listed.to_urn()
        if digest not in self._names:
            certificate = self._find(digest)
            if certificate is None:
                return ""
            if len(self._names) >= _SEEN_MAX:
                self._names.clear()
            try:
                identity = identity_of(load_certificate(certificate))
            except CertificateRefused:
                # It bore no name, and was taken out of the directory since.
                return ""
            self._names[digest] = identity.to_urn()
        return self._names[digest]

    def _find(self, digest: bytes) -> bytes | None:
        """Return a certificate; one that was found once is not looked for again."""
        certificate = self._seen.get(digest)
        if certificate is None and (certificate := self.find(digest)) is not None:
            if len(self._seen) >= _SEEN_MAX:
                self._seen.clear()
            self._seen[digest] = certificate
        return certificate


def _statement(seal: bytes) -> sealed_pb2.SealStatement:
    encoded = sealed_pb2.Seal.FromString(seal).statement
    return sealed_pb2.SealStatement.FromString(encoded)


def named_signers(sealed: bytes) -> list[bytes]:
    """Return the digests of the certificates that a sealed document's seals name.

    None if it is no such document, which whoever judges it finds out.
    """
    try:
        message = sealed_pb2.Sealed.FromString(sealed)
        # Enclosures stand side by side, never inside each other.
        enclosed = [sealed_pb2.Sealed.FromString(one) for one in message.enclosures]
        return [_signer(seal) for one in (message, *enclosed) for seal in one.seals]
    except DecodeError:
        return []


def _signer(seal: sealed_pb2.Seal) -> bytes:
    return sealed_pb2.SealStatement.FromString(seal.statement).certificate_digest
