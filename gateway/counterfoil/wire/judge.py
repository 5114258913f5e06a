"""Documents that are kept already: judged again, and taken apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.document import Document
from counterfoil.domain.drafts import Unsealed
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.party import Identity
from counterfoil.domain.refusals import (
    CounterfoilError,
    SealUndetermined,
)
from counterfoil.seal.trust import TrustStore
from counterfoil.wire.certificates import KeptCertificates
from counterfoil.wire.claimed_names import claimed_names
from counterfoil.wire.sealed import open_sealed
from counterfoil.wire.seals import (
    seal_to_bytes,
)
from counterfoil.wire.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class SealJudge:
    """Judges stored documents again, as of the time that the log gives them.

    Attributes:
        trust: Judges certificates.
        find: Returns a kept certificate (DER) by its digest, or None.
    """

    trust: TrustStore
    find: Callable[[bytes], bytes | None]

    def __call__(
        self, sealed: bytes, leaf: Leaf, names: Mapping[bytes, Identity]
    ) -> Document | None:
        """Return what a stored document states; None if nobody can tell now.

        Args:
            sealed: The document.
            leaf: Its leaf, which says when it came.
            names: For whom the directory listed certificates then, by their digests.

        Raises:
            CounterfoilError: Its seals do not hold, or it is not what it says.
        """
        if leaf.kind is DocumentKind.REGISTRATION:
            # What opens a register names those who open it.
            names = {**claimed_names([sealed], founding_only=True), **names}
        self.trust.relist(names)
        shop = Workshop(trust=self.trust, sealers={})
        certificates = KeptCertificates(find=self.find).signers(sealed)
        (document,) = shop.examine([sealed], certificates, leaf.time_us)
        if isinstance(document, SealUndetermined):
            return None
        if isinstance(document, CounterfoilError):
            raise document
        return document


def take_apart(sealed: bytes) -> Unsealed:
    """Take a sealed voucher of our own apart into payload and encoded seals."""
    opened = open_sealed(sealed)
    return Unsealed(
        payload=opened.payload,
        seals=tuple(seal_to_bytes(seal) for seal in opened.seals),
    )
