"""Peers are connected and connected no more (接入, 断开)."""

from __future__ import annotations

from dataclasses import replace

from counterfoil.domain.changes.parties import admitted
from counterfoil.domain.changes.standing import require_home
from counterfoil.domain.register import Register
from counterfoil.domain.register_refusals import (
    AlreadyRegistered,
    NotRegistered,
    PartiesRemain,
    PartyContradicted,
)
from counterfoil.domain.register_states import PeerState, with_one
from counterfoil.domain.registration import (
    PeerConnection,
    PeerDisconnection,
    Registration,
)


def connect(
    register: Register, registration: Registration, matter: PeerConnection, _at_us: int
) -> Register:
    """Return the register with a peer as it is reached and believed from now on.

    Raises:
        MatterForeign: A peer would register it.
        NotRegistered: The party was not admitted, or was dismissed.
        PartyContradicted: It has no gateway of its own, or ours.
        AlreadyRegistered: It stands so already.
    """
    require_home(register, registration)
    code = matter.party
    party = admitted(register, code).party
    if party.carrier != code or code == register.home:
        raise PartyContradicted(
            f"{code} is carried by {party.carrier}, which is no peer of that name",
            party=code,
            carrier=party.carrier,
        )
    known = register.peers.get(code)
    state = PeerState(peer=matter, entry=registration.digest)
    if known is not None and known.entry and replace(state, entry=known.entry) == known:
        raise AlreadyRegistered("the peer is connected so already", party=code)
    return replace(register, peers=with_one(register.peers, code, state))


def disconnect(
    register: Register,
    registration: Registration,
    matter: PeerDisconnection,
    _at_us: int,
) -> Register:
    """Return the register with a peer that is connected no more.

    Raises:
        MatterForeign: A peer would register it.
        NotRegistered: It was not connected by a registration, or is no more.
        PartiesRemain: A party that it carries for takes part.
    """
    require_home(register, registration)
    code = matter.party
    state = register.peers.get(code)
    if state is None or state.is_over or not state.entry:
        raise NotRegistered("no registration connects such a peer", party=code)
    if remaining := register.carried_by(code):
        names = ", ".join(remaining)
        raise PartiesRemain(f"dismiss first whom it carries for: {names}", names=names)
    over = replace(state, entry=registration.digest, is_over=True)
    return replace(register, peers=with_one(register.peers, code, over))
