"""Documents come out of a worker process as they went in."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace

import pytest

from counterfoil.daemon.parcels import pack_document, unpack_document
from counterfoil.domain.audit import AuditQuery, Subject
from counterfoil.domain.catalogue import Comparison, DocumentKind
from counterfoil.domain.document import Document
from counterfoil.domain.naming import Naming, ReferenceMeasure, ReferenceNeed
from counterfoil.domain.refusals import MalformedPayload
from counterfoil.domain.registration import AuditCheck
from counterfoil.domain.standing import Act
from tests.contract.vaults import registered, step, voucher
from tests.unit.domain.registrations import registration

NAMES = tuple(
    Naming(
        types=(5201, 8202),
        number=number,
        amount_fen=-5,
        path="rows[3].ori_voucher_no",
        need=ReferenceNeed.ACTED,
        measure=ReferenceMeasure.PART,
        once=number == "1",
        lapses=number == "2",
    )
    for number in "12"
)
NAMING = replace(voucher(issue=2, replaces=b"r" * 32), names=NAMES)
RECEIPT = replace(
    step(DocumentKind.RECEIPT, voucher()),
    comparison=Comparison.DIFFERS,
    encloses=True,
    explanation="why",
    signers=(b"s" * 32,),
    sealings=(("zqz", "urn:counterfoil:420000-102:institution:1"),),
)
REGISTRATION = registered(registration(AuditCheck(matter="log", finding="good")))
QUESTION = registered(
    registration(
        AuditCheck(
            matter="log",
            finding="",
            query=AuditQuery(
                subject=Subject.ACTS,
                from_us=1,
                until_us=2,
                acts=frozenset({Act.WITHDRAW}),
                kinds=frozenset({DocumentKind.VOUCHER}),
                party="420000-102",
                matters=frozenset({"filing"}),
            ),
        )
    )
)


@pytest.mark.parametrize("document", [NAMING, RECEIPT, REGISTRATION, QUESTION])
@pytest.mark.parametrize("sealed", [True, False])
def test_every_field_travels(document: Document, *, sealed: bool) -> None:
    parcel = pickle.dumps(pack_document(document, sealed=sealed))

    came = unpack_document(pickle.loads(parcel), b"" if sealed else document.sealed)  # noqa: S301 -- our own bytes

    assert isinstance(came, Document)
    for field in fields(Document):
        assert getattr(came, field.name) == getattr(document, field.name), field.name


def test_a_refusal_travels_as_it_is() -> None:
    refusal = MalformedPayload("no voucher", field="payload")

    assert unpack_document(pack_document(refusal, sealed=True)) is refusal
