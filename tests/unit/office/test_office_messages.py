from __future__ import annotations

from dataclasses import replace
from enum import IntEnum

import pytest

from counterfoil.catalogue.v1.document_kind_pb2 import DocumentKind as KindMessage
from counterfoil.desk.v1 import desk_pb2
from counterfoil.desk.v1.standing_pb2 import Standing as StandingMessage
from counterfoil.office import vouchers
from counterfoil.office.errors import Defect
from counterfoil.office.messages import (
    draft_message,
    key_message,
    key_of,
    kind_of,
    opened,
    opened_payload,
    outcome_of,
    payload_of,
    receipt_message,
)
from counterfoil.sealed.v1 import sealed_pb2, voucher_pb2

KEY = vouchers.VoucherKey(
    issuer="420000-102",
    adm_div="420000",
    fiscal_year=2026,
    type_code=2205,
    number="RZ1",
    issue=2,
)
REFERENCE = vouchers.Reference(KEY, b"\7" * 32)
FORM = vouchers.Form(
    {"id": "1", "pay_amt_fen": -1250, "hold1": ""}, ({"id": "r1"}, {"id": "r2"})
)
VOUCHER = vouchers.Voucher(
    key=KEY, recipients=("420000-101001",), form=FORM, replaces=b"\1" * 32
)


def sealed(kind: vouchers.DocumentKind, payload: bytes) -> bytes:
    return sealed_pb2.Sealed(
        kind=KindMessage.ValueType(kind), payload=payload
    ).SerializeToString()


@pytest.mark.parametrize(
    ("ours", "theirs", "prefix"),
    [
        (vouchers.Standing, StandingMessage, "STANDING_"),
        (vouchers.DocumentKind, KindMessage, "DOCUMENT_KIND_"),
        (vouchers.ActOutcome, desk_pb2.ActOutcome, "ACT_OUTCOME_"),
    ],
)
def test_our_enums_are_those_of_the_contract(
    ours: type[IntEnum], theirs: object, prefix: str
) -> None:
    stated = dict(theirs.items())  # type: ignore[attr-defined]
    del stated[f"{prefix}UNSPECIFIED"]

    assert {f"{prefix}{one.name}": one.value for one in ours} == stated


def test_a_key_comes_back_as_it_was() -> None:
    assert key_of(key_message(KEY)) == KEY
    assert str(KEY) == "420000-102/2026/2205/RZ1#2"


def test_a_voucher_says_what_was_put_into_its_draft() -> None:
    payload = draft_message(VOUCHER).voucher.SerializeToString()

    assert opened_payload(payload) == VOUCHER
    assert opened(sealed(vouchers.DocumentKind.VOUCHER, payload)) == VOUCHER


def test_a_voucher_that_books_keep_is_handed_over_as_it_was_kept() -> None:
    kept = vouchers.KeptDraft(key=VOUCHER.key, payload=payload_of(VOUCHER))

    assert draft_message(kept) == draft_message(VOUCHER)
    with pytest.raises(Defect, match="no voucher"):
        draft_message(replace(kept, payload=b"\xff"))


def test_an_empty_field_is_not_an_absent_one() -> None:
    payload = draft_message(VOUCHER).voucher.SerializeToString()

    form = opened_payload(payload).form

    assert form.fields["hold1"] == ""
    assert "hold2" not in form.fields
    assert (form.text("hold2"), form.fen("pay_amt_fen")) == ("", -1250)


def test_a_field_that_the_contract_does_not_know_is_refused() -> None:
    form = vouchers.Form({"no_such_field": "1"})
    draft = vouchers.Voucher(key=KEY, recipients=("420000-101001",), form=form)

    with pytest.raises(ValueError, match="no_such_field"):
        draft_message(draft)


@pytest.mark.parametrize("name", ["rows", "extra"])
def test_rows_are_no_field(name: str) -> None:
    draft = vouchers.Voucher(
        key=KEY, recipients=("420000-101001",), form=vouchers.Form({name: ""})
    )

    with pytest.raises(ValueError, match=name):
        draft_message(draft)


def test_a_type_without_receipts_has_no_receipt() -> None:
    receipt = vouchers.Receipt(voucher=REFERENCE, by="420000-102", form=FORM)

    with pytest.raises(ValueError, match="no form for type 2205"):
        receipt_message(receipt)


def test_a_form_without_rows_comes_back_as_it_was() -> None:
    listed = vouchers.Reference(replace(KEY, type_code=5553), b"\7" * 32)
    form = vouchers.Form({"x_acct_date": "20260301"})
    receipt = vouchers.Receipt(voucher=listed, by="420000-001", form=form)
    payload = receipt_message(receipt).SerializeToString()

    assert opened(sealed(vouchers.DocumentKind.RECEIPT, payload)) == receipt


def test_rows_of_a_form_that_has_none_are_refused() -> None:
    listed = vouchers.Reference(replace(KEY, type_code=5553), b"\7" * 32)
    receipt = vouchers.Receipt(voucher=listed, by="420000-001", form=FORM)

    with pytest.raises(ValueError, match="has no rows"):
        receipt_message(replace(receipt, form=vouchers.Form({}, ({"id": "1"},))))


def test_a_step_says_what_it_is_by_the_kind_of_its_document() -> None:
    step = voucher_pb2.Step(by="420000-102", explanation="账户已销户")
    encoded = sealed(vouchers.DocumentKind.RETURN, step.SerializeToString())

    told = opened(encoded)

    assert kind_of(encoded) is vouchers.DocumentKind.RETURN
    assert isinstance(told, vouchers.Step)
    assert (told.kind.name, told.by, told.explanation) == (
        "RETURN",
        "420000-102",
        "账户已销户",
    )


@pytest.mark.parametrize(
    "encoded", [b"\xff", sealed(vouchers.DocumentKind.VOUCHER, b"\xff")]
)
def test_bytes_that_are_no_document_are_a_defect(encoded: bytes) -> None:
    with pytest.raises(Defect):
        opened(encoded)


def test_a_payload_that_is_no_voucher_is_a_defect() -> None:
    with pytest.raises(Defect):
        opened_payload(b"\xff")


def test_a_voucher_without_a_known_form_is_a_defect() -> None:
    with pytest.raises(Defect, match="without a form"):
        opened_payload(b"")


def test_an_item_that_is_neither_done_nor_refused_is_a_defect() -> None:
    with pytest.raises(Defect):
        outcome_of(desk_pb2.Result())


def test_a_draft_has_no_leaf_yet() -> None:
    result = desk_pb2.Result(
        done=desk_pb2.Done(
            digest=b"d", standing=StandingMessage.STANDING_DRAFT, seals=1
        )
    )

    assert outcome_of(result) == vouchers.Done(
        digest=b"d", leaf=None, standing=vouchers.Standing.DRAFT, seals=1
    )
