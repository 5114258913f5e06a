"""What the register allows: agreements, filings, certificates."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from counterfoil.domain.party import Identity
from counterfoil.domain.posts import Post
from counterfoil.domain.refusals import CounterfoilError, SamePerson
from counterfoil.domain.register import Register
from counterfoil.domain.register_refusals import (
    AgreementMissing,
    AgreementSuspended,
    AlreadyRegistered,
    CertificateLost,
    CertificateNotActive,
    FilingMissing,
    MatterForeign,
    NotRegistered,
    OutsideFiling,
    SignersRefused,
)
from counterfoil.domain.registering import register_after
from counterfoil.domain.registration import (
    Agreement,
    AgreementChange,
    CertificateActivation,
    CertificateApplication,
    CertificateApproval,
    Change,
    Filing,
    FilingWithdrawal,
    LossNotice,
    Matter,
    PostAssignment,
    PostWithdrawal,
    Registration,
    Revocation,
)
from counterfoil.wire.register_views import register_to_message
from tests.unit.domain.registrations import (
    BANK,
    BANKS_SUPERVISOR,
    EMPTY,
    FINANCE,
    MANAGER,
    NOON_US,
    OFFICER,
    OTHER,
    SEAL,
    STAFFED,
    SUPERVISOR,
    THEIR_UNIT,
    TODAY,
    TOMORROW,
    UNIT,
    YESTERDAY,
    after,
    agreed,
    agreement,
    assigned,
    changed,
    filing,
    person,
    registration,
    seal,
)

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
NEW = sha256(b"new seal").digest()
DAY_US = 86_400_000_000


def refused(
    register: Register, one: Registration, kind: type[CounterfoilError]
) -> None:
    with pytest.raises(kind):
        after(register, one)


def may_send(
    register: Register,
    issuer: str = FINANCE,
    recipient: str = BANK,
    type_code: int = 5201,
    at_us: int = NOON_US,
) -> bool:
    try:
        register.require_agreed(issuer, [recipient], type_code, at_us)
    except (AgreementMissing, AgreementSuspended):
        return False
    return True


def revoked() -> Registration:
    matter = Revocation(certificate=SEAL, holder=seal())
    return registration(matter, OFFICER, SUPERVISOR)


# --- agreements ----------------------------------------------------------------


@pytest.mark.clause("hubei-6")
@pytest.mark.refusal("AGREEMENT_MISSING")
def test_without_an_agreement_nothing_goes_either_way() -> None:
    for way in ((FINANCE, BANK), (BANK, FINANCE)):
        with pytest.raises(AgreementMissing) as caught:
            STAFFED.require_agreed(*way[:1], [way[1]], 5201, NOON_US)
        assert caught.value.facts == {
            "issuer": way[0],
            "recipient": way[1],
            "type": "5201",
        }


@pytest.mark.clause("hubei-6")
def test_an_agreement_lets_its_types_go_its_way_and_nothing_else() -> None:
    register = after(STAFFED, agreed())

    assert may_send(register)
    assert not may_send(register, type_code=8202)
    assert not may_send(register, BANK, FINANCE)
    assert not may_send(register, recipient=OTHER)
    assert not may_send(register, UNIT)


def test_every_recipient_of_a_voucher_must_have_agreed() -> None:
    register = after(STAFFED, agreed())

    with pytest.raises(AgreementMissing):
        register.require_agreed(FINANCE, [BANK, OTHER], 5201, NOON_US)


@pytest.mark.clause("hubei-6")
@pytest.mark.refusal("AGREEMENT_SUSPENDED")
def test_an_agreement_holds_on_its_days_as_they_are_in_china() -> None:
    only_today = agreement(valid_from=TODAY, valid_until=TODAY)
    register = after(STAFFED, agreed(only_today))
    midnight_us = NOON_US - 12 * 3_600_000_000

    assert may_send(register, at_us=midnight_us)
    assert may_send(register, at_us=midnight_us + DAY_US - 1)
    for at_us in (midnight_us - 1, midnight_us + DAY_US):
        with pytest.raises(AgreementSuspended):
            register.require_agreed(FINANCE, [BANK], 5201, at_us)


@pytest.mark.clause("hubei-6")
@pytest.mark.refusal("AGREEMENT_SUSPENDED", "NOT_REGISTERED", "ALREADY_REGISTERED")
def test_each_party_suspends_and_resumes_for_itself() -> None:
    made = agreed()
    theirs = person("officer", BANK), person("x", BANK)
    ours = changed(made, Change.SUSPEND, SUPERVISOR)
    register = after(STAFFED, made, ours)
    assert not may_send(register)
    refused(register, changed(made, Change.SUSPEND, SUPERVISOR), AlreadyRegistered)

    both = after(register, changed(made, Change.SUSPEND, theirs[0], by=BANK))
    one = after(both, changed(made, Change.RESUME, OFFICER, SUPERVISOR))
    assert not may_send(one)
    refused(one, changed(made, Change.RESUME, OFFICER, SUPERVISOR), NotRegistered)

    none = after(one, changed(made, Change.RESUME, *theirs, by=BANK))
    assert may_send(none)


@pytest.mark.clause("hubei-6")
@pytest.mark.refusal("NOT_REGISTERED", "MATTER_FOREIGN")
def test_an_agreement_ends_for_good() -> None:
    made = agreed()
    over = after(STAFFED, made, changed(made, Change.END, OFFICER, SUPERVISOR))

    assert not may_send(over)
    refused(over, changed(made, Change.SUSPEND, SUPERVISOR), NotRegistered)
    unknown = AgreementChange(agreement=b"?" * 32, change=Change.END)
    refused(over, registration(unknown, OFFICER, SUPERVISOR), NotRegistered)
    strangers = changed(
        made, Change.END, person("a", OTHER), person("b", OTHER), by=OTHER
    )
    refused(after(STAFFED, made), strangers, MatterForeign)


@pytest.mark.clause("hubei-6")
@pytest.mark.refusal("SIGNERS_REFUSED", "MATTER_FOREIGN")
def test_an_agreement_is_signed_by_a_supervisor_of_each_party() -> None:
    matter = agreement()
    for signers in (
        (SUPERVISOR, person("other")),
        (OFFICER, BANKS_SUPERVISOR),
        (BANKS_SUPERVISOR, SUPERVISOR),
        (SUPERVISOR,),
    ):
        refused(STAFFED, registration(matter, *signers), SignersRefused)
    # What their supervisor is, is their gateway's business.
    assert may_send(after(STAFFED, registration(matter, SUPERVISOR, person("x", BANK))))

    others = agreement((BANK, OTHER))
    foreign = registration(others, person("x", BANK), person("x", OTHER), by=BANK)
    refused(STAFFED, foreign, MatterForeign)
    refused(
        STAFFED,
        registration(matter, SUPERVISOR, BANKS_SUPERVISOR, by=OTHER),
        MatterForeign,
    )


def test_a_peer_may_hand_in_what_our_supervisor_signed() -> None:
    register = after(
        STAFFED, registration(agreement(), SUPERVISOR, BANKS_SUPERVISOR, by=BANK)
    )
    assert may_send(register)


def test_a_host_signs_for_whom_it_hosts_or_they_sign_themselves() -> None:
    units = agreement((UNIT, THEIR_UNIT))
    theirs = person("x", BANK)

    assert may_send(
        after(STAFFED, registration(units, SUPERVISOR, theirs)), UNIT, THEIR_UNIT
    )

    own = person("supervisor", UNIT)
    with_own = after(STAFFED, assigned(own, Post.SUPERVISOR))
    assert may_send(
        after(with_own, registration(units, own, person("x", THEIR_UNIT))),
        UNIT,
        THEIR_UNIT,
    )
    # But not for its host.
    refused(with_own, registration(agreement(), own, BANKS_SUPERVISOR), SignersRefused)


def test_a_second_agreement_adds_to_the_first() -> None:
    more = agreement(types=frozenset({8202}))
    first = agreed()
    register = after(STAFFED, first, agreed(more))
    stopped = after(register, changed(first, Change.SUSPEND, SUPERVISOR))

    assert may_send(register)
    assert may_send(register, type_code=8202)
    assert not may_send(stopped)
    assert may_send(stopped, type_code=8202)


def test_a_register_that_was_not_opened_demands_nothing() -> None:
    EMPTY.require_agreed(FINANCE, [BANK], 5201, NOON_US)
    EMPTY.require_in_use(b"?" * 32)
    EMPTY.require_filed([("gz", seal().to_urn())], 5201, 1, NOON_US)


# --- certificates --------------------------------------------------------------


def lost(holder: Identity, by: str = FINANCE, *signers: Identity) -> Registration:
    matter = LossNotice(certificate=SEAL, holder=holder)
    return registration(matter, *(signers or (OFFICER,)), by=by)


@pytest.mark.clause("hubei-14")
@pytest.mark.refusal("CERTIFICATE_LOST", "ALREADY_REGISTERED")
def test_a_lost_certificate_is_worth_nothing_from_then_on() -> None:
    STAFFED.require_not_void([SEAL, NEW])
    STAFFED.require_in_use(SEAL)

    register = after(STAFFED, lost(seal()))

    with pytest.raises(CertificateLost) as caught:
        register.require_not_void([NEW, SEAL])
    assert caught.value.facts == {"holder": seal().to_urn()}
    with pytest.raises(CertificateLost):
        register.require_in_use(SEAL)
    register.require_not_void([NEW])
    assert register.voided[SEAL].is_loss
    assert register.voided[SEAL].time_us == NOON_US


@pytest.mark.clause("hubei-14")
@pytest.mark.refusal("ALREADY_REGISTERED")
def test_a_loss_said_again_tells_others_and_counts_from_the_first() -> None:
    register = after(STAFFED, lost(seal()))

    assert register_after(register, lost(seal()), NOON_US + 1).voided == register.voided
    refused(register, revoked(), AlreadyRegistered)
    register = after(STAFFED, revoked())
    assert register_after(register, revoked(), NOON_US + 1).voided == register.voided
    refused(register, lost(seal()), AlreadyRegistered)


@pytest.mark.clause("hubei-14")
@pytest.mark.refusal("CERTIFICATE_LOST")
@pytest.mark.parametrize("kind", [LossNotice, Revocation])
def test_a_void_certificate_is_void_in_other_bytes_too(
    kind: type[LossNotice | Revocation],
) -> None:
    matter = kind(certificate=SEAL, holder=seal(), twins=(NEW,))
    signers = (OFFICER,) if kind is LossNotice else (OFFICER, SUPERVISOR)

    register = after(STAFFED, registration(matter, *signers))

    for form in (SEAL, NEW):
        with pytest.raises(CertificateLost):
            register.require_not_void([form])
    register.require_not_void([SEAL, NEW], existed_us=NOON_US - 1)
    (shown,) = register_to_message(register).void_certificates
    assert shown.digest == SEAL
    # Who gives notice of the other form says nothing new.
    other = replace(matter, certificate=NEW, twins=(SEAL,))
    again = after(register, registration(other, *signers))
    assert again.voided == register.voided


@pytest.mark.clause("hubei-14")
def test_any_one_person_with_a_post_tells_of_a_loss() -> None:
    reviewer = person("first")
    register = after(STAFFED, assigned(reviewer, Post.FIRST_REVIEWER))

    assert after(register, lost(seal(), FINANCE, reviewer)).voided
    refused(register, lost(seal(), FINANCE, person("nobody")), SignersRefused)


@pytest.mark.clause("hubei-13")
def test_a_revocation_needs_two_and_counts_as_a_loss_does() -> None:
    register = after(STAFFED, revoked())

    with pytest.raises(CertificateLost):
        register.require_in_use(SEAL)
    assert not register.voided[SEAL].is_loss


def activation(
    application: Registration,
    *,
    holder: Identity | None = None,
    public_key: bytes = KEY,
) -> Registration:
    matter = CertificateActivation(
        application=application.digest,
        certificate=NEW,
        holder=holder or seal(),
        public_key=public_key,
        valid_until_us=NOON_US + DAY_US,
    )
    return registration(matter, MANAGER)


@pytest.mark.clause("hubei-13")
@pytest.mark.refusal(
    *("CERTIFICATE_NOT_ACTIVE", "SIGNERS_REFUSED"),
    *("NOT_REGISTERED", "ALREADY_REGISTERED"),
)
def test_a_certificate_is_applied_for_approved_and_then_put_to_use() -> None:
    applied = registration(
        CertificateApplication(holder=seal(), public_key=KEY), MANAGER
    )
    approved = registration(CertificateApproval(application=applied.digest), OFFICER)
    waiting = after(STAFFED, applied)

    refused(STAFFED, approved, NotRegistered)
    refused(STAFFED, activation(applied), NotRegistered)
    refused(waiting, activation(applied), SignersRefused)
    with pytest.raises(CertificateNotActive):
        after(waiting, approved).require_in_use(NEW)
    for wrong in (
        activation(applied, public_key=OTHER_KEY),
        activation(applied, holder=seal(UNIT)),
    ):
        refused(after(waiting, approved), wrong, NotRegistered)

    used = after(waiting, approved, activation(applied))

    used.require_in_use(NEW)
    used.require_in_use(SEAL)  # until it expires: a renewal overlaps
    again = registration(CertificateApproval(application=applied.digest), OFFICER)
    refused(used, again, AlreadyRegistered)
    refused(used, activation(applied), AlreadyRegistered)


@pytest.mark.clause("hubei-13")
@pytest.mark.refusal("MATTER_FOREIGN")
def test_whom_we_host_approves_and_activates_nothing_of_ours() -> None:
    # Posts are one table for all parties hosted here; what they are for is not.
    theirs = person("officer", UNIT), person("manager", UNIT)
    applied = registration(
        CertificateApplication(holder=seal(), public_key=KEY), MANAGER
    )
    register = after(
        STAFFED,
        assigned(theirs[0], Post.SECURITY_OFFICER),
        assigned(theirs[1], Post.SYSTEM_MANAGER),
        applied,
    )
    approval = CertificateApproval(application=applied.digest)
    use = activation(applied).matter

    refused(register, registration(approval, theirs[0], by=UNIT), MatterForeign)
    approved = after(register, registration(approval, OFFICER))
    refused(approved, registration(use, theirs[1], by=UNIT), MatterForeign)

    # Of their own seal they do both.
    own = registration(
        CertificateApplication(holder=seal(UNIT), public_key=KEY), MANAGER
    )
    approval = CertificateApproval(application=own.digest)
    use = activation(own, holder=seal(UNIT)).matter
    after(
        register,
        own,
        registration(approval, theirs[0], by=UNIT),
        registration(use, theirs[1], by=UNIT),
    ).require_in_use(NEW)


@pytest.mark.clause("hubei-13", "hubei-24")
@pytest.mark.refusal("SAME_PERSON")
def test_who_applied_approves_nothing_in_another_post() -> None:
    other = person("other")
    applied = registration(
        CertificateApplication(holder=seal(), public_key=KEY), MANAGER
    )
    approval = registration(CertificateApproval(application=applied.digest), MANAGER)
    moved = (
        assigned(other, Post.SYSTEM_MANAGER),
        applied,
        registration(
            PostWithdrawal(holder=MANAGER, post=Post.SYSTEM_MANAGER),
            *(other, SUPERVISOR),
        ),
        registration(
            PostAssignment(holder=MANAGER, post=Post.SECURITY_OFFICER),
            *(other, SUPERVISOR),
        ),
    )

    refused(after(STAFFED, *moved), approval, SamePerson)


@pytest.mark.refusal("ALREADY_REGISTERED")
def test_what_is_registered_is_not_registered_again() -> None:
    applied = CertificateApplication(holder=seal(), public_key=KEY)
    for one in (
        agreed(),
        filed(filing(seal())),
        registration(applied, MANAGER),
    ):
        refused(after(STAFFED, one), one, AlreadyRegistered)


# --- filings -------------------------------------------------------------------


def filed(matter: Filing, by: str = FINANCE) -> Registration:
    signers = (OFFICER, SUPERVISOR)
    if by != FINANCE:
        signers = (person("a", by), person("b", by))
    return registration(matter, *signers, by=by)


def may_seal(
    register: Register,
    *,
    holder: Identity | None = None,
    position: str = "gz",
    type_code: int = 5201,
    amount_fen: int = 100,
    at_us: int = NOON_US,
) -> bool:
    urn = (holder or seal()).to_urn()
    try:
        register.require_filed([(position, urn)], type_code, amount_fen, at_us)
    except (FilingMissing, OutsideFiling):
        return False
    return True


@pytest.mark.clause("hubei-15b")
@pytest.mark.refusal("FILING_MISSING")
def test_a_seal_that_was_not_filed_is_refused() -> None:
    register = after(STAFFED, filed(filing(seal(UNIT))))

    with pytest.raises(FilingMissing) as caught:
        register.require_filed([("gz", seal().to_urn())], 5201, 1, NOON_US)
    assert caught.value.facts == {"holder": seal().to_urn()}
    assert may_seal(register, holder=seal(UNIT))


@pytest.mark.clause("hubei-15b")
@pytest.mark.refusal("OUTSIDE_FILING")
def test_a_seal_outside_its_filing_is_refused() -> None:
    scope = filing(
        seal(),
        types=frozenset({5201}),
        amount_max_fen=100,
        positions=frozenset({"gz"}),
    )
    register = after(STAFFED, filed(scope))

    assert may_seal(register)
    assert may_seal(register, amount_fen=-100)
    for outside in (
        {"position": "zqz"},
        {"type_code": 8202},
        {"amount_fen": 101},
        {"amount_fen": -101},
    ):
        assert not may_seal(register, **outside)


@pytest.mark.clause("hubei-15b")
@pytest.mark.refusal("FILING_MISSING")
def test_a_filing_holds_on_its_days() -> None:
    register = after(
        STAFFED, filed(filing(seal(), valid_from=TODAY, valid_until=TODAY))
    )

    assert may_seal(register)
    assert not may_seal(register, at_us=NOON_US - DAY_US)
    assert not may_seal(register, at_us=NOON_US + DAY_US)
    assert YESTERDAY < TODAY < TOMORROW


def test_filings_add_up_place_by_place() -> None:
    small = filing(seal(), types=frozenset({5201}), amount_max_fen=100)
    large = filing(seal(), types=frozenset({5201}), positions=frozenset({"zqz"}))
    register = after(STAFFED, filed(small), filed(large))

    assert may_seal(register, amount_fen=100)
    assert not may_seal(register, amount_fen=101)
    assert may_seal(register, position="zqz", amount_fen=10**15)


@pytest.mark.refusal("NOT_REGISTERED", "MATTER_FOREIGN")
def test_a_filing_is_withdrawn_by_its_party() -> None:
    ours, theirs = filed(filing(seal())), filed(filing(seal(BANK)), BANK)
    register = after(STAFFED, ours, theirs)
    end: Matter = FilingWithdrawal(filing=ours.digest)

    assert not may_seal(after(register, registration(end, OFFICER, SUPERVISOR)))
    stranger = registration(end, person("a", BANK), person("b", BANK), by=BANK)
    refused(register, stranger, MatterForeign)
    unknown = FilingWithdrawal(filing=b"?" * 32)
    refused(register, registration(unknown, OFFICER, SUPERVISOR), NotRegistered)
    refused(STAFFED, filed(filing(seal()), BANK), MatterForeign)


def test_all_that_is_known_of_a_day_is_forgotten_with_the_next_registration() -> None:
    assert not may_send(STAFFED)
    assert not may_seal(STAFFED)

    later = after(STAFFED, agreed(), filed(filing(seal())))

    assert may_send(later)
    assert may_seal(later)
    assert isinstance(
        later.agreements[next(iter(later.agreements))].agreement, Agreement
    )
