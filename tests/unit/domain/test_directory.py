"""The directory of persons: who may name a certificate, and for whom (人员名录)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from counterfoil.domain.duties import TOLD
from counterfoil.domain.party import Identity
from counterfoil.domain.posts import Post
from counterfoil.domain.refusals import CounterfoilError, SamePerson
from counterfoil.domain.register import Register
from counterfoil.domain.register_refusals import (
    CertificateLost,
    IdentityAmbiguous,
    MatterForeign,
    NotRegistered,
    SignersRefused,
    SignerUnlisted,
)
from counterfoil.domain.registering import register_after
from counterfoil.domain.registration import (
    CertificateActivation,
    CertificateApplication,
    CertificateApproval,
    DirectoryEntry,
    DirectoryRemoval,
    Founding,
    LossNotice,
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
    OTHER,
    STAFFED,
    SUPERVISOR,
    THEIR_UNIT,
    UNIT,
    after,
    assigned,
    person,
    registration,
    seal,
    system,
)

CARD, OTHER_CARD = sha256(b"card").digest(), sha256(b"other card").digest()
KEY, OTHER_KEY = b"k" * 32, b"o" * 32
LI, WANG = person("li"), person("wang")
TWO_OF_BANK = person("a", BANK), person("b", BANK)


def entry(
    holder: Identity = LI, certificate: bytes = CARD, key: bytes = KEY
) -> DirectoryEntry:
    return DirectoryEntry(
        certificate=certificate, public_key=key, holder=holder, valid_until_us=NOON_US
    )


def listed(
    matter: DirectoryEntry | None = None, by: str = FINANCE, *signers: Identity
) -> Registration:
    ours = (OFFICER, SUPERVISOR) if by == FINANCE else TWO_OF_BANK
    return registration(matter or entry(), *(signers or ours), by=by)


def removed(
    certificate: bytes = CARD, by: str = FINANCE, *signers: Identity
) -> Registration:
    ours = (OFFICER, SUPERVISOR) if by == FINANCE else TWO_OF_BANK
    matter = DirectoryRemoval(certificate=certificate)
    return registration(matter, *(signers or ours), by=by)


def refused(
    register: Register, one: Registration, kind: type[CounterfoilError]
) -> CounterfoilError:
    with pytest.raises(kind) as caught:
        after(register, one)
    return caught.value


LISTED = after(STAFFED, listed())


@pytest.mark.clause("hubei-11", "hubei-13")
@pytest.mark.refusal("SIGNER_UNLISTED")
def test_a_certificate_is_whose_the_directory_says() -> None:
    assert STAFFED.name_of(CARD) is None
    assert LISTED.name_of(CARD) == LI
    assert LISTED.names() == {CARD: LI}

    LISTED.require_listed([(CARD, LI.to_urn())])
    STAFFED.require_listed([])
    for register, urn in ((STAFFED, LI.to_urn()), (LISTED, WANG.to_urn())):
        with pytest.raises(SignerUnlisted) as caught:
            register.require_listed([(CARD, urn)])
        assert caught.value.facts == {"certificate": CARD.hex(), "holder": urn}


@pytest.mark.clause("hubei-13", "hubei-24")
@pytest.mark.refusal("SIGNERS_REFUSED", "SAME_PERSON")
def test_two_persons_of_their_posts_name_and_take_the_name() -> None:
    reviewer = person("reviewer")
    register = after(LISTED, assigned(reviewer, Post.FIRST_REVIEWER))
    other = entry(WANG, OTHER_CARD, OTHER_KEY)
    for matter in (other, DirectoryRemoval(certificate=CARD)):
        for signers in (
            (SUPERVISOR, OFFICER),
            (OFFICER, MANAGER),
            (MANAGER, SUPERVISOR),
            (reviewer, SUPERVISOR),
            (OFFICER, person("supervisor", BANK)),
            (OFFICER,),
            (OFFICER, SUPERVISOR, MANAGER),
        ):
            refused(register, registration(matter, *signers), SignersRefused)
        refused(register, registration(matter, OFFICER, OFFICER), SamePerson)
        after(register, registration(matter, OFFICER, SUPERVISOR))


@pytest.mark.clause("hubei-11")
@pytest.mark.refusal("MATTER_FOREIGN")
def test_a_directory_names_nobody_of_another_party() -> None:
    for holder in (person("li", BANK), seal(OTHER), person("li", THEIR_UNIT)):
        error = refused(STAFFED, listed(entry(holder)), MatterForeign)
        assert error.facts == {"holder": holder.to_urn()}
    for holder in (LI, person("li", OTHER), seal(UNIT)):
        refused(STAFFED, listed(entry(holder), BANK), MatterForeign)

    # Its own, and those that it carries for.
    for holder in (LI, system(), seal(), person("li", UNIT), seal(UNIT)):
        assert after(STAFFED, listed(entry(holder))).name_of(CARD) == holder
    for holder in (person("li", BANK), person("li", THEIR_UNIT)):
        assert after(STAFFED, listed(entry(holder), BANK)).name_of(CARD) == holder


@pytest.mark.clause("hubei-11")
@pytest.mark.refusal("IDENTITY_AMBIGUOUS")
def test_a_certificate_or_key_is_never_two_persons() -> None:
    for again in (
        entry(WANG),
        entry(WANG, CARD, OTHER_KEY),
        entry(WANG, OTHER_CARD, KEY),
        entry(system(), OTHER_CARD, KEY),
    ):
        error = refused(LISTED, listed(again), IdentityAmbiguous)
        assert error.facts == {"holder": LI.to_urn()}
    theirs = entry(person("li", BANK))
    refused(LISTED, listed(theirs, BANK), IdentityAmbiguous)
    # Listed again for the same, it is told to whom it was not told before.
    repeated = listed()
    assert after(LISTED, repeated).directory[CARD].entry == repeated.digest

    # A person may have several, a renewed one of the same key as well.
    more = after(LISTED, listed(entry(LI, OTHER_CARD, KEY)))
    assert more.names() == {CARD: LI, OTHER_CARD: LI}
    # And a certificate another holder once nobody has it any more.
    assert after(LISTED, removed(), listed(entry(WANG))).name_of(CARD) == WANG


@pytest.mark.clause("hubei-13")
@pytest.mark.refusal("NOT_REGISTERED", "MATTER_FOREIGN")
def test_a_name_is_taken_by_the_party_that_gave_it() -> None:
    assert after(LISTED, removed()).names() == {}
    refused(STAFFED, removed(), NotRegistered)
    refused(after(LISTED, removed()), removed(), NotRegistered)
    refused(LISTED, removed(CARD, BANK), MatterForeign)
    theirs = after(
        LISTED, listed(entry(person("x", BANK), OTHER_CARD, OTHER_KEY), BANK)
    )
    refused(theirs, removed(OTHER_CARD), MatterForeign)
    assert after(theirs, removed(OTHER_CARD, BANK)).names() == {CARD: LI}


def test_peers_are_told_of_the_directory() -> None:
    assert {DirectoryEntry, DirectoryRemoval} <= set(TOLD)


@pytest.mark.clause("hubei-14")
@pytest.mark.refusal("CERTIFICATE_LOST", "NOT_REGISTERED", "MATTER_FOREIGN")
def test_a_listed_certificate_is_lost_for_good() -> None:
    notice = LossNotice(certificate=CARD, holder=None)
    revocation = Revocation(certificate=CARD, holder=None)
    refused(STAFFED, registration(notice, OFFICER), NotRegistered)
    refused(STAFFED, registration(revocation, OFFICER, SUPERVISOR), NotRegistered)
    strangers = registration(notice, person("a", BANK), by=BANK)
    refused(LISTED, strangers, MatterForeign)

    lost = after(LISTED, registration(notice, OFFICER))

    assert lost.voided[CARD].holder == LI
    with pytest.raises(CertificateLost):
        lost.require_not_void([CARD])
    # Nobody gets a name for it by taking it out and listing it again.
    gone = after(lost, removed())
    for again in (entry(), entry(WANG)):
        refused(gone, listed(again), CertificateLost)
    revoked = after(LISTED, registration(revocation, OFFICER, SUPERVISOR))
    assert not revoked.voided[CARD].is_loss


@pytest.mark.clause("hubei-11")
@pytest.mark.refusal("IDENTITY_AMBIGUOUS", "CERTIFICATE_LOST", "MATTER_FOREIGN")
def test_no_peer_takes_a_certificate_of_ours_by_listing_it_first() -> None:
    theirs = person("x", BANK)
    notice = LossNotice(certificate=CARD, holder=None, twins=(OTHER_CARD,))
    claimed = after(
        STAFFED,
        listed(entry(theirs), BANK),
        registration(notice, person("a", BANK), by=BANK),
    )
    assert claimed.voided[CARD].holder == theirs

    ours = after(claimed, listed())

    assert ours.names() == {CARD: LI}
    ours.require_not_void([CARD])
    # The other way round it is ours for good, until we take it out.
    refused(ours, listed(entry(theirs), BANK), IdentityAmbiguous)
    refused(ours, registration(notice, person("a", BANK), by=BANK), MatterForeign)
    # By its key as well, and of two peers the first counts.
    by_key = after(claimed, listed(entry(LI, b"t" * 32, KEY)))
    assert by_key.names() == {b"t" * 32: LI}
    other = entry(person("x", OTHER))
    third = person("a", OTHER), person("b", OTHER)
    refused(claimed, listed(other, OTHER, *third), IdentityAmbiguous)

    # What is ours we lose ourselves, whatever was said before, and for good; also where
    # a peer said it of the same certificate in other bytes.
    twin = after(
        STAFFED,
        listed(entry(theirs, OTHER_CARD), BANK),
        registration(
            replace(notice, certificate=OTHER_CARD, twins=(CARD,)),
            person("a", BANK),
            by=BANK,
        ),
        listed(),
    )
    for named in (twin, ours):
        named.require_not_void([CARD])
        void = register_after(named, registration(notice, OFFICER), NOON_US + 1)
        stated = void.voided[CARD]
        assert (stated.holder, stated.time_us) == (LI, NOON_US + 1)
        for form in (CARD, OTHER_CARD):
            with pytest.raises(CertificateLost):
                void.require_not_void([form])
    lost = after(ours, registration(notice, OFFICER))
    refused(lost, listed(entry(WANG)), IdentityAmbiguous)
    refused(after(lost, removed()), listed(entry(WANG)), CertificateLost)


@pytest.mark.clause("hubei-13")
@pytest.mark.refusal("NOT_REGISTERED")
def test_a_certificate_without_a_name_is_put_to_use_as_whom_it_is_listed() -> None:
    applied = registration(CertificateApplication(holder=LI, public_key=KEY), MANAGER)
    approved = registration(CertificateApproval(application=applied.digest), OFFICER)
    used = registration(
        CertificateActivation(
            application=applied.digest,
            certificate=CARD,
            holder=None,
            public_key=KEY,
            valid_until_us=NOON_US,
        ),
        MANAGER,
    )
    waiting = after(STAFFED, applied, approved)

    refused(waiting, used, NotRegistered)
    refused(after(waiting, listed(entry(WANG))), used, NotRegistered)
    assert CARD in after(waiting, listed(), used).in_use


def founding(*entries: DirectoryEntry) -> Registration:
    matter = Founding(supervisor=SUPERVISOR, system_manager=MANAGER, directory=entries)
    return registration(matter, MANAGER, SUPERVISOR)


@pytest.mark.clause("hubei-11")
@pytest.mark.refusal("IDENTITY_AMBIGUOUS", "MATTER_FOREIGN")
def test_a_register_is_opened_with_the_names_of_its_first_persons() -> None:
    first = entry(SUPERVISOR)
    second = entry(MANAGER, OTHER_CARD, OTHER_KEY)

    opened = after(EMPTY, founding(first, second))

    assert opened.names() == {CARD: SUPERVISOR, OTHER_CARD: MANAGER}
    assert opened.is_founded
    refused(
        EMPTY, founding(first, replace(second, certificate=CARD)), IdentityAmbiguous
    )
    refused(EMPTY, founding(first, replace(second, public_key=KEY)), IdentityAmbiguous)
    refused(EMPTY, founding(entry(person("x", BANK))), MatterForeign)


@pytest.mark.clause("hubei-11")
@pytest.mark.refusal("MATTER_FOREIGN", "SIGNERS_REFUSED")
def test_of_a_peers_opening_the_names_are_taken_and_only_before_ours() -> None:
    theirs = Founding(
        supervisor=person("supervisor", BANK),
        system_manager=person("manager", BANK),
        certificates=(OTHER_CARD,),
        directory=(entry(person("supervisor", BANK)),),
    )
    signers = theirs.system_manager, theirs.supervisor
    known = after(EMPTY, registration(theirs, *signers, by=BANK))

    assert known == replace(EMPTY, directory=known.directory, numbers=known.numbers)
    assert known.names() == {CARD: theirs.supervisor}
    ours = after(known, founding())
    assert (ours.is_founded, ours.names()) == (True, known.names())
    refused(ours, registration(theirs, *signers, by=BANK), MatterForeign)
    refused(EMPTY, registration(theirs, *signers, by=OTHER), SignersRefused)
    refused(EMPTY, registration(theirs, *reversed(signers), by=BANK), SignersRefused)
    hosted = replace(theirs, supervisor=SUPERVISOR, system_manager=MANAGER)
    refused(EMPTY, registration(hosted, MANAGER, SUPERVISOR, by=UNIT), MatterForeign)
    refused(STAFFED, registration(hosted, MANAGER, SUPERVISOR, by=BANK), MatterForeign)


@pytest.mark.refusal("NOT_FOUNDED")
def test_nobody_names_anybody_before_the_register_is_open() -> None:
    with pytest.raises(CounterfoilError) as caught:
        after(EMPTY, listed())
    assert caught.value.reason == "NOT_FOUNDED"
