"""What the configuration says of parties and peers, beside what the register does.

Whoever a registration has once named is the register's: a line of the configuration may
repeat it and not contradict it. Whoever none has named is the configuration's, until
the register names the gateway's own party and with that all (`docs/adr/0031`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TypeAlias

from counterfoil.daemon.config import KINDS, Configuration, ConfigurationRefused
from counterfoil.daemon.keys import load_head_verifiers
from counterfoil.domain.register import Register
from counterfoil.domain.registration import PeerConnection, server_name_of
from counterfoil.domain.registry import Party
from counterfoil.domain.value import value

_Said: TypeAlias = Party | PeerConnection


def parties_of(configuration: Configuration) -> dict[str, Party]:
    """Return the parties that a configuration names."""
    return {
        party.code: Party(
            code=party.code,
            name=party.name,
            kind=KINDS[party.kind],
            carrier=party.carrier or party.code,
            encoding=party.encoding,
        )
        for party in configuration.party
    }


def peers_of(configuration: Configuration) -> dict[str, PeerConnection]:
    """Return the peers that a configuration names."""
    return {
        peer.party: PeerConnection(
            party=peer.party,
            addresses=peer.addresses,
            heads=peer.heads,
            server_name=server_name_of(peer.party, peer.server_name),
        )
        for peer in configuration.peer
    }


def require_lines(configuration: Configuration, register: Register) -> None:
    """Check that a configuration does not contradict the register.

    Raises:
        ConfigurationRefused: It does, or names somebody whom neither says, or a log key
            that is none.
    """
    for peer in configuration.peer:
        load_head_verifiers(peer)
    if found := list(contradictions(configuration, register)):
        raise ConfigurationRefused("; ".join(found))
    named = {configuration.gateway.party}
    named |= {section.party for section in configuration.hosted}
    named |= {section.party for section in configuration.peer}
    named |= {section.carrier for section in configuration.party if section.carrier}
    if unknown := named - register.parties.keys():
        msg = (
            f"party {min(unknown)}: is named but has no [[party]] section, and no "
            "registration admits it"
        )
        raise ConfigurationRefused(msg)


def contradictions(configuration: Configuration, register: Register) -> Iterator[str]:
    """Yield each line of a configuration that contradicts the register, for people."""
    parties = {
        code: _Stands(said=one.party, entry=one.entry, is_over=one.is_over)
        for code, one in register.parties.items()
    }
    peers = {
        code: _Stands(said=one.peer, entry=one.entry, is_over=one.is_over)
        for code, one in register.peers.items()
    }
    lines: list[tuple[str, Mapping[str, _Said], Mapping[str, _Stands]]] = [
        ("party", parties_of(configuration), parties),
        ("peer", peers_of(configuration), peers),
    ]
    for what, told, stands in lines:
        for code, line in told.items():
            if found := _contradiction(line, stands.get(code)):
                yield f"{what} {code}: {found}; take its section out"


@value
class _Stands:
    """What stands registered of a party or peer."""

    said: _Said
    entry: bytes
    is_over: bool


def _contradiction(line: _Said, stands: _Stands | None) -> str:
    """Return what a line contradicts; empty if nothing."""
    if stands is None:
        return "the register alone says who takes part, and does not name it"
    if not stands.entry:
        return ""
    if stands.is_over:
        return "a registration ended it"
    said, registered = asdict(line), asdict(stands.said)
    differing = sorted(name for name in said if said[name] != registered[name])
    if differing:
        return f"registered with other {', '.join(differing)}"
    return ""
