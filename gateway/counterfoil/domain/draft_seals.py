"""Seals on drafts: what stands there, what comes on top, and whose they are."""

from __future__ import annotations

from typing import Final, NamedTuple


class DraftSeals(NamedTuple):
    """What stands on a draft, without what the draft says.

    A review needs no more, and a payload may have a megabyte. A named tuple, because
    one goes to a worker for each review: it is pickled in a tenth of the time.

    Attributes:
        party: Whose desk the draft is on.
        digest: Digest of the payload.
        type_code: Its voucher type.
        seals: Encoded seals, lowest first.
    """

    party: str
    digest: bytes
    type_code: int
    seals: tuple[bytes, ...]


class ReviewSeal(NamedTuple):
    """A personal seal that holds where it is to stand; see `DraftSeals`.

    Attributes:
        certificate: SHA-256 of the person's certificate.
        position: Where it stands.
    """

    certificate: bytes
    position: str


class Signers(NamedTuple):
    """Whose some seals are, as certificates and the directory say now.

    Attributes:
        sealings: Position and signer's identity URN of each seal, lowest first.
        certificates: SHA-256 of the certificate of each.
        listed: Digest and URN of each certificate among them that the directory names.
    """

    sealings: tuple[tuple[str, str], ...] = ()
    certificates: tuple[bytes, ...] = ()
    listed: tuple[tuple[bytes, str], ...] = ()


NOBODY: Final = Signers()
"""Of no seals."""
