"""Parties take part and leave (准入, 退出)."""

from __future__ import annotations

from dataclasses import replace

from counterfoil.domain.changes.standing import require_home
from counterfoil.domain.register import Register
from counterfoil.domain.register_refusals import (
    AlreadyRegistered,
    NotRegistered,
    PartiesMissing,
    PartiesRemain,
    PartyContradicted,
)
from counterfoil.domain.register_states import PartyState, with_one
from counterfoil.domain.registration import (
    PartyAdmission,
    PartyDismissal,
    Registration,
)
from counterfoil.domain.registry import Party


def admit(
    register: Register, registration: Registration, matter: PartyAdmission, _at_us: int
) -> Register:
    """Return the register with a party that takes part, or goes by another name.

    With its own party the register alone says who takes part.

    Source: Hubei measures, article 6.

    Raises:
        MatterForeign: A peer would register it.
        AlreadyRegistered: It stands so already.
        NotRegistered: The party that is to carry for it was not admitted.
        PartyContradicted: It is of another kind here or carried by another party.
        PartiesMissing: It is the own party, and others are the configuration's alone.
    """
    require_home(register, registration)
    party = matter.party
    known = register.parties.get(party.code)
    if known is not None:
        _require_same(register, known, party)
    _require_carrier(register, party)
    missing = _unregistered(register) if party.code == register.home else []
    if missing:
        names = ", ".join(missing)
        raise PartiesMissing(
            f"the configuration alone names {names}; register them first", names=names
        )
    state = PartyState(party=party, entry=registration.digest)
    return replace(
        register,
        parties=with_one(register.parties, party.code, state),
        carriers=with_one(register.carriers, party.code, party.carrier),
    )


def dismiss(
    register: Register, registration: Registration, matter: PartyDismissal, _at_us: int
) -> Register:
    """Return the register with a party that takes part no more.

    It stays known: what was exchanged with it before is brought to its end.

    Raises:
        MatterForeign: A peer would register it.
        NotRegistered: It was not admitted, or was dismissed before.
        PartiesRemain: Its gateway carries for others, or it is the own party.
    """
    require_home(register, registration)
    code = matter.party
    state = admitted(register, code)
    remaining = [one for one in register.carried_by(code) if one != code]
    if remaining or code == register.home:
        names = ", ".join(remaining or [code])
        raise PartiesRemain(f"its gateway is needed by {names}", names=names)
    over = replace(state, entry=registration.digest, is_over=True)
    return replace(register, parties=with_one(register.parties, code, over))


def admitted(register: Register, code: str) -> PartyState:
    """Return a party that a registration admitted and none dismissed since.

    Raises:
        NotRegistered: There is none with this code.
    """
    state = register.parties.get(code)
    if state is None or state.is_over or not state.entry:
        raise NotRegistered(
            "no registration admits such a party; admit it first", party=code
        )
    return state


def _require_same(register: Register, known: PartyState, party: Party) -> None:
    """Check that a party is what it was, but for its name and encoding.

    Who keeps its vouchers never changes between us and another gateway: they would be
    on the one and asked for on the other.
    """
    was = known.party
    if known.entry and not known.is_over and was == party:
        raise AlreadyRegistered("the party is admitted so already", party=party.code)
    moves = was.carrier != party.carrier
    is_ours = register.home in {was.carrier, party.carrier}
    if was.kind is not party.kind or (moves and (is_ours or not known.is_over)):
        raise PartyContradicted(
            f"{party.code} is {was.kind.name} here, carried by {was.carrier}",
            party=party.code,
            kind=was.kind.name,
            carrier=was.carrier,
        )


def _require_carrier(register: Register, party: Party) -> None:
    """Check that a gateway carries for the party: its own, ours, or one admitted."""
    if party.carrier == party.code or (party.carrier == register.home != party.code):
        return
    carrier = admitted(register, party.carrier).party
    if carrier.carrier != carrier.code or party.code == register.home:
        raise PartyContradicted(
            f"{party.carrier} cannot carry for {party.code}",
            party=party.code,
            carrier=party.carrier,
        )


def _unregistered(register: Register) -> list[str]:
    """Return the parties and peers that the configuration alone names, in order."""
    parties = {code for code, one in register.parties.items() if not one.entry}
    peers = {code for code, one in register.peers.items() if not one.entry}
    return sorted((parties - {register.home}) | peers)
