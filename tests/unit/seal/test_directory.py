"""Certificates that bear no name: the directory says whose they are, and no more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest
from cryptography import x509

from counterfoil.devca.certificates import make_certificate, make_key, urn
from counterfoil.domain.party import Identity, Use
from counterfoil.domain.refusals import SealUndetermined
from counterfoil.domain.register_refusals import SignerUnlisted
from counterfoil.seal.algorithms import signing_key
from counterfoil.seal.certificates import CertificateRefused, names_in
from counterfoil.seal.sign import Sealer
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.trust_material import TrustAnchor
from counterfoil.seal.verify import Court, Verified, judge_batch, verify_seals
from counterfoil.wire.seals import encode_statement
from tests.unit.seal.makers import (
    DIGEST,
    IN_FORCE,
    NOW,
    NOW_US,
    PARTY,
    Pki,
    alone,
    court_of,
    der,
    forged_at,
)

HOLDER: Final = urn(PARTY, "person", "li")
OTHER: Final = urn(PARTY, "person", "wang")
ALL_USES: Final = frozenset(Use)
forged = pytest.mark.refusal("SEAL_FORGED")
unlisted = pytest.mark.refusal("SIGNER_UNLISTED")


def listing(sealer: Sealer, holder: str = HOLDER) -> tuple[tuple[bytes, Identity], ...]:
    return ((sealer.certificate_digest, Identity.from_urn(holder)),)


def court_with(pki: Pki, sealer: Sealer, holder: str = HOLDER, **changes: Any) -> Court:  # noqa: ANN401
    material = pki.material(directory=listing(sealer, holder), **changes)
    return court_of(material, [sealer])


@pytest.fixture(
    params=[{"identity": None}, {"identity": "https://example.org/"}], ids=str
)
def nameless(request: pytest.FixtureRequest, pki: Pki) -> Sealer:
    return pki.sealer(usages=[], **request.param)


@unlisted
@pytest.mark.clause("hubei-11")
def test_a_certificate_without_a_name_is_nobodys_until_it_is_listed(
    pki: Pki, nameless: Sealer
) -> None:
    with pytest.raises(SignerUnlisted) as caught:
        verify_seals(alone(nameless), court_of(pki.material(), [nameless]))
    assert caught.value.facts == {"seat": "0"}

    verified = verify_seals(alone(nameless), court_with(pki, nameless))

    assert [one.signer.to_urn() for one in verified.sealings] == [HOLDER]
    assert verified.listed == ((nameless.certificate_digest, HOLDER),)


def test_who_bears_a_name_is_not_said_to_be_listed(pki: Pki) -> None:
    sealer = pki.sealer()

    assert verify_seals(alone(sealer), court_of(pki.material(), [sealer])).listed == ()


@forged
@pytest.mark.clause("hubei-11")
@pytest.mark.parametrize(
    "stated",
    [
        urn("420000-102", "person", "li"),
        urn(PARTY, "institution", "1"),
        OTHER,
        "URN:Counterfoil:420000-011:person:li",
        "urn:counterfoil:420000-011:owner:1",
    ],
)
def test_a_directory_gives_no_name_to_what_bears_another(pki: Pki, stated: str) -> None:
    sealer = pki.sealer(identity=stated, usages=[])

    assert forged_at(alone(sealer), court_with(pki, sealer)) == "6"


@forged
def test_one_name_among_several_is_a_name(pki: Pki) -> None:
    key = make_key(pki.algorithm)
    names = [
        x509.UniformResourceIdentifier("https://example.org/"),
        x509.UniformResourceIdentifier(OTHER),
    ]
    certificate = make_certificate(
        pki.authority,
        key.public_key(),
        None,
        IN_FORCE,
        extensions=[(x509.SubjectAlternativeName(names), False)],
    )
    sealer = Sealer.of(
        signing_key(key),
        der(certificate),
        encode_statement,
        identity=Identity.from_urn(HOLDER),
    )

    assert names_in(certificate) == [OTHER]
    assert forged_at(alone(sealer), court_with(pki, sealer)) == "6"


def test_a_directory_may_repeat_what_a_certificate_states(pki: Pki) -> None:
    sealer = pki.sealer()
    stated = urn(PARTY, "institution", "1")

    verify_seals(alone(sealer), court_with(pki, sealer, stated))


# --- a directory gives a name, and nothing else ---------------------------------


@forged
def test_a_listed_certificate_of_a_foreign_root_is_not_believed(
    pki: Pki, nameless: Sealer
) -> None:
    others = Pki.new(algorithm=pki.algorithm)

    for directory in (listing(nameless), ()):
        material = others.material(directory=directory)
        assert forged_at(alone(nameless), court_of(material, [nameless])) == "6"


@forged
def test_a_listed_person_is_bound_to_the_roots_of_the_party(
    pki: Pki, nameless: Sealer
) -> None:
    (anchor,) = pki.material().anchors
    theirs = TrustAnchor(anchor.certificate, frozenset({"420000-102"}))
    ours = TrustAnchor(anchor.certificate, frozenset({PARTY}))

    assert forged_at(alone(nameless), court_with(pki, nameless, anchors=(theirs,))) == (
        "6"
    )
    verify_seals(alone(nameless), court_with(pki, nameless, anchors=(ours,)))


@forged
def test_a_listed_certificate_expires_and_is_revoked_as_any(
    pki: Pki, nameless: Sealer
) -> None:
    court = court_with(pki, nameless)
    expired = replace(court, at_us=NOW_US + 400 * 86_400_000_000)
    serial = x509.load_der_x509_certificate(nameless.certificate).serial_number
    revoked = replace(pki, revoked={serial: NOW})

    assert forged_at(alone(nameless), expired) == "6"
    assert forged_at(alone(nameless), court_with(revoked, nameless)) == "7"
    # Also while nobody says whose it is.
    unnamed = court_of(revoked.material(), [nameless])
    assert forged_at(alone(nameless), unnamed) == "7"


@forged
def test_a_listed_system_seals_nothing(pki: Pki, nameless: Sealer) -> None:
    court = court_with(pki, nameless, urn(PARTY, "system", "1"))

    assert forged_at(alone(nameless), court) == "8"


@forged
def test_forged_outweighs_unlisted(pki: Pki, nameless: Sealer) -> None:
    document = alone(nameless)
    (seal,) = document.seals
    broken = replace(seal, signature=seal.signature[:-1] + b"?")
    court = court_of(pki.material(), [nameless])

    assert forged_at(replace(document, seals=(broken,)), court) == "10"
    moved = replace(document, payload_digest=DIGEST)
    assert forged_at(moved, court) == "4"


@pytest.mark.refusal("SEAL_UNDETERMINED")
def test_without_a_revocation_list_nothing_is_said_of_the_name(
    pki: Pki, nameless: Sealer
) -> None:
    court = court_of(pki.material(crls=()), [nameless])

    with pytest.raises(SealUndetermined):
        verify_seals(alone(nameless), court)


@unlisted
def test_of_a_batch_only_what_is_unlisted_waits(pki: Pki, nameless: Sealer) -> None:
    known = pki.sealer()
    court = court_of(pki.material(), [nameless, known])

    first, second = judge_batch([alone(nameless), alone(known)], court)

    assert isinstance(first, SignerUnlisted)
    assert isinstance(second, Verified)


# --- callers, and a directory that changes ---------------------------------------


def test_a_caller_without_a_name_is_let_in_as_whom_it_is_listed(
    pki: Pki, nameless: Sealer
) -> None:
    store = TrustStore(pki.material())
    with pytest.raises(CertificateRefused, match="no directory here lists it"):
        store.vet(nameless.certificate, uses=ALL_USES, at_us=NOW_US)

    store.relist(dict(listing(nameless)))

    vetted = store.vet(nameless.certificate, uses=ALL_USES, at_us=NOW_US)
    assert vetted.identity.to_urn() == HOLDER
    assert vetted.is_listed


def test_what_is_known_of_a_certificate_ends_with_its_place_in_the_directory(
    pki: Pki, nameless: Sealer
) -> None:
    other = pki.sealer("person", "wang")
    court = court_with(pki, nameless)
    court = replace(
        court, bag={**court.bag, other.certificate_digest: other.certificate}
    )
    verify_seals(alone(nameless), court)
    verify_seals(alone(other), court)
    known = court.trust._vetted[other.certificate_digest]

    court.trust.relist(dict(listing(nameless, OTHER)))

    (sealing,) = verify_seals(alone(nameless), court).sealings
    assert sealing.signer.to_urn() == OTHER
    court.trust.relist({})
    with pytest.raises(SignerUnlisted):
        verify_seals(alone(nameless), court)
    # What does not stand in it is not found out again.
    assert court.trust._vetted[other.certificate_digest] is known


def test_whose_a_certificate_is_can_be_asked_without_judging_it(
    pki: Pki, nameless: Sealer
) -> None:
    store = TrustStore(pki.material())
    named = pki.sealer()

    assert store.name_of(nameless.certificate) is None
    assert store.name_of(named.certificate) == named.identity
    store.relist(dict(listing(nameless)))
    assert store.name_of(nameless.certificate) == Identity.from_urn(HOLDER)
