"""The directory in the vault: names hold from their leaf on, in the transaction."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import EnterRegistration, Recorded
from counterfoil.domain.document import Document
from counterfoil.domain.party import Identity, Use
from counterfoil.domain.posts import Post
from counterfoil.domain.register_refusals import (
    CertificateLost,
    CertificateNotActive,
    SignerUnlisted,
)
from counterfoil.domain.registration import (
    AgreedWay,
    Agreement,
    AuditCheck,
    CertificateActivation,
    CertificateApplication,
    CertificateApproval,
    CertificateDemand,
    DirectoryEntry,
    DirectoryRemoval,
    Filing,
    Founding,
    LossNotice,
    Matter,
    PostAssignment,
    Registration,
)
from counterfoil.vault.findings import Fault
from counterfoil.vault.verify import verify_vault
from tests.contract.vaults import (
    BANK,
    FINANCE,
    LANES,
    ORIGIN,
    SAID,
    UNFOUNDED,
    Bench,
    recorded,
    registered,
    step,
    voucher,
)

CARD, OTHER_CARD, SEAL, STRAY = b"c" * 32, b"o" * 32, b"s" * 32, b"?" * 32
K = DocumentKind


def person(name: str, party: str = FINANCE) -> Identity:
    return Identity(party=party, use=Use.PERSON, name=name)


MANAGER, SUPERVISOR, OFFICER = person("m"), person("s"), person("o")
THEIRS, THEIR_OFFICER = person("s", BANK), person("o", BANK)
LI = person("li", BANK)


def paper(
    matter: Matter,
    *signers: Identity,
    by: str = FINANCE,
    listed: tuple[tuple[bytes, str], ...] = (),
) -> Document:
    said = Registration(
        by=by,
        number=f"d{len(SAID)}",
        told=(),
        explanation="",
        matter=matter,
        signers=signers,
        digest=b"",
    )
    return replace(registered(said), listed=listed)


def opening(*entries: DirectoryEntry) -> Document:
    matter = Founding(
        supervisor=SUPERVISOR,
        system_manager=MANAGER,
        certificates=(SEAL,),
        directory=entries,
    )
    listed = tuple((one.certificate, one.holder.to_urn()) for one in entries)
    return paper(matter, MANAGER, SUPERVISOR, listed=listed)


def entry(holder: Identity, certificate: bytes = CARD) -> DirectoryEntry:
    return DirectoryEntry(
        certificate=certificate,
        public_key=certificate,
        holder=holder,
        valid_until_us=0,
    )


def enter(bench: Bench, *documents: Document) -> None:
    for document in documents:
        recorded(bench.one(EnterRegistration(document=document, lanes=LANES)))


@pytest.fixture
def founded(bench: Bench) -> Bench:
    agreed = Agreement(
        parties=(FINANCE, BANK),
        ways=tuple(
            AgreedWay(issuer=issuer, types=frozenset({5201}))
            for issuer in (FINANCE, BANK)
        ),
        valid_from="20250101",
        valid_until="20991231",
    )
    officer = PostAssignment(holder=OFFICER, post=Post.SECURITY_OFFICER)
    enter(
        bench,
        opening(),
        paper(agreed, SUPERVISOR, THEIRS),
        paper(officer, MANAGER, SUPERVISOR),
    )
    return bench


def by_li(number: str = "1") -> Document:
    document = voucher(number, issuer=BANK, to=(FINANCE,))
    return replace(document, listed=((CARD, LI.to_urn()),))


def theirs(matter: Matter, *, listed: tuple[tuple[bytes, str], ...] = ()) -> Document:
    return paper(matter, THEIR_OFFICER, THEIRS, by=BANK, listed=listed)


@pytest.mark.clause("hubei-11")
@pytest.mark.refusal("SIGNER_UNLISTED")
def test_a_peers_voucher_holds_from_the_leaf_that_names_its_signer(
    founded: Bench,
) -> None:
    before = founded.unchanged()
    (early,) = founded.arrive(by_li()).outcomes
    assert isinstance(early, SignerUnlisted)
    assert founded.unchanged() == before

    # Also for what follows it in the batch, whatever was known when it was examined.
    named, first = founded.arrive(theirs(entry(LI)), by_li()).outcomes
    removal = theirs(DirectoryRemoval(certificate=CARD))
    taken, late = founded.arrive(removal, by_li("2")).outcomes

    assert [isinstance(one, Recorded) for one in (named, first, taken)] == [True] * 3
    assert isinstance(late, SignerUnlisted)
    # What came before stays what it was.
    (known,) = founded.arrive(by_li()).outcomes
    assert not recorded(known).new


@pytest.mark.refusal("SIGNER_UNLISTED")
def test_a_certificate_that_was_renamed_meanwhile_is_judged_again(
    founded: Bench,
) -> None:
    other = person("wang", BANK)
    founded.arrive(theirs(entry(other)))

    (outcome,) = founded.arrive(by_li()).outcomes

    assert isinstance(outcome, SignerUnlisted)
    assert outcome.facts == {"certificate": CARD.hex(), "holder": LI.to_urn()}


@pytest.mark.refusal("SIGNER_UNLISTED")
def test_nothing_of_ours_enters_by_a_name_that_was_taken(founded: Bench) -> None:
    ours = person("li")
    seals = ((CARD, ours.to_urn()),)
    one = replace(voucher("1", to=(BANK,)), listed=seals)
    arrived = voucher("9", issuer=BANK, to=(FINANCE,))
    founded.arrive(arrived)
    accepted = replace(step(K.ACCEPTANCE, arrived, by=FINANCE), listed=seals)
    assert isinstance(founded.enter(one), SignerUnlisted)
    assert isinstance(founded.enter(accepted), SignerUnlisted)

    enter(founded, paper(entry(ours), OFFICER, SUPERVISOR))

    assert isinstance(founded.enter(one), Recorded)
    assert isinstance(founded.enter(accepted), Recorded)


@pytest.mark.refusal("SIGNER_UNLISTED")
def test_a_registration_is_signed_by_names_that_stand_before_it(
    founded: Bench,
) -> None:
    filing = Filing(
        holder=LI,
        types=frozenset(),
        amount_max_fen=0,
        positions=frozenset(),
        valid_from="20250101",
        valid_until="20991231",
    )
    listed = ((CARD, THEIRS.to_urn()),)
    (early,) = founded.arrive(theirs(filing, listed=listed)).outcomes
    assert isinstance(early, SignerUnlisted)
    # Nobody is named by what only the own name signs.
    own = theirs(entry(THEIRS), listed=listed)
    (circular,) = founded.arrive(own).outcomes
    assert isinstance(circular, SignerUnlisted)

    founded.arrive(theirs(entry(THEIRS)))

    (later,) = founded.arrive(theirs(filing, listed=listed)).outcomes
    assert isinstance(later, Recorded)
    # The last that a certificate signs is that it is taken out.
    removal = theirs(DirectoryRemoval(certificate=CARD), listed=listed)
    (last,) = founded.arrive(removal).outcomes
    assert isinstance(last, Recorded)


@pytest.mark.refusal("SIGNER_UNLISTED")
def test_what_opens_a_register_names_who_opens_it(bench: Bench) -> None:
    document = opening(entry(SUPERVISOR), entry(MANAGER, OTHER_CARD))
    stranger = replace(document, listed=((SEAL, MANAGER.to_urn()),))
    refused = bench.one(EnterRegistration(document=stranger, lanes=LANES))
    assert isinstance(refused, SignerUnlisted)
    assert not bench.vault.register.is_founded

    enter(bench, document)

    assert bench.vault.register.names() == {CARD: SUPERVISOR, OTHER_CARD: MANAGER}
    lost = LossNotice(certificate=CARD, holder=None)
    enter(bench, paper(lost, MANAGER, listed=((OTHER_CARD, MANAGER.to_urn()),)))
    assert bench.vault.register.voided[CARD].holder == SUPERVISOR


# --- cards of persons who sealed what is ours -----------------------------------------


def put_to_use(holder: Identity, certificate: bytes) -> tuple[Document, ...]:
    applied = paper(
        CertificateApplication(holder=holder, public_key=certificate), MANAGER
    )
    return (
        applied,
        paper(CertificateApproval(application=applied.digest), OFFICER),
        paper(
            CertificateActivation(
                application=applied.digest,
                certificate=certificate,
                holder=holder,
                public_key=certificate,
                valid_until_us=2**60,
            ),
            MANAGER,
        ),
    )


@pytest.mark.clause("hubei-14")
@pytest.mark.refusal("CERTIFICATE_LOST")
def test_a_draft_that_a_lost_card_has_reviewed_is_not_sealed(founded: Bench) -> None:
    reviewed = replace(voucher("1", to=(BANK,)), beneath=(OTHER_CARD, CARD))
    before = replace(voucher("2", to=(BANK,)), beneath=(CARD,))
    assert isinstance(founded.enter(before), Recorded)

    enter(founded, paper(LossNotice(certificate=CARD, holder=person("li")), OFFICER))

    assert isinstance(founded.enter(reviewed), CertificateLost)
    sent = founded.enter(before, send=True)
    assert isinstance(sent, CertificateLost)


@pytest.mark.clause("hubei-13")
@pytest.mark.refusal("CERTIFICATE_NOT_ACTIVE")
def test_where_it_is_demanded_only_cards_in_use_have_sealed_and_signed(
    founded: Bench,
) -> None:
    founders = {MANAGER: b"m" * 32, SUPERVISOR: b"p" * 32, OFFICER: b"f" * 32}
    li = person("li")
    for holder, card in founders.items():
        enter(founded, *put_to_use(holder, card))
    filing = Filing(
        holder=li,
        types=frozenset(),
        amount_max_fen=0,
        positions=frozenset(),
        valid_from="20250101",
        valid_until="20991231",
    )
    enter(founded, paper(filing, OFFICER, SUPERVISOR))
    reviewed = replace(
        voucher("1", to=(BANK,)), beneath=(CARD,), sealings=(("cs", li.to_urn()),)
    )
    demand = paper(CertificateDemand(party=FINANCE), OFFICER, SUPERVISOR)

    enter(founded, demand)

    assert isinstance(founded.enter(reviewed), CertificateNotActive)
    check = AuditCheck(matter="log", finding="in order")
    deed = EnterRegistration(
        document=replace(paper(check, OFFICER), signers=(CARD,)), lanes=LANES
    )
    assert isinstance(founded.one(deed), CertificateNotActive)
    for one in put_to_use(li, CARD):
        signer = OFFICER if one.registration is None else one.registration.signers[0]
        enter(founded, replace(one, signers=(founders[signer],)))
    assert isinstance(founded.enter(reviewed), Recorded)

    def judge(sealed: bytes, leaf: object, names: object) -> Document | None:
        del leaf, names
        said = SAID.get(sealed)
        if said is None:
            return None
        # By another key than then: `verify` has to see that too.
        strays = tuple(STRAY for _ in said.signers)
        return replace(registered(said, signers=strays), registration=said)

    with founded.vault._engine.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN, judge=judge, register=UNFOUNDED)

    assert {(one.fault, one.detail) for one in report.findings} == {
        (Fault.REGISTRATION_REFUSED, "CERTIFICATE_NOT_ACTIVE")
    }


@pytest.mark.clause("hubei-11")
def test_verify_judges_by_the_names_of_each_leaf(founded: Bench) -> None:
    founded.arrive(
        theirs(entry(LI)), by_li(), theirs(DirectoryRemoval(certificate=CARD))
    )
    seen = []

    def judge(sealed: bytes, leaf: object, names: object) -> Document | None:
        del leaf
        seen.append(names)
        said = SAID.get(sealed)
        return None if said is None else replace(registered(said), registration=said)

    with founded.vault._engine.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN, judge=judge, register=UNFOUNDED)

    assert report.findings == []
    assert seen == [{}, {}, {}, {}, {CARD: LI}, {CARD: LI}]
