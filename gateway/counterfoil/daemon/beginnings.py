"""What a register begins with, and who takes part by what stands in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from counterfoil.daemon.config import Configuration
from counterfoil.daemon.lines import parties_of, peers_of
from counterfoil.domain.register import Register
from counterfoil.domain.register_states import PartyState, PeerState
from counterfoil.domain.registration import PeerConnection
from counterfoil.domain.registry import Party, Registry
from counterfoil.wire.admissions import first_admissions


def empty_register(
    registry: Registry, peers: Mapping[str, PeerConnection] | None = None
) -> Register:
    """Return the register of a gateway before its first registration."""
    return Register(
        home=registry.home,
        carriers={code: party.carrier for code, party in registry.parties.items()},
        parties={code: PartyState(party=one) for code, one in registry.parties.items()},
        peers={code: PeerState(peer=one) for code, one in (peers or {}).items()},
    )


def beginning(configuration: Configuration, registrations: Iterable[bytes]) -> Register:
    """Return what stood registered before the first registration of a log.

    It knows who carries for everybody whom the log admits later: what was registered of
    them before, while the configuration named them, is judged again without its lines.

    Args:
        configuration: Names those whom no registration does.
        registrations: Encoded `Sealed` registrations, in the order of the log.
    """
    home = configuration.gateway.party
    admitted = first_admissions(registrations)
    is_alone = home in admitted
    lines = {} if is_alone else parties_of(configuration)
    register = empty_register(
        Registry(
            home=home,
            parties={code: one for code, one in lines.items() if code not in admitted},
        ),
        {} if is_alone else peers_of(configuration),
    )
    return Register(
        home=home,
        carriers={
            home: home,
            **register.carriers,
            **{code: party.carrier for code, party in admitted.items()},
        },
        parties=register.parties,
        peers=register.peers,
    )


def registry_of(register: Register) -> Registry:
    """Return the parties that stand registered, dismissed ones too."""
    return Registry(
        home=register.home,
        parties=_parties(register),
        disconnected=register.disconnected(),
    )


def renew(registry: Registry, register: Register) -> None:
    """Go by the parties that stand registered now."""
    registry.renew(_parties(register), register.disconnected())


def _parties(register: Register) -> dict[str, Party]:
    return {code: one.party for code, one in register.parties.items()}
