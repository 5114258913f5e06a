"""Answers of responders: which count, for what, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from counterfoil.devca.certificates import (
    Authority,
    Validity,
    make_authority,
    make_crl,
)
from counterfoil.domain.party import Use
from counterfoil.domain.refusals import SealUndetermined
from counterfoil.seal.certificates import (
    CertificateRefused,
    CertificateRevoked,
    RevocationUnknown,
)
from counterfoil.seal.chains import SKEW_US
from counterfoil.seal.ocsp import RevocationAnswers
from counterfoil.seal.ocsp_names import question_of
from counterfoil.seal.ocsp_reading import ANSWER_BYTES_MAX, load_answer
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.trust_material import TrustMaterial
from counterfoil.seal.verify import verify_seals
from tests.responders import answer_of, delegate_of
from tests.unit.seal.makers import (
    CURRENT,
    DAY,
    HOUR,
    IN_FORCE,
    NOW,
    NOW_US,
    Pki,
    Signers,
    alone,
    court_of,
    der,
    forged_at,
    us,
)

SEALS: Final = frozenset({Use.INSTITUTION})
LATER: Final = Validity(NOW + DAY, NOW + 2 * DAY)
EARLIER: Final = Validity(NOW - 2 * DAY, NOW - DAY)


@pytest.fixture(scope="session")
def seal(pki: Pki) -> bytes:
    return pki.sealer().certificate


@pytest.fixture(scope="session")
def certificate(seal: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(seal)


def material(pki: Pki, *answers: bytes, **changes: Any) -> TrustMaterial:  # noqa: ANN401
    """Return material in which only answers speak of what the authority issued."""
    of_root = der(make_crl(pki.root, pki.crl_validity, {}))
    return pki.material(crls=(of_root,), answers=answers, **changes)


def is_known(pki: Pki, seal: bytes, *answers: bytes, at_us: int = NOW_US) -> bool:
    store = TrustStore(material(pki, *answers))
    try:
        store.vet(seal, uses=SEALS, at_us=at_us)
    except RevocationUnknown:
        return False
    return True


# --- what an answer does ----------------------------------------------------------


def test_an_answer_does_what_a_list_does(
    pki: Pki, seal: bytes, certificate: x509.Certificate
) -> None:
    good = answer_of(pki.authority, certificate, CURRENT)

    assert not is_known(pki, seal)
    assert is_known(pki, seal, good)
    end_us = us(CURRENT.end) + SKEW_US
    assert is_known(pki, seal, good, at_us=end_us)
    assert not is_known(pki, seal, good, at_us=end_us + 1)


def test_a_later_answer_says_it_of_earlier_instants_too(
    pki: Pki, seal: bytes, certificate: x509.Certificate
) -> None:
    assert is_known(pki, seal, answer_of(pki.authority, certificate, LATER))
    assert not is_known(pki, seal, answer_of(pki.authority, certificate, EARLIER))


@pytest.mark.clause("hubei-13")
def test_what_was_revoked_is_refused_from_that_instant(
    pki: Pki, seal: bytes, certificate: x509.Certificate
) -> None:
    said = answer_of(pki.authority, certificate, CURRENT, revoked=NOW)
    store = TrustStore(material(pki, said))

    store.vet(seal, uses=SEALS, at_us=NOW_US - 1)
    with pytest.raises(CertificateRevoked):
        store.vet(seal, uses=SEALS, at_us=NOW_US)


def test_revoked_outweighs_good_whoever_says_it(
    pki: Pki, seal: bytes, certificate: x509.Certificate
) -> None:
    good = answer_of(pki.authority, certificate, CURRENT)
    older = Validity(NOW - 2 * HOUR, NOW + HOUR)
    bad = answer_of(pki.authority, certificate, older, revoked=NOW - HOUR)
    listing = replace(pki, revoked={certificate.serial_number: NOW - HOUR})

    for either in (
        material(pki, good, bad),
        listing.material(answers=(good,)),
        pki.material(answers=(bad,)),
    ):
        with pytest.raises(CertificateRevoked):
            TrustStore(either).vet(seal, uses=SEALS, at_us=NOW_US)


def test_a_hold_is_lifted_by_a_newer_answer(
    pki: Pki, seal: bytes, certificate: x509.Certificate
) -> None:
    older = Validity(NOW - 2 * HOUR, NOW + HOUR)
    held = answer_of(
        pki.authority,
        certificate,
        older,
        revoked=NOW - HOUR,
        reason=x509.ReasonFlags.certificate_hold,
    )
    store = TrustStore(material(pki, held))

    with pytest.raises(CertificateRevoked):
        store.vet(seal, uses=SEALS, at_us=NOW_US)
    assert is_known(pki, seal, held, answer_of(pki.authority, certificate, CURRENT))


def test_a_responder_that_does_not_know_says_nothing(
    pki: Pki, seal: bytes, certificate: x509.Certificate
) -> None:
    said = answer_of(pki.authority, certificate, CURRENT, unknown=True)

    assert not is_known(pki, seal, said)


def test_what_is_said_of_an_expired_certificate_covers_nothing(pki: Pki) -> None:
    sealer = pki.sealer(validity=Validity(NOW - DAY, NOW + HOUR))
    certificate = x509.load_der_x509_certificate(sealer.certificate)
    forgotten = answer_of(pki.authority, certificate, LATER)

    assert is_known(
        pki, sealer.certificate, answer_of(pki.authority, certificate, CURRENT)
    )
    assert not is_known(pki, sealer.certificate, forgotten)


# --- what does not count ----------------------------------------------------------


def other_certificate(pki: Pki) -> x509.Certificate:
    return x509.load_der_x509_certificate(pki.sealer().certificate)


def stranger(pki: Pki) -> Authority:
    return make_authority("test authority", pki.root, IN_FORCE)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(
            lambda pki, _: answer_of(pki.authority, other_certificate(pki), CURRENT),
            id="about another certificate",
        ),
        pytest.param(
            lambda pki, one: answer_of(pki.root, one, CURRENT),
            id="of another issuer",
        ),
        pytest.param(
            lambda pki, one: answer_of(
                pki.authority, one, CURRENT, signer=stranger(pki)
            ),
            id="signed by a stranger of the same name",
        ),
        pytest.param(
            lambda pki, one: answer_of(stranger(pki), one, CURRENT),
            id="about an issuer of the same name",
        ),
        pytest.param(
            lambda pki, one: answer_of(pki.authority, one, CURRENT, named=pki.root),
            id="in another's name",
        ),
        pytest.param(
            lambda pki, one: answer_of(
                pki.authority, one, CURRENT, name_hash=hashes.SHA512()
            ),
            id="issuer named in an odd way",
        ),
        pytest.param(
            lambda pki, one: answer_of(pki.authority, one, CURRENT, due=False),
            id="without a next update",
        ),
        pytest.param(
            lambda pki, one: answer_of(pki.authority, one, CURRENT, critical=True),
            id="with a critical extension",
        ),
        pytest.param(
            lambda pki, one: changed(answer_of(pki.authority, one, CURRENT)),
            id="with a changed signature",
        ),
    ],
)
def test_other_answers_count_for_nothing(
    pki: Pki,
    seal: bytes,
    certificate: x509.Certificate,
    make: Callable[[Pki, x509.Certificate], bytes],
) -> None:
    assert not is_known(pki, seal, make(pki, certificate))


def changed(answer: bytes) -> bytes:
    return answer[:-1] + bytes((answer[-1] ^ 1,))


def test_a_weak_hash_signs_nothing(p256_pki: Pki) -> None:
    pki = p256_pki
    sealer = pki.sealer()
    one = x509.load_der_x509_certificate(sealer.certificate)
    weak = answer_of(pki.authority, one, CURRENT, signature_hash=hashes.SHA224())

    assert not is_known(pki, sealer.certificate, weak)


# --- responders that an issuer has charged ----------------------------------------


def test_a_charged_responder_may_sign(
    pki: Pki, seal: bytes, certificate: x509.Certificate
) -> None:
    responder = delegate_of(pki.authority, IN_FORCE)

    assert is_known(
        pki, seal, answer_of(pki.authority, certificate, CURRENT, signer=responder)
    )


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"usages": (ExtendedKeyUsageOID.CLIENT_AUTH,)}, id="usage"),
        pytest.param({"usages": ()}, id="no usage"),
        pytest.param({"is_ca": True}, id="an authority"),
        pytest.param({"digital_signature": False}, id="may not sign"),
        pytest.param({"validity": EARLIER}, id="expired"),
        pytest.param({"validity": LATER}, id="not yet valid"),
        pytest.param({"no_check": False}, id="its own revocation unknown"),
    ],
)
def test_who_was_not_charged_may_not(
    pki: Pki, seal: bytes, certificate: x509.Certificate, wrong: dict[str, Any]
) -> None:
    validity = wrong.get("validity", IN_FORCE)
    rest = {name: value for name, value in wrong.items() if name != "validity"}
    responder = delegate_of(pki.authority, validity, **rest)

    assert not is_known(
        pki, seal, answer_of(pki.authority, certificate, CURRENT, signer=responder)
    )


@pytest.mark.parametrize("name", [b"test authority", b"nobody"])
def test_a_responder_whose_names_cannot_be_read_may_not(
    pki: Pki, seal: bytes, certificate: x509.Certificate, name: bytes
) -> None:
    responder = delegate_of(pki.authority, IN_FORCE)
    answer = answer_of(pki.authority, certificate, CURRENT, signer=responder)
    # The last time it stands there is in the responder's certificate.
    before, _, behind = answer.rpartition(name)

    assert not is_known(pki, seal, before + b"\x80" + name[1:] + behind)


def test_a_responder_of_another_authority_may_not(
    pki: Pki, seal: bytes, certificate: x509.Certificate
) -> None:
    responder = delegate_of(pki.root, IN_FORCE)

    assert not is_known(
        pki, seal, answer_of(pki.authority, certificate, CURRENT, signer=responder)
    )


def test_a_responder_whom_a_stranger_of_the_same_name_charged_may_not(
    pki: Pki, seal: bytes, certificate: x509.Certificate
) -> None:
    responder = delegate_of(stranger(pki), IN_FORCE)
    assert responder.certificate.issuer == pki.authority.certificate.subject

    assert not is_known(
        pki, seal, answer_of(pki.authority, certificate, CURRENT, signer=responder)
    )


def test_a_responder_is_known_by_a_list_or_revoked_by_it(
    pki: Pki, seal: bytes, certificate: x509.Certificate
) -> None:
    bare = delegate_of(pki.authority, IN_FORCE, no_check=False)
    fine = delegate_of(pki.authority, IN_FORCE)
    # A list that is overdue for the seal, but was current when the answer was given.
    listed = Validity(NOW - 2 * HOUR, NOW - HOUR / 2)
    said = Validity(NOW - HOUR, NOW + HOUR)
    revoked = {fine.certificate.serial_number: NOW - 2 * HOUR}
    crls = (
        der(make_crl(pki.root, CURRENT, {})),
        der(make_crl(pki.authority, listed, revoked)),
    )

    def known(responder: Authority) -> bool:
        answer = answer_of(pki.authority, certificate, said, signer=responder)
        store = TrustStore(pki.material(crls=crls, answers=(answer,)))
        try:
            store.vet(seal, uses=SEALS, at_us=NOW_US)
        except RevocationUnknown:
            return False
        return True

    assert known(bare)
    assert not known(fine)


# --- answers that come along ------------------------------------------------------


def brought(*answers: bytes, at_us: int = NOW_US) -> RevocationAnswers:
    return RevocationAnswers(answers, at_us=at_us)


def test_an_answer_that_came_along_makes_a_seal_hold(pki: Pki) -> None:
    sealer = pki.sealer()
    one = x509.load_der_x509_certificate(sealer.certificate)
    good = answer_of(pki.authority, one, CURRENT)
    bad = answer_of(pki.authority, one, CURRENT, revoked=NOW - HOUR)

    def court(*answers: bytes) -> Any:  # noqa: ANN401
        return court_of(material(pki), [sealer], answers=brought(*answers))

    assert verify_seals(alone(sealer), court(good)).overdue == ()
    assert forged_at(alone(sealer), court(bad)) == "7"
    assert forged_at(alone(sealer), court(good, bad)) == "7"
    with pytest.raises(SealUndetermined):
        verify_seals(alone(sealer), court())
    with pytest.raises(SealUndetermined):
        verify_seals(alone(sealer), court(changed(good), b"", b"\x30\x00"))


@pytest.mark.parametrize("when", [EARLIER, LATER], ids=["overdue", "of the future"])
def test_what_comes_along_must_be_current(pki: Pki, when: Validity) -> None:
    sealer = pki.sealer()
    one = x509.load_der_x509_certificate(sealer.certificate)
    said = answer_of(pki.authority, one, when)
    court = court_of(material(pki), [sealer], answers=brought(said))

    with pytest.raises(SealUndetermined):
        verify_seals(alone(sealer), court)


def test_no_answer_that_comes_along_clears_what_we_know_to_be_revoked(pki: Pki) -> None:
    sealer = pki.sealer()
    one = x509.load_der_x509_certificate(sealer.certificate)
    good = answer_of(pki.authority, one, CURRENT)
    ours = replace(pki, revoked={one.serial_number: NOW - HOUR})
    court = court_of(ours.material(), [sealer], answers=brought(good))

    assert forged_at(alone(sealer), court) == "7"


# --- hard and soft ----------------------------------------------------------------

AGE_US: Final = 2 * 86_400_000_000


def overdue(pki: Pki, soft_us: int) -> TrustMaterial:
    """Return material whose lists were due an hour ago."""
    old = replace(pki, crl_validity=Validity(NOW - DAY, NOW - HOUR))
    return old.material(soft_us=soft_us)


def test_hard_fail_knows_nothing_by_an_overdue_list(signers: Signers) -> None:
    court = court_of(overdue(signers.pki, 0), signers.all)

    with pytest.raises(SealUndetermined):
        verify_seals(signers.document(), court)


def test_soft_fail_goes_by_it_up_to_its_age_and_says_so(signers: Signers) -> None:
    court = court_of(overdue(signers.pki, AGE_US), signers.all)
    last_us = us(NOW - DAY) + AGE_US

    assert verify_seals(signers.document(), court).overdue == (0, 1, 2)
    # Remembered by now; the verdict still says so.
    assert verify_seals(signers.document(), court).overdue == (0, 1, 2)
    verify_seals(signers.document(), replace(court, at_us=last_us))
    with pytest.raises(SealUndetermined):
        verify_seals(signers.document(), replace(court, at_us=last_us + 1))


def test_under_soft_fail_a_current_list_is_nothing_to_tell(signers: Signers) -> None:
    court = court_of(signers.pki.material(soft_us=AGE_US), signers.all)

    assert verify_seals(signers.document(), court).overdue == ()


def test_soft_fail_takes_neither_nothing_nor_what_is_revoked(pki: Pki) -> None:
    sealer = pki.sealer()
    serial = x509.load_der_x509_certificate(sealer.certificate).serial_number
    nothing = pki.material(crls=(), soft_us=AGE_US)
    revoking = replace(pki, revoked={serial: NOW - 2 * HOUR})

    with pytest.raises(SealUndetermined):
        verify_seals(alone(sealer), court_of(nothing, [sealer]))
    assert forged_at(alone(sealer), court_of(overdue(revoking, AGE_US), [sealer])) == (
        "7"
    )


def test_soft_fail_is_not_for_what_comes_along(pki: Pki) -> None:
    sealer = pki.sealer()
    one = x509.load_der_x509_certificate(sealer.certificate)
    court = court_of(material(pki, soft_us=AGE_US), [sealer])
    fresh = brought(answer_of(pki.authority, one, CURRENT))
    end_us = us(CURRENT.end) + SKEW_US

    verify_seals(alone(sealer), replace(court, answers=fresh))
    # Remembered as long as it is current, whatever comes along then.
    verify_seals(alone(sealer), replace(court, at_us=end_us))
    with pytest.raises(SealUndetermined):
        verify_seals(alone(sealer), replace(court, at_us=end_us + 1))
    with pytest.raises(SealUndetermined):
        verify_seals(alone(sealer), replace(court, at_us=end_us + 1, answers=fresh))


def test_a_current_answer_that_comes_along_replaces_what_is_overdue(pki: Pki) -> None:
    sealer = pki.sealer()
    one = x509.load_der_x509_certificate(sealer.certificate)
    old = Validity(NOW - DAY, NOW - HOUR)
    of_root = der(make_crl(pki.root, CURRENT, {}))
    store_of = pki.material(
        crls=(of_root,),
        answers=(answer_of(pki.authority, one, old),),
        soft_us=AGE_US,
    )
    court = court_of(store_of, [sealer])
    fresh = brought(answer_of(pki.authority, one, CURRENT))

    assert verify_seals(alone(sealer), court).overdue == (0,)
    assert verify_seals(alone(sealer), replace(court, answers=fresh)).overdue == ()


# --- reading and asking -----------------------------------------------------------


def test_what_is_no_answer_is_refused(pki: Pki, certificate: x509.Certificate) -> None:
    good = answer_of(pki.authority, certificate, CURRENT)
    refusing = ocsp.OCSPResponseBuilder.build_unsuccessful(
        ocsp.OCSPResponseStatus.TRY_LATER
    ).public_bytes(Encoding.DER)
    backwards = Validity(NOW, NOW)

    assert load_answer(good).is_good
    assert load_answer(answer_of(pki.authority, certificate, backwards)).is_good
    for wrong, text in (
        (refusing, "does not answer"),
        (b"", "not an answer"),
        (good + b"\0", "not an answer"),
        (b"\0" * (ANSWER_BYTES_MAX + 1), "too long"),
    ):
        with pytest.raises(ValueError, match=text):
            load_answer(wrong)


def test_a_question_names_the_certificate_and_its_issuer(
    pki: Pki, certificate: x509.Certificate
) -> None:
    asked = ocsp.load_der_ocsp_request(
        question_of(certificate, pki.authority.certificate)
    )
    answered = load_answer(answer_of(pki.authority, certificate, CURRENT)).unverified

    assert asked.serial_number == certificate.serial_number
    assert asked.issuer_key_hash == answered.issuer_key_hash
    assert asked.issuer_name_hash == answered.issuer_name_hash
    assert not list(asked.extensions)


def test_only_what_a_trusted_authority_issued_has_a_path(pki: Pki, seal: bytes) -> None:
    store = TrustStore(material(pki))
    elsewhere = Pki.new("other", pki.algorithm).sealer().certificate

    path = store.path_of(seal, at_us=NOW_US, bag={})
    assert [one.subject for one in path[1:]] == [
        pki.authority.certificate.subject,
        pki.root.certificate.subject,
    ]
    with pytest.raises(CertificateRefused):
        store.path_of(elsewhere, at_us=NOW_US, bag={})
    with pytest.raises(CertificateRefused):
        store.path_of(seal, at_us=us(NOW + timedelta(days=999)), bag={})
