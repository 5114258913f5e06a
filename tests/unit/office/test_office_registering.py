"""What persons register, made and signed without a gateway, as the gateway reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from counterfoil.devca.directory import DevelopmentCa
from counterfoil.domain import registration as domain
from counterfoil.domain.party import Identity, Use
from counterfoil.domain.posts import Post
from counterfoil.domain.refusals import FormRefused
from counterfoil.office import Person, matters, registering
from counterfoil.registry.v1 import registry_pb2
from counterfoil.seal.certificates import load_certificate
from counterfoil.seal.twins import twin_digests
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.wire.registrations import POSTS, read_registration
from tests.unit.office.loopback import PARTY, access_of

BANK = "420000-102"
NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
WHO = Identity(party=PARTY, use=Use.PERSON, name="first")
URN = WHO.to_urn()
DIGEST = bytes(range(32))
FIRST, LAST = "20260101", "20271231"


@pytest.fixture
def person(ca: DevelopmentCa) -> Person:
    return Person.of(access_of(ca, "person", "first"))


@pytest.fixture
def second(ca: DevelopmentCa) -> Person:
    return Person.of(access_of(ca, "person", "second"))


def read(matter: matters.Matter) -> domain.Matter:
    """Return what the gateway reads of a matter."""
    made = registering.registration(PARTY, "1", matter, stated_time=NOW, told=[BANK])
    said = read_registration(made.payload, [WHO])
    assert (said.by, said.number, said.told) == (PARTY, "1", (BANK,))
    assert said.digest == made.digest == sha256(made.payload).digest()
    return said.matter


def test_every_post_has_the_name_that_the_gateway_gives_it() -> None:
    assert {POSTS[number].value: number for number in POSTS} == matters.POSTS


def test_each_matter_says_to_the_gateway_what_it_says_here(person: Person) -> None:
    held = domain.PostAssignment(holder=WHO, post=Post.FIRST_REVIEWER)
    lost = sha256(person.certificate).digest()
    ways = (domain.AgreedWay(issuer=PARTY, types=frozenset({5201, 8202})),)
    agreed = domain.Agreement(
        parties=(PARTY, BANK), ways=ways, valid_from=FIRST, valid_until=LAST
    )
    filed = domain.Filing(
        holder=WHO,
        types=frozenset({5201}),
        amount_max_fen=100,
        positions=frozenset({"gz"}),
        valid_from=FIRST,
        valid_until=LAST,
    )
    days = {"valid_from": FIRST, "valid_until": LAST}
    office = matters

    assert read(office.post_assignment(URN, "first-reviewer")) == held
    assert read(office.post_withdrawal(URN, "archivist")) == domain.PostWithdrawal(
        holder=WHO, post=Post.ARCHIVIST
    )
    assert read(office.founding(URN, URN, [person.certificate])) == domain.Founding(
        supervisor=WHO, system_manager=WHO, certificates=(lost,)
    )
    assert (
        read(office.agreement({PARTY: [8202, 5201]}, (PARTY, BANK), **days)) == agreed
    )
    for word, change in (
        ("suspend", domain.Change.SUSPEND),
        ("resume", domain.Change.RESUME),
        ("end", domain.Change.END),
    ):
        assert read(office.agreement_change(DIGEST, word)) == domain.AgreementChange(
            agreement=DIGEST, change=change
        )
    twins = twin_digests(load_certificate(person.certificate))
    assert read(office.loss_notice(person.certificate)) == domain.LossNotice(
        certificate=lost, holder=WHO, twins=twins
    )
    assert read(office.revocation(person.certificate)) == domain.Revocation(
        certificate=lost, holder=WHO, twins=twins
    )
    assert (
        read(
            office.filing(
                URN, types=[5201], positions=["gz"], amount_max_fen=100, **days
            )
        )
        == filed
    )
    assert read(office.filing_withdrawal(DIGEST)) == domain.FilingWithdrawal(
        filing=DIGEST
    )


def test_a_certificate_is_the_one_that_was_applied_for(
    ca: DevelopmentCa, person: Person
) -> None:
    certificate = ca.credential(PARTY, "person", "first").certificate
    key = certificate.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )

    applied = read(matters.certificate_application(URN, key))
    used = read(matters.certificate_activation(DIGEST, person.certificate))

    assert isinstance(applied, domain.CertificateApplication)
    assert isinstance(used, domain.CertificateActivation)
    assert (used.holder, used.public_key) == (applied.holder, applied.public_key)
    approval = read(matters.certificate_approval(DIGEST))
    assert approval == domain.CertificateApproval(application=DIGEST)


def test_two_persons_sign_in_their_order_and_no_third_can(
    person: Person, second: Person
) -> None:
    made = registering.registration(
        PARTY, "1", matters.filing_withdrawal(DIGEST), stated_time=NOW
    )
    both = made.signed(person, stated_time=NOW).signed(second, stated_time=NOW)

    statements = [
        sealed_pb2.SealStatement.FromString(seal.statement) for seal in both.seals
    ]
    assert [one.position for one in statements] == ["tq", "sp"]
    assert list(statements[1].beneath) == [sha256(both.seals[0].statement).digest()]
    assert both.digest == made.digest
    with pytest.raises(ValueError, match="every signature already"):
        both.signed(person, stated_time=NOW)


def test_a_file_is_read_as_it_was_written(person: Person) -> None:
    made = registering.registration(
        PARTY, "1", matters.filing_withdrawal(DIGEST), stated_time=NOW
    ).signed(person, stated_time=NOW)
    encoded = registering.registration_file([made], [person.certificate] * 2)

    assert registering.read_registration_file(encoded) == ([made], [person.certificate])
    assert registering.told(made) == {
        "by": PARTY,
        "number": "1",
        "matter": "filing_withdrawal",
        "told": [],
        "explanation": "",
        "says": {"filing": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
    }


def test_what_is_no_registration_is_refused() -> None:
    voucher = sealed_pb2.Sealed(kind=1, payload=b"x")  # type: ignore[arg-type]
    for bad in (b"\xff", voucher.SerializeToString()):
        with pytest.raises(ValueError, match="not a"):
            registering.SignedRegistration.from_bytes(bad)
    with pytest.raises(ValueError, match="not a file"):
        registering.read_registration_file(b"\xff")
    with pytest.raises(KeyError):
        matters.post_assignment(URN, "king")


@pytest.mark.refusal("FORM_REFUSED")
@pytest.mark.parametrize(
    ("matter", "path"),
    [
        (matters.post_assignment("me", "archivist"), "post_assignment.holder"),
        (
            matters.filing(URN, valid_from=LAST, valid_until=FIRST),
            "filing.valid_until",
        ),
        (
            matters.filing(URN, valid_from="20260230", valid_until=LAST),
            "filing.valid_until",
        ),
        (
            matters.filing(URN, valid_from=FIRST, valid_until=LAST, types=[1]),
            "filing.types",
        ),
        (matters.loss_notice(b"no certificate"), "loss_notice.certificate"),
        (
            matters.agreement(
                {"420000-103": [5201]},
                (PARTY, BANK),
                valid_from=FIRST,
                valid_until=LAST,
            ),
            "agreement.ways",
        ),
        (
            matters.agreement(
                {PARTY: [5201]}, (PARTY, "me"), valid_from=FIRST, valid_until=LAST
            ),
            "agreement.parties",
        ),
        (matters.audit_check("", ""), "audit_check.matter"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_its_field(
    matter: matters.Matter, path: str
) -> None:
    with pytest.raises(FormRefused) as caught:
        read(matter)

    assert path in [violation.path for violation in caught.value.violations]
    assert all(violation.text_zh for violation in caught.value.violations)


def test_a_notice_for_every_peer_names_all_gateways_but_the_own() -> None:
    carried = {
        PARTY: PARTY,
        "420000-101001": PARTY,
        BANK: BANK,
        "420000-115001": BANK,
        "420000-001": "420000-001",
    }
    parties = [
        registry_pb2.Party(code=code, carrier=carrier, is_dismissed=code == BANK)
        for code, carrier in carried.items()
    ]

    told = registering.all_gateways_but(PARTY, parties)

    assert told == ("420000-001", BANK)
    # A unit's notice goes where that of its carrier goes.
    assert registering.all_gateways_but("420000-101001", parties) == told
    assert registering.all_gateways_but(BANK, parties) == ("420000-001", PARTY)
    with pytest.raises(ValueError, match="no party 330000-011"):
        registering.all_gateways_but("330000-011", parties)


@pytest.mark.parametrize(("count", "taken"), [(1024, True), (1025, False)])
def test_so_many_are_told_at_most(person: Person, *, count: int, taken: bool) -> None:
    signed = registering.registration(
        PARTY,
        "1",
        matters.loss_notice(person.certificate),
        stated_time=NOW,
        told=[f"42{n:04}-102" for n in range(count)],
    )

    if taken:
        assert len(read_registration(signed.payload, [WHO]).told) == count
    else:
        with pytest.raises(FormRefused) as caught:
            read_registration(signed.payload, [WHO])
        assert [one.path for one in caught.value.violations] == ["told"]


def test_as_many_calls_are_made_as_it_takes(person: Person, second: Person) -> None:
    def made(number: int, signer: Person) -> registering.SignedRegistration:
        matter = matters.post_assignment(URN, "first-reviewer")
        one = registering.registration(
            PARTY, f"{number}", matter, stated_time=NOW, explanation="长" * 500
        )
        return one.signed(signer, stated_time=NOW)

    authority = b"an authority"
    certificates = [person.certificate, second.certificate, authority]
    registrations = [made(n, person if n < 130 else second) for n in range(150)]

    calls = list(registering.registration_requests(registrations, certificates))

    assert [len(call.registrations) for call in calls] == [64, 64, 22]
    handed_in = [one for call in calls for one in call.registrations]
    assert handed_in == [one.to_bytes() for one in registrations]
    first, _, last = [set(call.certificates) for call in calls]
    assert first == {person.certificate, authority}
    assert last == set(certificates)
    assert list(registering.registration_requests([], certificates)) == []


def test_no_call_is_larger_than_a_gateway_reads(person: Person) -> None:
    matter = matters.loss_notice(b"c" * 16_384)
    registrations = [
        registering.registration(
            PARTY,
            f"{n}",
            matter,
            stated_time=NOW,
            told=[f"77777{at:04}-{'z' * 21}" for at in range(1024)],
        ).signed(person, stated_time=NOW)
        for n in range(64)
    ]

    calls = list(registering.registration_requests(registrations, [person.certificate]))

    assert sum(len(call.registrations) for call in calls) == 64
    assert max(call.ByteSize() for call in calls) <= 1_048_576 + 65_536
    assert len(calls) > 1
