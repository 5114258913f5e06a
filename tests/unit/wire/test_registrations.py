"""Bytes that are no registration, or whose signers nobody knows, are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from counterfoil.devca.certificates import make_key, urn
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import (
    CounterfoilError,
    FormRefused,
    MalformedPayload,
    SamePerson,
)
from counterfoil.domain.registration import Registration
from counterfoil.office import Person, matters, registering
from counterfoil.registry.v1 import registration_pb2 as pb
from counterfoil.seal.algorithms import signing_key
from counterfoil.seal.sign import SealOrder
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.verify import Verified
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.registrations import (
    file_to_parts,
    matter_of,
    read_registration,
    registration_document,
    stored_registration,
)
from counterfoil.wire.sealed import Opened, close_sealed, open_sealed
from counterfoil.wire.workshop import Workshop
from tests.unit.app.house import Keys
from tests.unit.app.papers import FINANCE
from tests.unit.seal.makers import NOW_US

NONSENSE = b"\xff"
NOW = datetime(2026, 11, 27, tzinfo=UTC)
CHECK = registering.registration(
    FINANCE,
    "check-1",
    matters.audit_check("vouchers of November", "in order"),
    stated_time=datetime(2026, 11, 27, tzinfo=UTC),
)
UNSIGNED = CHECK.to_bytes()
NOBODY = Verified(statements=(), sealings=())


def refused_field(call: Callable[[], object]) -> str:
    with pytest.raises(CounterfoilError) as caught:
        call()
    assert type(caught.value) is MalformedPayload
    return caught.value.facts["field"]


@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_a_payload_that_is_no_registration() -> None:
    assert refused_field(lambda: read_registration(NONSENSE, ())) == "payload"


@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_a_document_of_the_log_that_holds_no_registration() -> None:
    sealed = close_sealed(DocumentKind.REGISTRATION, NONSENSE, ())

    assert refused_field(lambda: matter_of(sealed)) == "payload"
    assert matter_of(UNSIGNED) == "audit_check"


@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_a_file_that_is_none() -> None:
    assert refused_field(lambda: file_to_parts(NONSENSE)) == "file"


@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_a_registration_that_encloses_something() -> None:
    opened: Opened = replace(open_sealed(UNSIGNED), enclosures=(UNSIGNED,))

    def make() -> object:
        return registration_document(UNSIGNED, opened, NOBODY)

    assert refused_field(make) == "enclosures"


@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_a_registration_of_the_log_whose_signer_is_not_kept() -> None:
    position = CATALOGUE.default_plans[DocumentKind.REGISTRATION].positions[0]
    order = SealOrder(
        document_kind=DocumentKind.REGISTRATION,
        payload_digest=CHECK.digest,
        position=position.id,
        purpose=position.purpose,
        beneath=(),
    )
    sealer = Keys.new().sealers[FINANCE, "first"]
    seal = sealer.seal(order, stated_time_us=NOW_US)
    signed = close_sealed(DocumentKind.REGISTRATION, CHECK.payload, [seal])

    def find(kept: bytes | None) -> Registration:
        return stored_registration(signed, lambda _: kept, lambda _: None)

    assert refused_field(lambda: find(None)) == "seals"
    assert find(sealer.certificate).signers == (sealer.identity,)


@pytest.mark.refusal("FORM_REFUSED")
@pytest.mark.parametrize(
    ("query", "field"),
    [
        (pb.AuditQuery(matters=["filing", "rumour"]), "audit_check.query.matters"),
        (pb.AuditQuery(acts=["ENTER", "FORGET"]), "audit_check.query"),
        (pb.AuditQuery(kinds=["VOUCHER", "RUMOUR"]), "audit_check.query"),
    ],
)
def test_a_check_of_what_the_log_knows_nothing_of(
    query: pb.AuditQuery, field: str
) -> None:
    message = pb.Registration.FromString(sealed_pb2.Sealed.FromString(UNSIGNED).payload)
    message.audit_check.query.CopyFrom(query)
    message.audit_check.query.subject = pb.AuditQuery.SUBJECT_ACTS

    with pytest.raises(FormRefused) as caught:
        read_registration(message.SerializeToString(), ())

    assert [one.path for one in caught.value.violations] == [field]


@pytest.mark.refusal("FORM_REFUSED")
@pytest.mark.parametrize(
    ("seconds", "nanos"),
    [(-1, 0), (253_402_300_800, 0), (2**62, 0), (-(2**63), 0), (1, -1), (1, 10**9)],
)
def test_a_time_that_nobody_could_print_is_refused(seconds: int, nanos: int) -> None:
    message = pb.Registration.FromString(CHECK.payload)
    message.stated_time.seconds, message.stated_time.nanos = seconds, nanos

    with pytest.raises(FormRefused) as caught:
        read_registration(message.SerializeToString(), ())

    (violation,) = caught.value.violations
    assert violation.path == "stated_time"
    assert violation.text_zh


@pytest.mark.refusal("FORM_REFUSED")
@pytest.mark.parametrize("field", ["from_time", "until_time"])
def test_a_question_about_a_time_that_is_none_is_refused(field: str) -> None:
    message = pb.Registration.FromString(CHECK.payload)
    message.audit_check.query.subject = pb.AuditQuery.SUBJECT_ACTS
    getattr(message.audit_check.query, field).nanos = -1

    with pytest.raises(FormRefused) as caught:
        read_registration(message.SerializeToString(), ())

    assert [one.path for one in caught.value.violations] == [
        f"audit_check.query.{field}"
    ]


@pytest.mark.clause("hubei-24")
@pytest.mark.refusal("SAME_PERSON")
def test_one_key_is_no_two_signatures_whatever_its_certificates_say() -> None:
    keys, key = Keys.new(), make_key()
    matter = matters.post_assignment(urn(FINANCE, "person", "li"), "archivist")
    signed = registering.registration(FINANCE, "1", matter, stated_time=NOW)
    certificates = []
    for name in ("manager", "supervisor"):
        one = keys.pki.sealer("person", name, party=FINANCE, key=key)
        certificates.append(one.certificate)
        signed = signed.signed(
            Person(one.certificate, signing_key(key)), stated_time=NOW
        )
    workshop = Workshop(trust=TrustStore(keys.material), sealers={})

    (outcome,) = workshop.examine([signed.to_bytes()], certificates, NOW_US)

    assert isinstance(outcome, SamePerson)
