"""Payloads are read completely, checked by every rule, or refused."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import FormRefused, MalformedPayload
from counterfoil.domain.seals import Seal
from counterfoil.sealed.v1 import sealed_pb2, voucher_pb2
from counterfoil.wire.documents import document_of, read_payload
from counterfoil.wire.keys import key_from_message
from counterfoil.wire.sealed import close_sealed, open_sealed
from tests.unit.app.papers import (
    BANK,
    DIRECT,
    FINANCE,
    UNIT,
    direct_payment,
    encoded,
    entry_notice,
    key_message,
    receipt_for,
    step_about,
)

SEALS = (Seal(statement=b"one", signature=b"1"), Seal(statement=b"two", signature=b"2"))
DIGEST = b"d" * 32
STEPS = [
    DocumentKind.ACCEPTANCE,
    DocumentKind.REJECTION,
    DocumentKind.RETURN_REQUEST,
    DocumentKind.RETURN,
    DocumentKind.DISCARD,
]


# --- the envelope ----------------------------------------------------------------


def test_a_document_is_taken_apart_as_it_was_closed() -> None:
    opened = open_sealed(close_sealed(DocumentKind.VOUCHER, b"payload", SEALS))

    assert opened.kind is DocumentKind.VOUCHER
    assert (opened.payload, opened.seals) == (b"payload", SEALS)
    assert opened.digest == sha256(b"payload").digest()
    assert opened.enclosures == ()


@pytest.mark.refusal("MALFORMED_PAYLOAD")
@pytest.mark.parametrize(
    "wrong",
    [
        b"\xff",
        b"",
        sealed_pb2.Sealed(payload=b"payload").SerializeToString(),
        sealed_pb2.Sealed(kind=99, payload=b"p").SerializeToString(),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_document_of_a_known_kind_is_refused(wrong: bytes) -> None:
    with pytest.raises(MalformedPayload) as refused:
        open_sealed(wrong)

    assert refused.value.facts == {"field": "sealed"}


@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_a_document_encloses_at_most_two_originals() -> None:
    sealed = sealed_pb2.Sealed(kind=2, payload=b"p", enclosures=[b"1", b"2"])  # type: ignore[arg-type]
    assert open_sealed(sealed.SerializeToString()).enclosures == (b"1", b"2")
    sealed.enclosures.append(b"3")

    with pytest.raises(MalformedPayload) as refused:
        open_sealed(sealed.SerializeToString())

    assert refused.value.facts == {"field": "enclosures"}


# --- vouchers --------------------------------------------------------------------


def test_a_vouchers_facts_are_what_its_form_says() -> None:
    voucher = direct_payment(to=(BANK, UNIT), issue=2, replaces=DIGEST)

    facts = read_payload(DocumentKind.VOUCHER, encoded(voucher))

    assert facts.key == key_from_message(voucher.key)
    assert (facts.by, facts.recipients) == (FINANCE, (BANK, UNIT))
    assert facts.amount_fen == voucher.direct_payment.pay_amt_fen > 0
    assert facts.count == len(voucher.direct_payment.rows) > 1
    assert (facts.replaces, facts.subject) == (DIGEST, b"")


def spoiled(change: Callable[[voucher_pb2.Voucher], object]) -> bytes:
    voucher = direct_payment()
    change(voucher)
    return encoded(voucher)


@pytest.mark.clause("hubei-15a")
@pytest.mark.refusal("MALFORMED_PAYLOAD")
@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (b"\xff", "payload"),
        (encoded(direct_payment())[:-1], "payload"),
        (spoiled(lambda v: v.ClearField("direct_payment")), "form"),
        (b"", "form"),
        # The form of another type than the key says.
        (spoiled(lambda v: setattr(v.key, "type", 8202)), "form"),
        (spoiled(lambda v: v.entry_notice.SetInParent()), "form"),
    ],
)
def test_a_voucher_that_contradicts_itself_is_refused(
    payload: bytes, field: str
) -> None:
    with pytest.raises(MalformedPayload) as refused:
        read_payload(DocumentKind.VOUCHER, payload)

    assert refused.value.facts == {"field": field}


@pytest.mark.clause("hubei-15a")
@pytest.mark.refusal("FORM_REFUSED")
@pytest.mark.parametrize(
    ("payload", "paths"),
    [
        (spoiled(lambda v: v.ClearField("key")), ["key"]),
        (spoiled(lambda v: setattr(v.key, "type", 9999)), ["key.type"]),
        (spoiled(lambda v: setattr(v.key, "issuer", "someone")), ["key.issuer"]),
        (spoiled(lambda v: setattr(v.key, "issue", 0)), ["key.issue"]),
        (spoiled(lambda v: v.ClearField("recipients")), ["recipients"]),
        (spoiled(lambda v: v.recipients.append(BANK)), ["recipients"]),
        (spoiled(lambda v: v.recipients.append("x")), ["recipients[1]"]),
        (spoiled(lambda v: setattr(v, "replaces", b"short")), ["replaces"]),
    ],
)
def test_what_stands_around_the_form_obeys_the_contract(
    payload: bytes, paths: list[str]
) -> None:
    with pytest.raises(FormRefused) as refused:
        read_payload(DocumentKind.VOUCHER, payload)

    assert [each.path for each in refused.value.violations] == paths
    assert all(each.text and each.text_zh for each in refused.value.violations)


@pytest.mark.clause("hubei-15a")
@pytest.mark.refusal("FORM_REFUSED")
def test_a_broken_rule_of_the_form_is_named_with_its_place() -> None:
    voucher = direct_payment()
    voucher.direct_payment.pay_amt_fen += 1

    with pytest.raises(FormRefused) as refused:
        read_payload(DocumentKind.VOUCHER, encoded(voucher))

    (found,) = refused.value.violations
    assert (found.path, found.rule) == ("pay_amt_fen", "sum.rows")


@pytest.mark.refusal("FORM_REFUSED")
@pytest.mark.parametrize(
    ("part", "value", "path"),
    [
        ("adm_div", "420100", "adm_div_code"),
        ("fiscal_year", 2025, "st_year"),
        ("number", "2", "voucher_no"),
    ],
)
def test_a_form_that_contradicts_its_key_is_refused(
    part: str, value: object, path: str
) -> None:
    payload = spoiled(lambda v: setattr(v.key, part, value))

    with pytest.raises(FormRefused) as refused:
        read_payload(DocumentKind.VOUCHER, payload)

    (found,) = refused.value.violations
    assert (found.path, found.rule) == (path, "key.same")


def test_a_notice_counts_money_that_came_back() -> None:
    facts = read_payload(DocumentKind.VOUCHER, encoded(entry_notice()))

    assert (facts.amount_fen, facts.count) == (-5, 1)


# --- receipts --------------------------------------------------------------------


def test_a_receipts_facts_are_what_was_paid() -> None:
    voucher = direct_payment()
    receipt = receipt_for(voucher, DIGEST)
    first = receipt.direct_payment.rows[0]
    receipt.direct_payment.x_pay_amt_fen -= first.x_pay_amt_fen
    first.x_pay_amt_fen = 0

    facts = read_payload(DocumentKind.RECEIPT, encoded(receipt))

    assert (facts.subject, facts.by, facts.recipients) == (DIGEST, BANK, (FINANCE,))
    assert facts.amount_fen == receipt.direct_payment.x_pay_amt_fen
    assert facts.count == len(voucher.direct_payment.rows) - 1


@pytest.mark.clause("hubei-20")
@pytest.mark.refusal("MALFORMED_PAYLOAD", "FORM_REFUSED")
def test_a_receipt_that_is_none_is_refused() -> None:
    def refused_with(change: Callable[[voucher_pb2.Receipt], object]) -> str:
        receipt = receipt_for(direct_payment(), DIGEST)
        change(receipt)
        with pytest.raises((MalformedPayload, FormRefused)) as refused:
            read_payload(DocumentKind.RECEIPT, encoded(receipt))
        first = [each.path for each in refused.value.violations[:1]]
        return str(first[0]) if first else refused.value.facts["field"]

    assert refused_with(lambda r: r.ClearField("direct_payment")) == "form"
    assert refused_with(lambda r: setattr(r.voucher.key, "type", 8202)) == "form"
    assert refused_with(lambda r: setattr(r.voucher.key, "type", 2205)) == "form"
    assert refused_with(lambda r: setattr(r, "by", "x")) == "by"
    assert refused_with(lambda r: r.ClearField("voucher")) == "voucher"
    assert refused_with(lambda r: setattr(r.voucher, "digest", b"x")) == (
        "voucher.digest"
    )
    assert refused_with(
        lambda r: setattr(r.direct_payment, "x_pay_amt_fen", 1)
    ).startswith("x_pay_amt")
    with pytest.raises(MalformedPayload):
        read_payload(DocumentKind.RECEIPT, b"\xff")


# --- steps -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", STEPS)
def test_a_steps_facts_are_what_it_says(kind: DocumentKind) -> None:
    key = key_from_message(key_message(FINANCE, DIRECT, "1"))

    facts = read_payload(kind, encoded(step_about(key, DIGEST, "户名不符")))

    assert (facts.key, facts.subject, facts.by) == (key, DIGEST, BANK)
    assert (facts.recipients, facts.explanation) == ((FINANCE,), "户名不符")
    assert (facts.amount_fen, facts.count) == (0, 0)


@pytest.mark.refusal("FORM_REFUSED")
@pytest.mark.parametrize("kind", STEPS)
def test_only_an_acceptance_needs_no_explanation(kind: DocumentKind) -> None:
    key = key_from_message(key_message(FINANCE, DIRECT, "1"))
    payload = encoded(step_about(key, DIGEST, ""))

    if kind is DocumentKind.ACCEPTANCE:
        assert read_payload(kind, payload).explanation == ""
        return
    with pytest.raises(FormRefused) as refused:
        read_payload(kind, payload)
    assert [each.path for each in refused.value.violations] == ["explanation"]


@pytest.mark.refusal("FORM_REFUSED")
def test_a_step_obeys_the_contract() -> None:
    key = key_from_message(key_message(FINANCE, DIRECT, "1"))
    step = step_about(key, DIGEST, "长" * 201)
    step.by = "x"

    with pytest.raises(FormRefused) as refused:
        read_payload(DocumentKind.RETURN, encoded(step))

    assert {each.path for each in refused.value.violations} == {"by", "explanation"}


@pytest.mark.refusal("FORM_REFUSED")
@pytest.mark.parametrize("character", ["\0", "\x0b", "\x1f"])
def test_a_reason_is_a_text_that_every_book_can_keep(character: str) -> None:
    key = key_from_message(key_message(FINANCE, DIRECT, "1"))
    said = encoded(step_about(key, DIGEST, f"户名{character}不符"))

    with pytest.raises(FormRefused) as refused:
        read_payload(DocumentKind.RETURN, said)

    assert [each.path for each in refused.value.violations] == ["explanation"]
    lines = encoded(step_about(key, DIGEST, "户名不符\n\t账号不符"))
    assert (
        read_payload(DocumentKind.RETURN, lines).explanation == "户名不符\n\t账号不符"
    )


@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_a_notice_between_institutions_does_not_travel_yet() -> None:
    with pytest.raises(MalformedPayload) as refused:
        read_payload(DocumentKind.NOTICE, b"")

    assert refused.value.facts == {"field": "kind"}


# --- the document that the vault takes -------------------------------------------


def test_a_voucher_is_its_own_subject_and_a_step_has_another() -> None:
    voucher = direct_payment()
    facts = read_payload(DocumentKind.VOUCHER, encoded(voucher))
    step = read_payload(
        DocumentKind.RETURN, encoded(step_about(facts.key, DIGEST, "户名不符"))
    )

    entered = document_of(DocumentKind.VOUCHER, b"sealed", b"v" * 32, facts)
    returned = document_of(DocumentKind.RETURN, b"sealed", b"s" * 32, step)

    assert entered.subject == entered.digest == b"v" * 32
    assert entered.version == sha256(b"sealed").digest()
    assert (returned.digest, returned.subject) == (b"s" * 32, DIGEST)
    assert returned.explanation == "户名不符"
