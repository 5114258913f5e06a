"""Whose signatures a registration needs; what signed otherwise changes nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from counterfoil.domain.duties import seats_of
from counterfoil.domain.party import Identity
from counterfoil.domain.posts import PERSONS, Post, are_compatible
from counterfoil.domain.refusals import CounterfoilError, SamePerson
from counterfoil.domain.register import Register
from counterfoil.domain.register_refusals import (
    AlreadyRegistered,
    MatterForeign,
    NotFounded,
    NotRegistered,
    OwnPost,
    PostsIncompatible,
    RegistrationNumberReused,
    SignersRefused,
)
from counterfoil.domain.registration import (
    AgreementChange,
    AuditCheck,
    CertificateActivation,
    CertificateApplication,
    CertificateApproval,
    CertificateDemand,
    Change,
    FilingWithdrawal,
    Founding,
    LossNotice,
    Matter,
    PostAssignment,
    PostWithdrawal,
    Registration,
    Revocation,
)
from tests.unit.domain.registrations import (
    BANK,
    BANKS_SUPERVISOR,
    EMPTY,
    FINANCE,
    FOUNDED,
    MANAGER,
    NOON_US,
    OFFICER,
    OTHER,
    SEAL,
    STAFFED,
    SUPERVISOR,
    UNIT,
    after,
    agreed,
    agreement,
    assigned,
    filing,
    person,
    registration,
    seal,
    system,
)

KEY = b"k" * 32
FOUNDING = Founding(supervisor=SUPERVISOR, system_manager=MANAGER)
HOLDERS = {
    Post.SUPERVISOR: SUPERVISOR,
    Post.SYSTEM_MANAGER: MANAGER,
    Post.SECURITY_OFFICER: OFFICER,
    Post.FIRST_REVIEWER: person("first"),
    Post.SECOND_REVIEWER: person("second"),
    Post.ARCHIVIST: person("archivist"),
}


def everybody() -> Register:
    """Return a register in which every post of a person has a holder."""
    return after(
        STAFFED,
        *(
            assigned(holder, post)
            for post, holder in HOLDERS.items()
            if holder not in {SUPERVISOR, MANAGER, OFFICER}
        ),
        assigned(system(), Post.BUSINESS_SYSTEM),
    )


EVERYBODY = everybody()
AGREED = agreed()
FILED = registration(filing(seal()), OFFICER, SUPERVISOR)
APPLIED = registration(CertificateApplication(holder=seal(), public_key=KEY), MANAGER)
BEFORE = after(EVERYBODY, AGREED, FILED, APPLIED)
MATTERS: dict[str, Matter] = {
    "assign": PostAssignment(holder=person("new"), post=Post.FIRST_REVIEWER),
    "withdraw": PostWithdrawal(holder=person("first"), post=Post.FIRST_REVIEWER),
    "suspend": AgreementChange(agreement=AGREED.digest, change=Change.SUSPEND),
    "end": AgreementChange(agreement=AGREED.digest, change=Change.END),
    "loss": LossNotice(certificate=SEAL, holder=seal()),
    "revoke": Revocation(certificate=SEAL, holder=seal()),
    "apply": CertificateApplication(holder=seal(), public_key=b"o" * 32),
    "approve": CertificateApproval(application=APPLIED.digest),
    "file": filing(seal(), types=frozenset({5201})),
    "unfile": FilingWithdrawal(filing=FILED.digest),
    "check": AuditCheck(matter="log", finding="in order"),
}


def refused(
    register: Register, one: Registration, kind: type[CounterfoilError]
) -> CounterfoilError:
    """Return the refusal of a registration."""
    with pytest.raises(kind) as caught:
        after(register, one)
    return caught.value


@pytest.mark.clause("hubei-36", "hubei-24")
@pytest.mark.refusal("SIGNERS_REFUSED")
@pytest.mark.parametrize("name", MATTERS)
def test_exactly_the_posts_that_are_due_may_sign(name: str) -> None:
    matter = MATTERS[name]
    seats = seats_of(matter)
    taken = []
    for posts in product(HOLDERS, repeat=len(seats)):
        signers = [HOLDERS[post] for post in posts]
        if len(set(signers)) < len(signers):
            continue
        one = registration(matter, *signers)
        try:
            after(BEFORE, one)
        except SignersRefused:
            continue
        except OwnPost:
            continue
        taken.append(posts)

    allowed = [
        posts
        for posts in product(HOLDERS, repeat=len(seats))
        if len(set(posts)) == len(posts)
        and all(post in seat for post, seat in zip(posts, seats, strict=True))
    ]
    assert taken == allowed
    assert taken


@pytest.mark.clause("hubei-36")
@pytest.mark.refusal("SIGNERS_REFUSED")
@pytest.mark.parametrize("name", MATTERS)
def test_one_signature_less_or_more_is_refused(name: str) -> None:
    matter = MATTERS[name]
    signers = [
        next(HOLDERS[post] for post in HOLDERS if post in seat)
        for seat in seats_of(matter)
    ]
    after(BEFORE, registration(matter, *signers))

    refused(BEFORE, registration(matter, *signers[:-1]), SignersRefused)
    refused(BEFORE, registration(matter, *signers, person("new")), SignersRefused)


@pytest.mark.clause("hubei-36")
@pytest.mark.refusal("SAME_PERSON")
def test_nobody_signs_twice() -> None:
    for matter in MATTERS.values():
        if len(seats_of(matter)) > 1:
            refused(BEFORE, registration(matter, SUPERVISOR, SUPERVISOR), SamePerson)


@pytest.mark.refusal("SIGNERS_REFUSED")
def test_no_program_and_no_seal_signs() -> None:
    for signer in (system(), seal()):
        refused(BEFORE, registration(MATTERS["loss"], signer), SignersRefused)
    lost = LossNotice(certificate=SEAL, holder=seal(BANK))
    for signer in (system(party=BANK), seal(BANK)):
        refused(BEFORE, registration(lost, signer, by=BANK), SignersRefused)


@pytest.mark.refusal("OWN_POST")
@pytest.mark.clause("hubei-36")
def test_nobody_signs_for_his_own_post() -> None:
    two = after(BEFORE, assigned(person("other"), Post.SUPERVISOR))
    own = PostWithdrawal(holder=SUPERVISOR, post=Post.SUPERVISOR)

    refused(two, registration(own, MANAGER, SUPERVISOR), OwnPost)

    taken = after(two, registration(own, MANAGER, person("other")))
    assert taken.posts_of(SUPERVISOR) == frozenset()


@pytest.mark.refusal("NOT_FOUNDED")
def test_before_the_register_is_opened_nobody_can_sign() -> None:
    for matter in (MATTERS["assign"], MATTERS["loss"], agreement()):
        signers = [MANAGER, SUPERVISOR][: len(seats_of(matter))]
        if matter == agreement():
            signers = [SUPERVISOR, BANKS_SUPERVISOR]
        refused(EMPTY, registration(matter, *signers), NotFounded)


@pytest.mark.refusal("SIGNERS_REFUSED", "MATTER_FOREIGN", "ALREADY_REGISTERED")
def test_a_register_is_opened_once_by_the_two_it_names() -> None:
    for signers in (
        (SUPERVISOR, MANAGER),
        (MANAGER, person("other")),
        (person("other"), SUPERVISOR),
    ):
        refused(EMPTY, registration(FOUNDING, *signers), SignersRefused)
    theirs = registration(FOUNDING, MANAGER, SUPERVISOR, by=BANK)
    refused(EMPTY, theirs, SignersRefused)
    hosted = registration(FOUNDING, MANAGER, SUPERVISOR, by=UNIT)
    refused(EMPTY, hosted, MatterForeign)

    opened = after(EMPTY, registration(FOUNDING, MANAGER, SUPERVISOR))

    assert opened.posts_of(SUPERVISOR) == {Post.SUPERVISOR}
    assert opened.posts_of(MANAGER) == {Post.SYSTEM_MANAGER}
    refused(opened, registration(FOUNDING, MANAGER, SUPERVISOR), AlreadyRegistered)


@pytest.mark.clause("hubei-24", "hubei-36")
@pytest.mark.refusal("POSTS_INCOMPATIBLE")
@pytest.mark.parametrize("held", [post for post in Post if post in PERSONS])
def test_posts_that_exclude_each_other_are_not_given_to_one_person(held: Post) -> None:
    holder = HOLDERS[held]
    for post in Post:
        if post is held:
            continue
        signers = MANAGER, SUPERVISOR
        if holder in signers:
            other = person(f"other-{held.value}")
            before = after(BEFORE, assigned(other, held))
            signers = (MANAGER, other) if holder is SUPERVISOR else (other, SUPERVISOR)
        else:
            before = BEFORE
        one = registration(PostAssignment(holder=holder, post=post), *signers)
        pair = {held, post}
        if pair == {Post.FIRST_REVIEWER, Post.SECOND_REVIEWER}:
            assert after(before, one).posts_of(holder) == pair
        else:
            refused(before, one, PostsIncompatible)


def test_only_the_two_reviews_go_together() -> None:
    reviews = frozenset({Post.FIRST_REVIEWER, Post.SECOND_REVIEWER})
    for one, other in product(Post, Post):
        both = frozenset({one, other})
        assert are_compatible(both) is (one is other or both == reviews)
    assert not are_compatible(reviews | {Post.ARCHIVIST})


@pytest.mark.refusal("POSTS_INCOMPATIBLE")
def test_a_program_is_a_business_system_and_a_person_never() -> None:
    refused(BEFORE, assigned(system("2"), Post.FIRST_REVIEWER), PostsIncompatible)
    refused(BEFORE, assigned(person("new"), Post.BUSINESS_SYSTEM), PostsIncompatible)
    refused(BEFORE, assigned(seal(), Post.BUSINESS_SYSTEM), PostsIncompatible)


@pytest.mark.refusal("MATTER_FOREIGN", "ALREADY_REGISTERED", "NOT_REGISTERED")
def test_posts_are_given_to_those_hosted_here_and_once() -> None:
    unit = person("first", UNIT)
    given = after(BEFORE, assigned(unit, Post.FIRST_REVIEWER))
    assert given.posts_of(unit) == {Post.FIRST_REVIEWER}

    refused(given, assigned(unit, Post.FIRST_REVIEWER), AlreadyRegistered)
    refused(BEFORE, assigned(person("first", BANK), Post.FIRST_REVIEWER), MatterForeign)
    never = PostWithdrawal(holder=unit, post=Post.FIRST_REVIEWER)
    refused(BEFORE, registration(never, MANAGER, SUPERVISOR), NotRegistered)
    host = registration(MATTERS["assign"], MANAGER, SUPERVISOR, by=UNIT)
    refused(BEFORE, host, MatterForeign)


@pytest.mark.clause("hubei-36")
@pytest.mark.refusal("OWN_POST", "SIGNERS_REFUSED")
def test_a_supervisor_and_a_system_manager_are_always_left() -> None:
    unit = person("supervisor", UNIT)
    with_unit = after(BEFORE, assigned(unit, Post.SUPERVISOR))
    last = PostWithdrawal(holder=SUPERVISOR, post=Post.SUPERVISOR)

    refused(with_unit, registration(last, MANAGER, SUPERVISOR), OwnPost)
    # A hosted party's supervisor signs for that party and not for its host.
    refused(with_unit, registration(last, MANAGER, unit), SignersRefused)

    managers = after(with_unit, assigned(person("second-manager"), Post.SYSTEM_MANAGER))
    gone = PostWithdrawal(holder=MANAGER, post=Post.SYSTEM_MANAGER)
    left = after(managers, registration(gone, person("second-manager"), SUPERVISOR))
    assert left.holders_of(Post.SYSTEM_MANAGER) == (person("second-manager").to_urn(),)


def test_a_post_that_is_taken_leaves_the_others() -> None:
    holder = person("first")
    both = after(BEFORE, assigned(holder, Post.SECOND_REVIEWER))
    taken = registration(
        PostWithdrawal(holder=holder, post=Post.FIRST_REVIEWER), MANAGER, SUPERVISOR
    )

    assert after(both, taken).posts_of(holder) == {Post.SECOND_REVIEWER}


@pytest.mark.refusal("REGISTRATION_NUMBER_REUSED")
def test_a_number_is_used_once() -> None:
    one = registration(MATTERS["check"], OFFICER, number="7")
    other = registration(
        AuditCheck(matter="log", finding="not in order"), OFFICER, number="7"
    )

    refused(after(BEFORE, one), other, RegistrationNumberReused)


@pytest.mark.refusal("SIGNERS_REFUSED", "MATTER_FOREIGN")
def test_a_peer_registers_what_is_its_own_by_its_own_persons() -> None:
    theirs = person("anybody", BANK)
    lost = LossNotice(certificate=SEAL, holder=seal(BANK))

    taken = after(BEFORE, registration(lost, theirs, by=BANK))
    assert taken.voided[SEAL].by == BANK

    refused(BEFORE, registration(lost, person("x", OTHER), by=BANK), SignersRefused)
    ours = LossNotice(certificate=SEAL, holder=seal(FINANCE))
    refused(BEFORE, registration(ours, theirs, by=BANK), MatterForeign)
    check = registration(MATTERS["check"], theirs, by=BANK)
    refused(BEFORE, check, MatterForeign)


@pytest.mark.parametrize(
    "matter",
    [
        MATTERS["assign"],
        MATTERS["withdraw"],
        MATTERS["apply"],
        MATTERS["approve"],
        # Of what is not there either: nobody is told by refusals what is.
        CertificateApproval(application=b"?" * 32),
        CertificateActivation(
            application=APPLIED.digest,
            certificate=SEAL,
            holder=seal(),
            public_key=KEY,
            valid_until_us=NOON_US,
        ),
        MATTERS["check"],
        CertificateDemand(party=FINANCE),
        CertificateDemand(party=BANK),
    ],
)
@pytest.mark.refusal("MATTER_FOREIGN")
def test_what_is_ours_no_peer_registers(matter: Matter) -> None:
    signers: list[Identity] = [person("a", BANK), person("b", BANK)]
    one = registration(matter, *signers[: len(seats_of(matter))], by=BANK)

    refused(BEFORE, one, MatterForeign)


def test_a_refused_registration_changes_nothing() -> None:
    before = replace(BEFORE)

    refused(
        BEFORE, registration(MATTERS["assign"], SUPERVISOR, MANAGER), SignersRefused
    )

    assert before == BEFORE
    assert FOUNDED.is_founded
