"""What registrations say of parties and peers (机构, 对端)."""

from __future__ import annotations

from collections.abc import Sequence

from counterfoil.domain import registration as domain
from counterfoil.domain.addresses import check_address
from counterfoil.domain.catalogue import PartyKind
from counterfoil.domain.party import is_party_code, origin_of
from counterfoil.domain.registration import Matter
from counterfoil.domain.registry import GBK, Party
from counterfoil.registry.v1 import registration_pb2 as pb
from counterfoil.tlog.errors import TlogError
from counterfoil.tlog.verifiers import log_verifiers
from counterfoil.wire.matter_fields import refused_field


def admission(matter: pb.PartyAdmission) -> Matter:
    """Return what an admission says.

    Raises:
        FormRefused: It names no party, or no carrier.
    """
    return domain.PartyAdmission(party=party_of(matter))


def dismissal(matter: pb.PartyDismissal) -> Matter:
    """Return what a dismissal says.

    Raises:
        FormRefused: It names no party.
    """
    return domain.PartyDismissal(party=_code("party_dismissal.code", matter.code))


def connection(matter: pb.PeerConnection) -> Matter:
    """Return how a peer is reached and believed.

    Raises:
        FormRefused: It names no party, an address is none, or a key is not a verifier
            key of the party's own log.
    """
    party = _code("peer_connection.party", matter.party)
    _check_addresses(matter.addresses)
    try:
        log_verifiers(origin_of(party), matter.heads)
    except TlogError as error:
        raise refused_field(
            "peer_connection.heads", str(error), "不是该机构日志的验证公钥"
        ) from error
    return domain.PeerConnection(
        party=party,
        addresses=tuple(matter.addresses),
        heads=tuple(matter.heads),
        server_name=domain.server_name_of(party, matter.server_name),
    )


def disconnection(matter: pb.PeerDisconnection) -> Matter:
    """Return which peer is connected no more.

    Raises:
        FormRefused: It names no party.
    """
    return domain.PeerDisconnection(
        party=_code("peer_disconnection.party", matter.party)
    )


def connection_to_message(peer: domain.PeerConnection) -> pb.PeerConnection:
    """Return how a peer is reached and believed, for people."""
    return pb.PeerConnection(
        party=peer.party,
        addresses=peer.addresses,
        heads=peer.heads,
        server_name=peer.server_name,
    )


def party_of(matter: pb.PartyAdmission) -> Party:
    """Return the party that an admission admits.

    Raises:
        FormRefused: It names no party, or no carrier.
    """
    code = _code("party_admission.code", matter.code)
    carrier = _code("party_admission.carrier", matter.carrier or code)
    return Party(
        code=code,
        name=matter.name,
        kind=PartyKind(matter.kind),
        carrier=carrier,
        encoding=matter.encoding or GBK,
    )


def _code(path: str, code: str) -> str:
    if not is_party_code(code):
        raise refused_field(path, "not a party code", "不是机构代码")
    return code


def _check_addresses(addresses: Sequence[str]) -> None:
    try:
        for address in addresses:
            check_address(address)
    except ValueError as error:
        raise refused_field(
            "peer_connection.addresses", str(error), "不是主机与端口"
        ) from error
