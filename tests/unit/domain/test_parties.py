"""Who takes part, and by which keys a peer is believed: two persons register it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.domain.catalogue import PartyKind
from counterfoil.domain.duties import TOLD
from counterfoil.domain.party import Identity
from counterfoil.domain.posts import Post
from counterfoil.domain.refusals import CounterfoilError, SamePerson
from counterfoil.domain.register import Register
from counterfoil.domain.register_refusals import (
    AgreementMissing,
    AlreadyRegistered,
    MatterForeign,
    NotFounded,
    NotRegistered,
    PartiesMissing,
    PartiesRemain,
    PartyContradicted,
    PartyDismissed,
    SignersRefused,
)
from counterfoil.domain.register_states import PartyState, PeerState
from counterfoil.domain.registration import (
    TAKING_PART,
    Matter,
    PartyAdmission,
    PartyDismissal,
    PeerConnection,
    PeerDisconnection,
    Registration,
)
from counterfoil.domain.registry import Party
from tests.unit.domain.registrations import (
    BANK,
    EMPTY,
    FINANCE,
    MANAGER,
    NOON_US,
    OFFICER,
    OTHER,
    STAFFED,
    SUPERVISOR,
    THEIR_UNIT,
    UNIT,
    after,
    agreed,
    assigned,
    person,
    registration,
)

NEW = "420000-104"
FIRST = person("first")
FROM_FINANCE = (FINANCE, [BANK], 5201, NOON_US)


def party(
    code: str, kind: PartyKind = PartyKind.AGENT_BANK, carrier: str = "", name: str = ""
) -> Party:
    return Party(code=code, name=name or code, kind=kind, carrier=carrier or code)


def admission(one: Party) -> Registration:
    return registration(PartyAdmission(party=one), MANAGER, SUPERVISOR)


def admitted(code: str, carrier: str = "", name: str = "") -> Registration:
    return admission(party(code, carrier=carrier, name=name))


def dismissed(code: str) -> Registration:
    return registration(PartyDismissal(party=code), MANAGER, SUPERVISOR)


def connection(code: str, *heads: str, port: int = 7412) -> PeerConnection:
    return PeerConnection(
        party=code,
        addresses=(f"127.0.0.1:{port}",),
        heads=heads or (f"{code}/log+key",),
        server_name=f"{code}.gateway.counterfoil",
    )


def connected(code: str, *heads: str, port: int = 7412) -> Registration:
    return registration(connection(code, *heads, port=port), MANAGER, OFFICER)


def disconnected(code: str) -> Registration:
    return registration(PeerDisconnection(party=code), MANAGER, OFFICER)


def refused(
    register: Register, one: Registration, kind: type[CounterfoilError]
) -> CounterfoilError:
    with pytest.raises(kind) as caught:
        after(register, one)
    return caught.value


def configured(register: Register, *parties: Party, peer: str = "") -> Register:
    """Return a register beside a configuration that names some parties and a peer."""
    return replace(
        register,
        parties={one.code: PartyState(party=one) for one in parties},
        peers={peer: PeerState(peer=connection(peer))} if peer else {},
    )


BANKS = after(STAFFED, admitted(BANK), admitted(OTHER))
LINKED = after(BANKS, connected(BANK), connected(OTHER))


# --- parties ---------------------------------------------------------------------


def test_an_admitted_party_stands_in_the_register_with_whoever_carries_for_it() -> None:
    register = after(BANKS, admitted(NEW, carrier=BANK), admitted(UNIT, FINANCE))

    state = register.parties[NEW]
    assert state.party == party(NEW, carrier=BANK)
    assert (len(state.entry), state.is_over) == (32, False)
    assert register.carriers[NEW] == BANK
    assert register.is_hosted(UNIT)
    assert not register.is_hosted(NEW)
    assert register.carried_by(BANK) == [BANK, NEW]


def test_a_later_admission_gives_another_name_and_nothing_else() -> None:
    named = after(BANKS, admitted(BANK, name="另一名称"))

    assert named.parties[BANK].party.name == "另一名称"
    assert named.parties[OTHER] == BANKS.parties[OTHER]


@pytest.mark.refusal("ALREADY_REGISTERED")
def test_what_stands_so_already_is_not_registered_again() -> None:
    refused(LINKED, admitted(BANK), AlreadyRegistered)
    refused(LINKED, connected(BANK), AlreadyRegistered)


@pytest.mark.clause("hubei-24", "hubei-36")
@pytest.mark.refusal("SIGNERS_REFUSED", "SAME_PERSON")
@pytest.mark.parametrize(
    ("matter", "second"),
    [
        (PartyAdmission(party=party(NEW)), SUPERVISOR),
        (PartyDismissal(party=BANK), SUPERVISOR),
        (connection(BANK, "other key"), OFFICER),
        (PeerDisconnection(party=BANK), OFFICER),
    ],
)
def test_two_persons_of_the_two_posts_sign_each_and_nobody_else(
    matter: Matter, second: Identity
) -> None:
    register = after(LINKED, assigned(FIRST, Post.FIRST_REVIEWER))
    if isinstance(matter, PeerDisconnection):
        register = after(register, dismissed(BANK))

    after(register, registration(matter, MANAGER, second))
    for signers in [
        (MANAGER,),
        (second,),
        (second, MANAGER),
        (MANAGER, FIRST),
        (FIRST, second),
        (MANAGER, SUPERVISOR if second is OFFICER else OFFICER),
        (MANAGER, second, FIRST),
    ]:
        refused(register, registration(matter, *signers), SignersRefused)
    refused(register, registration(matter, MANAGER, MANAGER), SamePerson)


@pytest.mark.refusal("NOT_FOUNDED")
def test_who_takes_part_is_registered_in_an_opened_register_only() -> None:
    refused(EMPTY, admitted(BANK), NotFounded)


@pytest.mark.refusal("MATTER_FOREIGN")
@pytest.mark.parametrize(
    "matter",
    [
        PartyAdmission(party=party(BANK, name="又名")),
        PartyDismissal(party=BANK),
        connection(BANK, "other key"),
        PeerDisconnection(party=BANK),
    ],
)
def test_no_peer_says_who_it_is_or_how_it_is_believed(matter: Matter) -> None:
    theirs = [person("a", BANK), person("b", BANK)]

    refused(LINKED, registration(matter, *theirs, by=BANK), MatterForeign)
    # Nor does a party that is hosted here, although its persons have posts here.
    second = (
        SUPERVISOR if isinstance(matter, PartyAdmission | PartyDismissal) else OFFICER
    )
    refused(LINKED, registration(matter, MANAGER, second, by=UNIT), MatterForeign)
    assert not set(TAKING_PART) & set(TOLD)


@pytest.mark.refusal("PARTY_CONTRADICTED")
def test_kind_and_carrier_of_a_code_stay() -> None:
    treasury = admission(party(BANK, PartyKind.TREASURY))
    for register in (BANKS, after(BANKS, dismissed(BANK))):
        refused(register, treasury, PartyContradicted)
        refused(register, admitted(BANK, FINANCE), PartyContradicted)
    carried = after(BANKS, admitted(NEW, BANK))
    found = refused(carried, admitted(NEW, OTHER), PartyContradicted)
    assert found.facts == {"party": NEW, "kind": "AGENT_BANK", "carrier": BANK}

    # Another carrier, once what went by the first is over; never from or to ourselves.
    moved = after(carried, dismissed(NEW), admitted(NEW, OTHER))
    assert moved.carriers[NEW] == OTHER
    ours = after(BANKS, admitted(UNIT, FINANCE), dismissed(UNIT))
    refused(ours, admitted(UNIT), PartyContradicted)


@pytest.mark.refusal("PARTY_CONTRADICTED")
def test_a_line_of_the_configuration_is_confirmed_and_not_contradicted() -> None:
    beside = configured(STAFFED, party(BANK), party(OTHER))

    refused(beside, admission(party(BANK, PartyKind.TREASURY)), PartyContradicted)
    refused(beside, admitted(BANK, FINANCE), PartyContradicted)
    register = after(beside, admitted(BANK))
    assert register.parties[BANK].entry
    assert not register.parties[OTHER].entry


@pytest.mark.refusal("NOT_REGISTERED", "PARTY_CONTRADICTED")
def test_only_a_gateway_that_takes_part_carries_for_others() -> None:
    carried = after(BANKS, admitted(NEW, BANK))
    found = refused(carried, admitted(THEIR_UNIT, NEW), PartyContradicted)
    assert found.facts == {"party": THEIR_UNIT, "carrier": NEW}
    refused(BANKS, admitted(NEW, THEIR_UNIT), NotRegistered)
    refused(BANKS, admitted(NEW, "420000-999"), NotRegistered)
    refused(after(BANKS, dismissed(BANK)), admitted(NEW, BANK), NotRegistered)
    refused(configured(BANKS, party(BANK)), admitted(NEW, BANK), NotRegistered)
    # Nobody carries for the gateway's own party.
    refused(BANKS, admitted(FINANCE, BANK), PartyContradicted)


@pytest.mark.refusal("PARTY_DISMISSED")
def test_nothing_goes_to_or_comes_from_a_dismissed_party() -> None:
    deal = agreed()
    register = after(BANKS, deal)
    register.require_agreed(*FROM_FINANCE)

    left = after(register, dismissed(BANK))

    with pytest.raises(PartyDismissed) as caught:
        left.require_agreed(*FROM_FINANCE)
    assert caught.value.facts["recipient"] == BANK
    with pytest.raises(PartyDismissed):
        left.require_agreed(BANK, [FINANCE], 5201, NOON_US)
    with pytest.raises(AgreementMissing):
        left.require_agreed(FINANCE, [OTHER], 5201, NOON_US)
    # It stays known, for what was exchanged before.
    assert left.carriers[BANK] == BANK
    assert left.parties[BANK].party == party(BANK)
    after(left, admitted(BANK)).require_agreed(*FROM_FINANCE)


@pytest.mark.refusal("NOT_REGISTERED")
def test_only_who_was_admitted_is_dismissed_and_once() -> None:
    refused(BANKS, dismissed(NEW), NotRegistered)
    refused(configured(STAFFED, party(BANK)), dismissed(BANK), NotRegistered)
    refused(after(BANKS, dismissed(BANK)), dismissed(BANK), NotRegistered)


@pytest.mark.refusal("PARTIES_REMAIN")
def test_a_gateway_that_others_need_is_not_dismissed() -> None:
    carried = after(BANKS, admitted(NEW, BANK))
    found = refused(carried, dismissed(BANK), PartiesRemain)
    assert found.facts == {"names": NEW}
    both = after(carried, dismissed(NEW), dismissed(BANK))
    assert both.is_dismissed(NEW)
    assert both.is_dismissed(BANK)

    alone = after(BANKS, admitted(FINANCE))
    found = refused(alone, dismissed(FINANCE), PartiesRemain)
    assert found.facts == {"names": FINANCE}


@pytest.mark.refusal("PARTIES_MISSING")
def test_the_own_party_comes_last_and_leaves_nothing_to_the_configuration() -> None:
    lines = [party(code) for code in (FINANCE, BANK, OTHER)]
    beside = configured(STAFFED, *lines, peer=BANK)
    assert not beside.is_alone

    for known, missing in [
        (beside, f"{BANK}, {OTHER}"),
        (after(beside, admitted(BANK)), f"{BANK}, {OTHER}"),
        (after(beside, admitted(BANK), connected(BANK)), OTHER),
    ]:
        found = refused(known, admitted(FINANCE), PartiesMissing)
        assert found.facts == {"names": missing}
    register = after(
        beside,
        *(admitted(BANK), connected(BANK), admitted(OTHER), admitted(FINANCE)),
    )
    assert register.is_alone
    # Whoever comes later is not asked for it.
    assert after(register, admitted(NEW)).is_alone


# --- peers -----------------------------------------------------------------------


def test_the_last_connection_counts() -> None:
    first = LINKED.peers[BANK]
    assert (first.peer, first.is_over) == (connection(BANK), False)

    for again in (connected(BANK, "new key"), connected(BANK, port=7499)):
        register = after(LINKED, again)
        assert register.peers[BANK].peer == again.matter
        assert register.peers[BANK].entry == again.digest
        assert register.peers[OTHER] == LINKED.peers[OTHER]


def test_a_connection_replaces_the_configurations_even_if_it_says_the_same() -> None:
    beside = configured(STAFFED, peer=BANK)
    register = after(beside, admitted(BANK), connected(BANK))

    assert register.peers[BANK].peer == beside.peers[BANK].peer
    assert register.peers[BANK].entry


@pytest.mark.refusal("NOT_REGISTERED", "PARTY_CONTRADICTED")
def test_only_an_admitted_gateway_of_another_is_a_peer() -> None:
    refused(BANKS, connected(NEW), NotRegistered)
    refused(configured(STAFFED, party(BANK)), connected(BANK), NotRegistered)
    refused(after(BANKS, dismissed(BANK)), connected(BANK), NotRegistered)
    hosted = after(BANKS, admitted(NEW, BANK), admitted(UNIT, FINANCE))
    found = refused(hosted, connected(NEW), PartyContradicted)
    assert found.facts == {"party": NEW, "carrier": BANK}
    refused(hosted, connected(UNIT), PartyContradicted)
    refused(after(hosted, admitted(FINANCE)), connected(FINANCE), PartyContradicted)


@pytest.mark.refusal("PARTIES_REMAIN")
def test_a_peer_is_disconnected_once_nobody_needs_it() -> None:
    carried = after(LINKED, admitted(NEW, BANK))
    found = refused(carried, disconnected(BANK), PartiesRemain)
    assert found.facts == {"names": f"{BANK}, {NEW}"}
    left = after(carried, dismissed(NEW), dismissed(BANK))
    assert left.disconnected() == frozenset()

    cut = after(left, disconnected(BANK))

    assert cut.disconnected() == {BANK}
    assert cut.peers[BANK].peer == LINKED.peers[BANK].peer
    back = after(cut, admitted(BANK), connected(BANK))
    assert back.disconnected() == frozenset()


@pytest.mark.refusal("NOT_REGISTERED")
def test_only_what_was_connected_by_a_registration_is_disconnected() -> None:
    refused(BANKS, disconnected(BANK), NotRegistered)
    beside = configured(STAFFED, peer=BANK)
    refused(beside, disconnected(BANK), NotRegistered)
    cut = after(LINKED, dismissed(BANK), disconnected(BANK))
    refused(cut, disconnected(BANK), NotRegistered)
