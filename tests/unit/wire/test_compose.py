"""What business systems hand in becomes one encoding, or is refused."""

from __future__ import annotations

from hashlib import sha256

import pytest

from counterfoil.desk.v1 import desk_pb2
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.drafts import ReceiptText, StepText
from counterfoil.domain.refusals import FormRefused, MalformedPayload, NotTheIssuer
from counterfoil.sample.documents import file_of
from counterfoil.sealed.v1 import voucher_pb2
from counterfoil.wire.compose import compose_draft, compose_receipt, compose_step
from counterfoil.wire.documents import read_payload
from tests.unit.app.papers import (
    BANK,
    FINANCE,
    OTHER_BANK,
    UNIT,
    direct_payment,
    draft_of,
    encoded,
    national_draft,
    receipt_for,
    sample,
)

DIGEST = b"d" * 32


def test_a_draft_is_encoded_once_and_named_by_its_digest() -> None:
    row, facts = compose_draft(draft_of(direct_payment()), desk=FINANCE)

    assert row.digest == sha256(row.payload).digest()
    assert read_payload(DocumentKind.VOUCHER, row.payload) == facts
    assert (row.party, row.key, row.seals) == (FINANCE, facts.key, ())
    assert compose_draft(draft_of(direct_payment()), desk=FINANCE)[0] == row


def test_a_national_document_and_its_form_are_one_voucher() -> None:
    national, _ = compose_draft(national_draft(file_of(sample())), desk=FINANCE)
    voucher = voucher_pb2.Voucher.FromString(national.payload)

    typed, _ = compose_draft(draft_of(voucher), desk=FINANCE)

    assert typed == national
    assert national.recipients == (BANK,)
    assert national.key.issue == 1


def test_a_national_document_of_a_later_issue_says_so_beside_it() -> None:
    draft = desk_pb2.Draft.FromString(national_draft(file_of(sample()), issue=2))
    draft.national.replaces = DIGEST

    row, facts = compose_draft(draft.SerializeToString(), desk=FINANCE)

    assert (row.key.issue, facts.replaces) == (2, DIGEST)


@pytest.mark.refusal("MALFORMED_PAYLOAD")
@pytest.mark.parametrize(("draft", "field"), [(b"\xff", "draft"), (b"", "content")])
def test_what_is_no_draft_is_refused(draft: bytes, field: str) -> None:
    with pytest.raises(MalformedPayload) as refused:
        compose_draft(draft, desk=FINANCE)

    assert refused.value.facts == {"field": field}


@pytest.mark.refusal("NOT_THE_ISSUER")
@pytest.mark.parametrize("issuer", [UNIT, BANK])
def test_a_desk_issues_in_no_other_name(issuer: str) -> None:
    with pytest.raises(NotTheIssuer) as refused:
        compose_draft(draft_of(direct_payment(issuer=issuer)), desk=FINANCE)

    assert refused.value.facts == {"desk": FINANCE}


@pytest.mark.refusal("FORM_REFUSED")
def test_a_national_document_that_cannot_be_read_is_refused_with_its_path() -> None:
    document = file_of(sample()).replace(b"MOF", b"FOM")

    with pytest.raises(FormRefused) as refused:
        compose_draft(national_draft(document), desk=FINANCE)

    assert [each.path for each in refused.value.violations] == ["MOF"]


def two_bodies() -> bytes:
    document = file_of(sample())
    start = document.index(b"<VoucherBody")
    end = document.index(b"</MOF>")
    return document.replace(b"<VoucherCount>1<", b"<VoucherCount>2<").replace(
        b"</MOF>", document[start:end] + b"</MOF>"
    )


def answered() -> bytes:
    return file_of(sample()).replace(
        b"<VoucherFlag>0</VoucherFlag>", b"<VoucherFlag>1</VoucherFlag>"
    )


@pytest.mark.refusal("MALFORMED_PAYLOAD")
@pytest.mark.parametrize("document", [two_bodies(), answered()])
def test_a_national_draft_is_one_voucher_and_no_receipt(document: bytes) -> None:
    with pytest.raises(MalformedPayload) as refused:
        compose_draft(national_draft(document), desk=FINANCE)

    assert refused.value.facts == {"field": "national.document"}


@pytest.mark.refusal("FORM_REFUSED")
@pytest.mark.parametrize("year", ["", "year", "20261", "99999999999", "２０２６"])
def test_a_national_year_that_is_none_is_refused_like_any_field(year: str) -> None:
    voucher = sample()
    voucher.main["StYear"] = year

    with pytest.raises(FormRefused) as refused:
        compose_draft(national_draft(file_of(voucher)), desk=FINANCE)

    assert {each.path for each in refused.value.violations} & {
        "st_year",
        "key.fiscal_year",
        "MOF/VoucherBody[1]",
    }


@pytest.mark.parametrize(
    "kind", [DocumentKind.ACCEPTANCE, DocumentKind.RETURN, DocumentKind.DISCARD]
)
def test_a_step_says_what_it_was_asked_to(kind: DocumentKind) -> None:
    row, _ = compose_draft(draft_of(direct_payment()), desk=FINANCE)

    payload, facts = compose_step(
        StepText(
            kind=kind,
            key=row.key,
            subject=row.digest,
            by=BANK,
            recipients=(FINANCE,),
            explanation="户名不符",
        )
    )

    assert read_payload(kind, payload) == facts
    assert (facts.subject, facts.by) == (row.digest, BANK)


def test_a_receipt_goes_to_whom_the_gateway_says() -> None:
    receipt = receipt_for(direct_payment(), DIGEST)
    del receipt.recipients[:]
    receipt.recipients.append(OTHER_BANK)

    payload, facts = compose_receipt(
        ReceiptText(receipt=encoded(receipt), recipients=(FINANCE,)), by=BANK
    )

    assert facts.recipients == (FINANCE,)
    assert read_payload(DocumentKind.RECEIPT, payload) == facts


@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_what_is_no_receipt_is_refused() -> None:
    with pytest.raises(MalformedPayload) as refused:
        compose_receipt(ReceiptText(receipt=b"\xff", recipients=(FINANCE,)), by=BANK)

    assert refused.value.facts == {"field": "receipt"}


@pytest.mark.refusal("NOT_THE_ISSUER")
def test_a_desk_gives_receipts_in_no_other_name() -> None:
    receipt = encoded(receipt_for(direct_payment(), DIGEST, by=OTHER_BANK))

    with pytest.raises(NotTheIssuer) as refused:
        compose_receipt(ReceiptText(receipt=receipt, recipients=(FINANCE,)), by=BANK)

    assert refused.value.facts == {"desk": BANK}
