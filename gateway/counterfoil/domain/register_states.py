"""How far what is registered has come: agreements, certificates, losses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from counterfoil.domain.party import Identity
from counterfoil.domain.registration import Agreement, PeerConnection
from counterfoil.domain.registry import Party
from counterfoil.domain.value import value

FOUND_MAX: Final = 65_536
"""Answers that a register remembers, of each kind: some 20 MB."""

K = TypeVar("K")
V = TypeVar("V")


@value
class AgreementState:
    """An agreement and what became of it.

    Attributes:
        agreement: What was agreed.
        suspended_by: The parties that suspended it and did not resume it.
        is_over: Whether it was ended.
    """

    agreement: Agreement
    suspended_by: frozenset[str] = frozenset()
    is_over: bool = False

    def is_in_force(self, day: str) -> bool:
        """Tell whether vouchers may be exchanged by it on a day."""
        dates = self.agreement
        in_time = dates.valid_from <= day <= dates.valid_until
        return in_time and not self.suspended_by and not self.is_over


@value
class Voided:
    """Why and since when a certificate is worth nothing here.

    Attributes:
        holder: Whose it was.
        by: The party that registered it.
        is_loss: Whether it was lost; else revoked.
        time_us: Since when, by our log; microseconds since the epoch.
    """

    holder: Identity
    by: str
    is_loss: bool
    time_us: int


@value
class Listed:
    """A certificate in the directory of persons (人员名录).

    Attributes:
        holder: Whose it is.
        public_key: SHA-256 of its public key.
        entry: Digest of the registration that lists it.
        valid_until_us: When it ends, microseconds since the epoch.
    """

    holder: Identity
    public_key: bytes
    entry: bytes
    valid_until_us: int


@value
class Active:
    """A certificate that was put to use by a registration.

    Attributes:
        holder: Whose it is.
        valid_until_us: When it ends, microseconds since the epoch.
    """

    holder: Identity
    valid_until_us: int


@value
class CertificateState:
    """How far a certificate has come.

    Attributes:
        holder: Who is to hold it.
        public_key: SHA-256 of its public key.
        applied_by: Who applied for it.
        is_approved: Whether another person approved.
        certificate: SHA-256 of the certificate in use; empty before.
    """

    holder: Identity
    public_key: bytes
    applied_by: Identity
    is_approved: bool = False
    certificate: bytes = b""


@value
class PartyState:
    """A party, and whether it takes part.

    Attributes:
        party: What is known of it.
        entry: Digest of the registration that says so; empty: the configuration does.
        is_over: Whether it was dismissed.
    """

    party: Party
    entry: bytes = b""
    is_over: bool = False


@value
class PeerState:
    """A peer, and whether it is connected.

    Attributes:
        peer: How it is reached and believed.
        entry: Digest of the registration that says so; empty: the configuration does.
        is_over: Whether it was disconnected.
    """

    peer: PeerConnection
    entry: bytes = b""
    is_over: bool = False


@value
class Scope:
    """How far a signer's filings reach at one place.

    Attributes:
        is_filed: Whether any filing is in force.
        amount_max_fen: The largest amount, in fen; None if none covers the place.
    """

    is_filed: bool
    amount_max_fen: int | None


def void_in(
    voided: Mapping[bytes, Voided],
    twins: Mapping[bytes, bytes],
    directory: Mapping[bytes, Listed],
    carriers: Mapping[str, str],
    certificate: bytes,
) -> Voided | None:
    """Return why a certificate is worth nothing; None if it is not void.

    What a party says of a certificate that it lists as its own binds nobody whose it
    turns out to be.

    Args:
        voided: Void certificates, by SHA-256.
        twins: SHA-256 of these in other bytes, to their own.
        directory: Certificates that bear no name, by SHA-256.
        carriers: For each party, whose gateway carries for it.
        certificate: SHA-256 of the certificate.
    """
    found = voided.get(certificate)
    if found is None and (own := twins.get(certificate)) is not None:
        found = voided.get(own)
    listed = directory.get(certificate)
    if found is None or listed is None:
        return found
    theirs, whose = (one.holder.party for one in (found, listed))
    is_theirs = carriers.get(theirs, theirs) == carriers.get(whose, whose)
    return found if is_theirs else None


def with_one(table: Mapping[K, V], key: K, one: V) -> dict[K, V]:
    """Return a table with one more row, or with another one in its place."""
    return {**table, key: one}


def without(table: Mapping[K, V], key: K) -> dict[K, V]:
    """Return a table without a row."""
    return {other: row for other, row in table.items() if other != key}


def grouped(items: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    """Return what stands under each key, in its order."""
    groups: defaultdict[K, list[V]] = defaultdict(list)
    for key, one in items:
        groups[key].append(one)
    return dict(groups)


def make_room(found: dict[Any, V]) -> None:
    """Forget what was found where that is much: most of it is of days that are over."""
    if len(found) >= FOUND_MAX:
        found.clear()
