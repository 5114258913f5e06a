"""What the registry service shows of lanes and certificates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cryptography import x509

from counterfoil.domain.party import Identity
from counterfoil.domain.refusals import CallerRevoked, CounterfoilError
from counterfoil.registry.v1 import registry_pb2 as pb
from counterfoil.seal.certificates import CertificateRefused, identity_of
from counterfoil.wire.keys import timestamp_from_us


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneView:
    """What a lane tells of itself.

    Attributes:
        party: The peer.
        addresses: Its addresses.
        condition: As `registry.v1.LaneCondition` numbers it.
        address: The one in use; empty if none is.
        set_aside: Documents that the peer refused for now.
        last_reason: Why the last try failed; empty if it did not.
        last_arrival_us: When the peer last proved an arrival; 0 if it never did.
        heads: Verifier keys by which its log is believed.
        entry: Digest of the registration that says so; empty: the configuration does.
    """

    party: str
    addresses: tuple[str, ...]
    condition: int
    address: str
    set_aside: int
    last_reason: str
    last_arrival_us: int
    heads: tuple[str, ...] = ()
    entry: bytes = b""


def peer_views(views: Iterable[LaneView], lengths: Mapping[str, int]) -> list[pb.Peer]:
    """Return the condition of every lane.

    Args:
        views: What each lane tells of itself.
        lengths: For each peer how many documents wait.
    """
    return [_peer(view, lengths.get(view.party, 0)) for view in views]


def _peer(view: LaneView, waiting: int) -> pb.Peer:
    peer = pb.Peer(
        party=view.party,
        addresses=view.addresses,
        condition=pb.LaneCondition.ValueType(view.condition),
        address=view.address,
        waiting=waiting,
        set_aside=view.set_aside,
        last_reason=view.last_reason,
        heads=view.heads,
        entry=view.entry,
    )
    if view.last_arrival_us:
        peer.last_arrival_time.CopyFrom(timestamp_from_us(view.last_arrival_us))
    return peer


def certificate_views(
    certificates: Iterable[bytes],
    judge: Callable[[bytes], Identity],
    party: str,
    listed: Callable[[bytes], Identity | None] = lambda _: None,
) -> list[pb.Certificate]:
    """Return certificates (DER), only those of `party` if it is not empty.

    What bears no name is whose `listed` says, by the digest.
    """
    found: dict[bytes, pb.Certificate] = {}
    for der in certificates:
        view = _certificate(der, judge, listed)
        if not party or f":{party}:" in view.identity:
            found[view.digest] = view
    return list(found.values())


def _certificate(
    der: bytes,
    judge: Callable[[bytes], Identity],
    listed: Callable[[bytes], Identity | None],
) -> pb.Certificate:
    certificate = x509.load_der_x509_certificate(der)
    digest = hashlib.sha256(der).digest()
    holder = listed(digest)
    try:
        identity = (holder or identity_of(certificate)).to_urn()
    except CertificateRefused:
        identity = certificate.subject.rfc4514_string()
    view = pb.Certificate(digest=digest, identity=identity)
    view.valid_from.FromDatetime(certificate.not_valid_before_utc)
    view.valid_until.FromDatetime(certificate.not_valid_after_utc)
    try:
        judge(der)
    except CallerRevoked:
        view.revoked = True
    except CounterfoilError:
        # Not for connections: institution seals and authorities are not.
        view.revoked = False
    return view
