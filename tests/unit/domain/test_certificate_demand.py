"""Persons and systems use only certificates that were put to use (启用要求)."""

from __future__ import annotations

from functools import reduce
from hashlib import sha256

import pytest

from counterfoil.domain.duties import TOLD, require_active_signers
from counterfoil.domain.party import Identity, Use
from counterfoil.domain.posts import Post
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.domain.register import Register
from counterfoil.domain.register_refusals import (
    AlreadyRegistered,
    CertificateNotActive,
    CertificatesMissing,
    MatterForeign,
    SignersRefused,
)
from counterfoil.domain.registering import register_after
from counterfoil.domain.registration import (
    AuditCheck,
    CertificateActivation,
    CertificateApplication,
    CertificateApproval,
    CertificateDemand,
    DirectoryEntry,
    DirectoryRemoval,
    Matter,
    Registration,
    Revocation,
)
from tests.unit.domain.registrations import (
    BANK,
    EMPTY,
    FINANCE,
    MANAGER,
    NOON_US,
    OFFICER,
    STAFFED,
    SUPERVISOR,
    UNIT,
    after,
    assigned,
    person,
    registration,
    seal,
    system,
)

DAY_US = 86_400_000_000
END_US = NOON_US + 90 * DAY_US
STRAY = sha256(b"stray").digest()


def card_of(holder: Identity, name: str = "") -> bytes:
    return sha256(f"{holder.to_urn()} {name}".encode()).digest()


def put_to_use(
    register: Register, holder: Identity, name: str = "", until_us: int = END_US
) -> Register:
    """Return the register with a certificate applied for, approved and activated."""
    key = card_of(holder, f"{name} key")
    applied = registration(
        CertificateApplication(holder=holder, public_key=key), MANAGER
    )
    return after(
        register,
        applied,
        registration(CertificateApproval(application=applied.digest), OFFICER),
        registration(
            CertificateActivation(
                application=applied.digest,
                certificate=card_of(holder, name),
                holder=holder,
                public_key=key,
                valid_until_us=until_us,
            ),
            MANAGER,
        ),
    )


def demand(party: str = FINANCE, *signers: Identity) -> Registration:
    return registration(
        CertificateDemand(party=party), *(signers or (OFFICER, SUPERVISOR))
    )


def voided(holder: Identity, name: str = "") -> Registration:
    matter = Revocation(certificate=card_of(holder, name), holder=holder)
    return registration(matter, OFFICER, SUPERVISOR)


def refused(
    register: Register, one: Registration, kind: type[CounterfoilError]
) -> CounterfoilError:
    with pytest.raises(kind) as caught:
        after(register, one)
    return caught.value


EVERYBODY = (MANAGER, SUPERVISOR, OFFICER)
READY = reduce(put_to_use, EVERYBODY, STAFFED)
DEMANDING = after(READY, demand())


def may_use(register: Register, holder: Identity, certificate: bytes) -> bool:
    try:
        register.require_active(holder.to_urn(), certificate)
    except CertificateNotActive:
        return False
    return True


@pytest.mark.clause("hubei-13")
@pytest.mark.refusal("CERTIFICATE_NOT_ACTIVE")
def test_from_the_demand_on_only_what_was_put_to_use_counts() -> None:
    reviewer = person("reviewer")
    for holder in (MANAGER, reviewer, system()):
        assert may_use(READY, holder, STRAY)
        assert not may_use(DEMANDING, holder, STRAY)
    assert may_use(DEMANDING, MANAGER, card_of(MANAGER))
    with pytest.raises(CertificateNotActive) as caught:
        DEMANDING.require_active(MANAGER.to_urn(), STRAY)
    assert caught.value.facts == {"holder": MANAGER.to_urn()}
    # Nobody uses another's.
    assert not may_use(DEMANDING, OFFICER, card_of(MANAGER))
    for newcomer in (reviewer, system()):
        register = put_to_use(DEMANDING, newcomer)
        assert may_use(register, newcomer, card_of(newcomer))
        assert not may_use(register, newcomer, STRAY)


@pytest.mark.clause("hubei-13")
def test_a_renewal_overlaps_and_a_revocation_ends_the_old_one() -> None:
    both = put_to_use(DEMANDING, OFFICER, "new")
    assert may_use(both, OFFICER, card_of(OFFICER))
    assert may_use(both, OFFICER, card_of(OFFICER, "new"))

    revoked = after(both, voided(OFFICER))

    assert card_of(OFFICER) in revoked.voided
    assert may_use(revoked, OFFICER, card_of(OFFICER, "new"))


def test_a_demand_is_of_one_party_and_of_persons_and_systems() -> None:
    for holder in (
        person("x", UNIT),
        system("1", UNIT),
        person("x", BANK),
        seal(),
        Identity(party=FINANCE, use=Use.GATEWAY, name="1"),
    ):
        assert may_use(DEMANDING, holder, STRAY)
    of_unit = after(STAFFED, demand(UNIT))
    assert not may_use(of_unit, person("x", UNIT), STRAY)
    assert may_use(of_unit, MANAGER, STRAY)
    told: tuple[type, ...] = TOLD
    assert CertificateDemand not in told


@pytest.mark.clause("hubei-13", "hubei-24")
@pytest.mark.refusal("SIGNERS_REFUSED", "MATTER_FOREIGN", "ALREADY_REGISTERED")
def test_two_persons_demand_it_once_of_a_party_hosted_here() -> None:
    for signers in ((SUPERVISOR, OFFICER), (MANAGER, SUPERVISOR), (OFFICER,)):
        refused(READY, demand(FINANCE, *signers), SignersRefused)
    refused(READY, demand(BANK), MatterForeign)
    theirs = registration(CertificateDemand(party=UNIT), OFFICER, SUPERVISOR, by=UNIT)
    refused(READY, theirs, MatterForeign)
    refused(DEMANDING, demand(), AlreadyRegistered)
    assert not READY.demanding
    assert DEMANDING.demanding == {FINANCE}


@pytest.mark.clause("hubei-13")
@pytest.mark.refusal("CERTIFICATES_MISSING")
def test_it_is_not_demanded_while_somebody_would_be_shut_out() -> None:
    reviewer = person("reviewer")
    with_reviewer = after(READY, assigned(reviewer, Post.FIRST_REVIEWER))
    unready = {
        SUPERVISOR: reduce(put_to_use, (MANAGER, OFFICER), STAFFED),
        OFFICER: after(READY, voided(OFFICER)),
        reviewer: with_reviewer,
        MANAGER: put_to_use(
            reduce(put_to_use, (SUPERVISOR, OFFICER), STAFFED),
            MANAGER,
            until_us=NOON_US - 1,
        ),
    }
    for holder, register in unready.items():
        error = refused(register, demand(), CertificatesMissing)
        assert error.facts == {"holder": holder.to_urn()}
    # Those of other parties are not asked.
    theirs = after(READY, assigned(person("x", UNIT), Post.ARCHIVIST))
    assert after(theirs, demand()).demanding
    assert after(put_to_use(with_reviewer, reviewer), demand()).demanding


# --- signatures of registrations --------------------------------------------------

CHECK = AuditCheck(matter="log", finding="in order")


def may_sign(
    register: Register, matter: Matter, *signed: tuple[Identity, bytes]
) -> bool:
    one = registration(matter, *(who for who, _ in signed))
    try:
        require_active_signers(register, one, [card for _, card in signed], NOON_US)
    except CertificateNotActive:
        return False
    return True


@pytest.mark.clause("hubei-13")
@pytest.mark.refusal("CERTIFICATE_NOT_ACTIVE")
def test_registrations_are_signed_by_what_was_put_to_use() -> None:
    officer = (OFFICER, card_of(OFFICER))
    stray = (OFFICER, STRAY)
    supervisor = (SUPERVISOR, card_of(SUPERVISOR))

    assert may_sign(READY, CHECK, stray)
    assert may_sign(DEMANDING, CHECK, officer)
    assert not may_sign(DEMANDING, CHECK, stray)
    removal = DirectoryRemoval(certificate=STRAY)
    assert may_sign(DEMANDING, removal, officer, supervisor)
    assert not may_sign(DEMANDING, removal, stray, supervisor)
    assert not may_sign(DEMANDING, removal, officer, (SUPERVISOR, STRAY))
    # A peer's persons are the peer's business.
    assert may_sign(DEMANDING, CHECK, (person("a", BANK), STRAY))


@pytest.mark.clause("hubei-13")
def test_who_has_none_left_may_still_sign_what_leads_to_a_new_one() -> None:
    steps: tuple[Matter, ...] = (
        CertificateApplication(holder=MANAGER, public_key=STRAY),
        CertificateApproval(application=STRAY),
        CertificateActivation(
            application=STRAY,
            certificate=STRAY,
            holder=MANAGER,
            public_key=STRAY,
            valid_until_us=END_US,
        ),
    )
    lost = after(DEMANDING, voided(MANAGER))
    for step in steps:
        assert may_sign(lost, step, (MANAGER, STRAY))
        # Who has one uses it.
        assert not may_sign(DEMANDING, step, (MANAGER, STRAY))
    # And nothing else.
    assert not may_sign(lost, CHECK, (MANAGER, STRAY))
    # One that has ended is as good as none.
    one = registration(steps[0], MANAGER)
    require_active_signers(DEMANDING, one, [STRAY], END_US + 1)


# --- what ends soon ------------------------------------------------------------------


@pytest.mark.clause("hubei-13")
def test_what_ends_soon_is_known_by_holder_and_day() -> None:
    register = put_to_use(STAFFED, OFFICER, until_us=NOON_US + DAY_US)
    register = put_to_use(register, MANAGER, until_us=NOON_US + 90 * DAY_US)
    entries = (
        (person("li"), b"l" * 32, NOON_US + 2 * DAY_US, FINANCE),
        (person("wang", BANK), b"w" * 32, NOON_US + DAY_US, BANK),
    )
    for holder, card, until_us, by in entries:
        matter = DirectoryEntry(
            certificate=card, public_key=card, holder=holder, valid_until_us=until_us
        )
        signers = (
            (OFFICER, SUPERVISOR)
            if by == FINANCE
            else (
                person("a", BANK),
                person("b", BANK),
            )
        )
        register = after(register, registration(matter, *signers, by=by))

    soon = register.ending(NOON_US, NOON_US + 60 * DAY_US)

    assert soon == {
        card_of(OFFICER): (OFFICER.to_urn(), NOON_US + DAY_US),
        b"l" * 32: (person("li").to_urn(), NOON_US + 2 * DAY_US),
    }
    assert not register.ending(NOON_US + 3 * DAY_US, NOON_US + 60 * DAY_US)
    assert set(after(register, voided(OFFICER)).ending(0, END_US)) == {
        b"l" * 32,
        card_of(MANAGER),
    }


@pytest.mark.refusal("NOT_FOUNDED")
def test_nothing_is_demanded_before_the_register_is_open() -> None:
    with pytest.raises(CounterfoilError) as caught:
        register_after(EMPTY, demand(), NOON_US)
    assert caught.value.reason == "NOT_FOUNDED"
