from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.devca.certificates import Algorithm
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.office.signing import (
    SEAL_TYPE,
    Person,
    encode_for_signing,
    plan_of,
    seal_voucher,
)
from counterfoil.seal import dsse
from counterfoil.seal.algorithms import check_with
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.seals import parse_statement
from tests.unit.office.loopback import PARTY, access_of

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
PAYLOAD = b"an encoded voucher"


def person(ca: DevelopmentCa, name: str) -> Person:
    access = access_of(ca, "person", name)
    return Person.from_pem(access.certificate, access.key)


def test_the_published_example_is_encoded_as_published() -> None:
    encoded = encode_for_signing("http://example.com/HelloWorld", b"hello world")

    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


@given(st.text(), st.binary())
def test_office_and_gateway_sign_the_same_bytes(kind: str, payload: bytes) -> None:
    assert encode_for_signing(kind, payload) == dsse.encode_for_signing(kind, payload)


def test_both_name_the_statement_by_the_same_type() -> None:
    assert SEAL_TYPE == dsse.SEAL_TYPE


@pytest.mark.parametrize("type_code", [5201, 8202, 2205])
def test_office_and_gateway_read_the_same_plan(type_code: int) -> None:
    theirs = CATALOGUE.plan_for(DocumentKind.VOUCHER, type_code).positions

    ours = plan_of(type_code)

    assert [(one.id, one.name_zh, one.purpose) for one in ours] == [
        (one.id, one.name_zh, one.purpose) for one in theirs
    ]
    assert [one.by_person for one in ours] == [
        one.by.name == "PERSON" for one in theirs
    ]


@pytest.mark.parametrize("type_code", [0, 1234])
def test_a_type_outside_the_catalogue_has_no_plan(type_code: int) -> None:
    with pytest.raises(ValueError, match="no type"):
        plan_of(type_code)


@pytest.mark.parametrize("algorithm", ["p256", "ed25519"])
def test_the_gateway_reads_and_verifies_what_a_person_sealed(
    ca: DevelopmentCa, algorithm: Algorithm
) -> None:
    ca.issue(PARTY, "person", algorithm, now=datetime.now(UTC), algorithm=algorithm)
    signer = person(ca, algorithm)
    position = plan_of(5201)[0]

    seal = seal_voucher(PAYLOAD, position, signer, stated_time=NOW)

    statement = parse_statement(seal.statement)
    kind, check = check_with(load_der_public_key(signer.key.public_key))
    check(seal.signature, dsse.encode_for_signing(dsse.SEAL_TYPE, seal.statement))
    assert statement.algorithm is kind
    assert statement.document_kind is DocumentKind.VOUCHER
    assert statement.payload_digest == hashlib.sha256(PAYLOAD).digest()
    assert (statement.position, statement.purpose.name) == ("jbqm", "FIRST_REVIEW")
    assert statement.certificate_digest == hashlib.sha256(signer.certificate).digest()
    assert statement.stated_time_us == int(NOW.timestamp()) * 1_000_000
    assert statement.beneath == ()


def test_the_second_seal_pins_the_statement_of_the_first(ca: DevelopmentCa) -> None:
    first_position, second_position, _ = plan_of(5201)
    first = seal_voucher(PAYLOAD, first_position, person(ca, "first"), stated_time=NOW)

    second = seal_voucher(
        PAYLOAD,
        second_position,
        person(ca, "second"),
        stated_time=NOW,
        beneath=[first],
    )

    beneath = parse_statement(second.statement).beneath
    assert beneath == (hashlib.sha256(first.statement).digest(),)


def test_a_key_of_another_certificate_is_refused(ca: DevelopmentCa) -> None:
    mine, other = access_of(ca, "person", "first"), access_of(ca, "person", "second")

    with pytest.raises(ValueError, match="does not belong"):
        Person.from_pem(mine.certificate, other.key)


def test_a_key_of_no_agreed_algorithm_is_refused(ca: DevelopmentCa) -> None:
    ca.issue(PARTY, "person", "p384", now=datetime.now(UTC), algorithm="p384")

    with pytest.raises(ValueError, match="P-256, Ed25519 or SM2"):
        person(ca, "p384")


def test_no_key_shows_in_a_persons_text(ca: DevelopmentCa, tmp_path: Path) -> None:
    assert "PRIVATE" not in repr(access_of(ca, "person", "first"))
    assert "key=" not in repr(person(ca, "first"))
