"""Which time stamps count: one that is as it must be, and none of the others."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from itertools import permutations
from typing import Any, Final

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from counterfoil.devca.certificates import Authority, Validity, make_crl
from counterfoil.seal.time_stamps import (
    TimeStamp,
    TimeStampTrust,
    accept_time_stamp,
)
from counterfoil.seal.timestamp_reading import (
    RESPONSE_BYTES_MAX,
    in_order,
    oid_content,
    question_for,
    read_response,
)
from counterfoil.seal.timestamp_refused import TimeStampFlaw, TimeStampRefused
from tests.time_stampers import (
    POLICY,
    SHA1,
    SHA512,
    Question,
    TimeStamper,
    signer_of,
    time_stamp,
)
from tests.unit.seal.makers import CURRENT, DAY, HOUR, IN_FORCE, NOW, NOW_US, der

CONTENT: Final = b"420000-011/log\n7\nhead\n"
NONCE: Final = 2**62 + 17
SECOND_US: Final = 1_000_000
LAST_YEAR: Final = Validity(NOW - 800 * DAY, NOW - 400 * DAY)


@pytest.fixture(scope="module")
def stamper() -> TimeStamper:
    made = TimeStamper.new(IN_FORCE)
    made.now = lambda: NOW
    return made


@pytest.fixture(scope="module")
def trust(stamper: TimeStamper) -> TimeStampTrust:
    return TimeStampTrust(
        roots=(stamper.root.certificate,),
        authorities=(stamper.between.certificate,),
        accuracy_us_max=10 * SECOND_US,
        clock_us_max=60 * SECOND_US,
    )


def asked(content: bytes = CONTENT, *, policy: str = "") -> Question:
    imprint = sha256(content).digest()
    return Question.of(question_for(imprint, nonce=NONCE, policy=policy))


def accepted(
    response: bytes, trust: TimeStampTrust, *, at_us: int = NOW_US
) -> TimeStamp:
    return accept_time_stamp(response, CONTENT, trust, nonce=NONCE, at_us=at_us)


def flaw_of(
    response: bytes, trust: TimeStampTrust, *, at_us: int = NOW_US
) -> TimeStampFlaw:
    with pytest.raises(TimeStampRefused) as refused:
        accepted(response, trust, at_us=at_us)
    english, chinese = refused.value.flaw.value
    assert english in str(refused.value)
    assert chinese in str(refused.value)
    return refused.value.flaw


def test_a_time_stamp_says_when_and_whose_it_is(
    stamper: TimeStamper, trust: TimeStampTrust
) -> None:
    response = time_stamp(stamper.signer, asked(), NOW + timedelta(seconds=5))

    stamp = accepted(response, trust)

    assert stamp.time_us == NOW_US + 5 * SECOND_US
    assert stamp.accuracy_us == SECOND_US
    assert stamp.signer == stamper.signer.certificate.subject.rfc4514_string()
    assert read_response(response).imprint == sha256(CONTENT).digest()


@pytest.mark.parametrize(
    "right",
    [
        pytest.param({"digest": "sha512"}, id="a stronger hash"),
        pytest.param({"accuracy_s": None}, id="no accuracy"),
        pytest.param({"accuracy_s": 10}, id="just accurate enough"),
    ],
)
def test_what_may_be_otherwise_is_taken(
    stamper: TimeStamper, trust: TimeStampTrust, right: dict[str, Any]
) -> None:
    accepted(time_stamp(stamper.signer, asked(), NOW, **right), trust)


def test_certificates_may_come_along_in_any_order(
    stamper: TimeStamper, trust: TimeStampTrust
) -> None:
    along = [one.certificate for one in (stamper.signer, stamper.between, stamper.root)]
    alone = replace(trust, authorities=())

    for certificates in permutations(along):
        response = time_stamp(
            stamper.signer, asked(), NOW, certificates=tuple(certificates)
        )
        assert accepted(response, alone).time_us == NOW_US
        assert in_order(in_order(response)) == in_order(response)


def test_fractions_of_a_second_count(
    stamper: TimeStamper, trust: TimeStampTrust
) -> None:
    at = NOW + timedelta(milliseconds=250)

    stamp = accepted(time_stamp(stamper.signer, asked(), at), trust)

    assert stamp.time_us == NOW_US + 250_000


@pytest.mark.parametrize(
    ("wrong", "flaw"),
    [
        pytest.param({"status": 2}, TimeStampFlaw.NOT_GRANTED, id="refused"),
        pytest.param({"imprint": bytes(32)}, TimeStampFlaw.IMPRINT, id="imprint"),
        # The same bytes, said to be of another hash: nobody could check that.
        pytest.param(
            {"imprint_algorithm": SHA512}, TimeStampFlaw.IMPRINT, id="imprint's hash"
        ),
        pytest.param(
            {"imprint_algorithm": SHA1, "imprint": bytes(20)},
            TimeStampFlaw.IMPRINT,
            id="a weak imprint",
        ),
        pytest.param({"nonce": NONCE + 1}, TimeStampFlaw.NONCE, id="nonce"),
        pytest.param({"nonce": None}, TimeStampFlaw.NONCE, id="no nonce"),
        pytest.param({"accuracy_s": 11}, TimeStampFlaw.ACCURACY, id="inaccurate"),
        pytest.param({"digest": "sha1"}, TimeStampFlaw.ALGORITHM, id="signed SHA-1"),
        pytest.param({"certificates": ()}, TimeStampFlaw.SIGNER, id="no certificate"),
        pytest.param(
            {"is_named_by_hash": False}, TimeStampFlaw.SIGNER, id="signer not named"
        ),
    ],
)
def test_what_an_authority_must_not_say_is_refused(
    stamper: TimeStamper,
    trust: TimeStampTrust,
    wrong: dict[str, Any],
    flaw: TimeStampFlaw,
) -> None:
    response = time_stamp(stamper.signer, asked(), NOW, **wrong)

    assert flaw_of(response, trust) is flaw


@pytest.mark.parametrize("seconds", [-62, 62], ids=["slow", "fast"])
def test_a_time_far_from_our_clock_is_refused(
    stamper: TimeStamper, trust: TimeStampTrust, seconds: int
) -> None:
    near = timedelta(seconds=seconds - (1 if seconds > 0 else -1))
    # A minute, and the second that the authority itself allows for.
    accepted(time_stamp(stamper.signer, asked(), NOW + near), trust)

    far = NOW + timedelta(seconds=seconds)
    response = time_stamp(stamper.signer, asked(), far)

    assert flaw_of(response, trust) is TimeStampFlaw.CLOCK


def test_another_key_signs_nothing(stamper: TimeStamper, trust: TimeStampTrust) -> None:
    other = signer_of(stamper.between, IN_FORCE)
    response = time_stamp(stamper.signer, asked(), NOW, signs=other)

    assert flaw_of(response, trust) is TimeStampFlaw.SIGNATURE


def test_the_signature_names_the_very_certificate(
    stamper: TimeStamper, trust: TimeStampTrust
) -> None:
    other = signer_of(stamper.between, IN_FORCE)
    response = time_stamp(stamper.signer, asked(), NOW, named=other.certificate)

    assert flaw_of(response, trust) is TimeStampFlaw.SIGNER


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"usages": ()}, id="no usage"),
        pytest.param({"critical": False}, id="not critical"),
        pytest.param({"usages": (ExtendedKeyUsageOID.OCSP_SIGNING,)}, id="for answers"),
        pytest.param(
            {
                "usages": (
                    ExtendedKeyUsageOID.TIME_STAMPING,
                    ExtendedKeyUsageOID.CODE_SIGNING,
                )
            },
            id="not alone",
        ),
        pytest.param({"digital_signature": False}, id="may not sign"),
        pytest.param({"cert_sign": True}, id="signs certificates"),
    ],
)
def test_a_signer_is_certified_for_time_stamps_and_nothing_else(
    stamper: TimeStamper, trust: TimeStampTrust, wrong: dict[str, Any]
) -> None:
    signer = signer_of(stamper.between, IN_FORCE, **wrong)
    response = time_stamp(signer, asked(), NOW)

    assert flaw_of(response, trust) is TimeStampFlaw.CERTIFICATE


def test_a_signer_is_valid_when_it_signs(
    stamper: TimeStamper, trust: TimeStampTrust
) -> None:
    expired = signer_of(stamper.between, LAST_YEAR)
    response = time_stamp(expired, asked(), NOW)
    assert flaw_of(response, trust) is TimeStampFlaw.CERTIFICATE

    # Whoever holds an old key cannot get round it by an old time.
    response = time_stamp(expired, asked(), NOW - 500 * DAY)
    assert flaw_of(response, trust) in {TimeStampFlaw.CLOCK, TimeStampFlaw.CERTIFICATE}


def test_a_signer_is_judged_at_the_time_it_says_and_not_at_the_readers(
    stamper: TimeStamper, trust: TimeStampTrust
) -> None:
    # Long ended when this test runs.
    short = signer_of(stamper.between, Validity(NOW - HOUR, NOW + HOUR))

    accepted(time_stamp(short, asked(), NOW), trust)


def test_the_path_leads_to_a_root_that_we_trust(
    stamper: TimeStamper, trust: TimeStampTrust
) -> None:
    stranger = TimeStamper.new(IN_FORCE)
    along = (stranger.signer, stranger.between, stranger.root)
    response = time_stamp(
        stranger.signer,
        asked(),
        NOW,
        certificates=tuple(one.certificate for one in along),
    )
    assert flaw_of(response, trust) is TimeStampFlaw.CERTIFICATE

    whole = replace(
        trust, roots=(*trust.roots, stranger.root.certificate), authorities=()
    )
    accepted(response, whole)


def test_the_policy_that_is_demanded_is_the_one_given(
    stamper: TimeStamper, trust: TimeStampTrust
) -> None:
    demanding = replace(trust, policy=POLICY)
    accepted(stamper.answer(question(POLICY)), demanding)

    for policy in ("1.2.3.4.2", "1.2.3.4"):
        response = time_stamp(stamper.signer, asked(), NOW, policy=policy)
        assert flaw_of(response, demanding) is TimeStampFlaw.POLICY
        accepted(response, trust)


def question(policy: str = "") -> bytes:
    return question_for(sha256(CONTENT).digest(), nonce=NONCE, policy=policy)


def test_a_revoked_signer_and_an_unknown_one_are_refused(
    stamper: TimeStamper, trust: TimeStampTrust
) -> None:
    response = time_stamp(stamper.signer, asked(), NOW)
    serial = stamper.signer.certificate.serial_number

    def listed(issuer: Authority, *revoked: int, at: Validity = CURRENT) -> bytes:
        return der(make_crl(issuer, at, dict.fromkeys(revoked, NOW - HOUR)))

    root, between = stamper.root, stamper.between
    overdue = Validity(NOW - 2 * DAY, NOW - DAY)
    accepted(response, replace(trust, lists=(listed(root), listed(between))))
    for lists, flaw in (
        ((listed(root), listed(between, serial)), TimeStampFlaw.REVOKED),
        (
            (listed(root, between.certificate.serial_number), listed(between)),
            TimeStampFlaw.REVOKED,
        ),
        ((listed(root),), TimeStampFlaw.REVOCATION),
        ((listed(root), listed(between, at=overdue)), TimeStampFlaw.REVOCATION),
    ):
        assert flaw_of(response, replace(trust, lists=lists)) is flaw


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda _: b"", id="nothing"),
        pytest.param(lambda _: b"<html>", id="a page"),
        pytest.param(lambda body: body[:-1], id="cut off"),
        pytest.param(lambda body: body + b"\0", id="more behind it"),
        pytest.param(lambda body: body.ljust(RESPONSE_BYTES_MAX + 1), id="too long"),
    ],
)
def test_what_is_no_answer_is_refused(
    stamper: TimeStamper, trust: TimeStampTrust, change: Callable[[bytes], bytes]
) -> None:
    response = change(time_stamp(stamper.signer, asked(), NOW))

    assert flaw_of(response, trust) is TimeStampFlaw.UNREADABLE


def test_a_changed_byte_says_nothing_else_and_breaks_nothing(
    stamper: TimeStamper, trust: TimeStampTrust
) -> None:
    response = time_stamp(stamper.signer, asked(), NOW)
    right = accepted(response, trust)
    dice = random.Random(3161)  # noqa: S311 - which bits, no secret

    refused = 0
    for at in range(len(response)):
        changed = bytearray(response)
        changed[at] ^= dice.randrange(1, 256)
        try:
            # Some bytes are nobody's word: a version, the name of the signature.
            assert accepted(bytes(changed), trust) == right
        except TimeStampRefused:
            refused += 1
    assert refused > len(response) * 0.98


def test_a_question_is_the_one_that_the_library_asks() -> None:
    theirs = (
        TimestampRequestBuilder()
        .data(CONTENT)
        .hash_algorithm(HashAlgorithm.SHA256)
        .build()
    )
    assert theirs.nonce is not None

    imprint = sha256(CONTENT).digest()

    assert question_for(imprint, nonce=theirs.nonce) == theirs.as_bytes()


@pytest.mark.parametrize(
    "text", ["", "1", "3.1", "1.40", "1.2.x", "1..2", "1.-2", "1.2 ", "1.²"]
)
def test_what_is_no_oid_names_no_policy(text: str) -> None:
    with pytest.raises(ValueError, match="not an OID"):
        oid_content(text)


def test_large_arcs_take_several_bytes() -> None:
    assert oid_content("2.999.3").hex() == "883703"
    assert oid_content("1.2.840.113549").hex() == "2a864886f70d"
