from __future__ import annotations

import pytest
from google.protobuf import descriptor_pool

from counterfoil.catalogue.v1 import (
    document_kind_pb2,
    options_pb2,
    party_kind_pb2,
    seal_position_pb2,
)
from counterfoil.domain import catalogue as domain
from counterfoil.domain import naming
from counterfoil.domain.catalogue import (
    Answer,
    DocumentKind,
    PartyKind,
    SealedBy,
    SealPlan,
    SealPosition,
    SealPurpose,
)
from counterfoil.wire.catalogue import CATALOGUE


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (domain.PartyKind, party_kind_pb2.PartyKind),
        (domain.DocumentKind, document_kind_pb2.DocumentKind),
        (domain.SealPurpose, seal_position_pb2.SealPurpose),
        (domain.SealedBy, seal_position_pb2.SealedBy),
        (domain.Answer, options_pb2.Answer),
        (domain.SignRule, options_pb2.SignRule),
        (domain.SumRule, options_pb2.SumRule),
        (domain.RetentionClass, options_pb2.RetentionClass),
        (naming.ReferenceNeed, options_pb2.ReferenceNeed),
        (naming.ReferenceMeasure, options_pb2.ReferenceMeasure),
        (naming.ReferenceTimes, options_pb2.ReferenceTimes),
    ],
)
def test_our_enums_have_the_names_and_numbers_of_the_contract(
    ours: type[domain.PartyKind], theirs: type
) -> None:
    prefix = "".join(f"_{c}" if c.isupper() else c for c in ours.__name__).upper()[1:]

    contract = {
        name.removeprefix(f"{prefix}_"): number
        for name, number in theirs.items()  # type: ignore[attr-defined]
        if number
    }

    assert contract == {each.name: each.value for each in ours}


WAYS = {
    (code, issuer, recipient)
    for issuer, recipient, codes in (
        ("FINANCE", "TREASURY", (5106, 5108, 105301, 5207)),
        ("FINANCE", "TREASURY", (5551, 5552, 5553, 5502, 5511, 5512)),
        ("FINANCE", "AGENT_BANK", (5201, 5106, 5108, 105521)),
        ("FINANCE", "SPECIAL_ACCOUNT_BANK", (5267, 105521)),
        ("TREASURY", "FINANCE", (3401, 3402, 3410, 3501, 3511, 3512)),
        ("TREASURY", "AGENT_BANK", (3502, 4005)),
        ("AGENT_BANK", "FINANCE", (2203, 2204, 2301, 8207, 102207)),
        ("AGENT_BANK", "TREASURY", (2301, 2302, 102311, 102541, 2502, 8207)),
        ("AGENT_BANK", "BUDGET_UNIT", (2204, 2205, 102207, 102531)),
        ("BUDGET_UNIT", "FINANCE", (108201,)),
        ("BUDGET_UNIT", "AGENT_BANK", (8202,)),
    )
    for code in codes
}
"""Article 3 of the Hubei measures; receipts and answers take the same ways back."""


@pytest.mark.clause("hubei-3")
def test_who_may_send_what_to_whom() -> None:
    kinds = list(PartyKind)

    ways = {
        (code, one.name, other.name)
        for code in CATALOGUE.rows
        for one in kinds
        for other in kinds
        if CATALOGUE.may_send(code, one, other)
    }

    assert ways == WAYS
    assert not CATALOGUE.may_send(9999, PartyKind.FINANCE, PartyKind.AGENT_BANK)


def test_a_payment_needs_two_persons_and_then_the_institution() -> None:
    for code in (5201, 8202):
        plan = CATALOGUE.plan_for(DocumentKind.VOUCHER, code)

        assert [(each.id, each.purpose, each.by) for each in plan.positions] == [
            ("jbqm", SealPurpose.FIRST_REVIEW, SealedBy.PERSON),
            ("fhqm", SealPurpose.SECOND_REVIEW, SealedBy.PERSON),
            ("gz", SealPurpose.OFFICIAL, SealedBy.INSTITUTION),
        ]


def test_every_other_document_needs_one_seal_of_the_institution() -> None:
    for kind in set(DocumentKind) - {DocumentKind.VOUCHER, DocumentKind.REGISTRATION}:
        for code in CATALOGUE.rows:
            [position] = CATALOGUE.plan_for(kind, code).positions

            is_paid = kind is DocumentKind.RECEIPT and code in PAID
            expected = {"zqz"} if is_paid else {"ywzyz"}
            if kind is DocumentKind.RECEIPT and not CATALOGUE.row(code).receipt_form:
                expected = {"zqz", "ywzyz"}  # never asked for
            assert position.id in expected
            assert position.by is SealedBy.INSTITUTION


def test_a_registration_is_signed_by_persons_and_never_by_the_institution() -> None:
    plan = CATALOGUE.default_plans[DocumentKind.REGISTRATION]

    assert [(each.id, each.purpose, each.by) for each in plan.positions] == [
        ("tq", SealPurpose.PROPOSAL, SealedBy.PERSON),
        ("sp", SealPurpose.APPROVAL, SealedBy.PERSON),
    ]


PAID = {5201, 8202, 5207, 5267, 105301, 2301, 2302}
"""Kinds whose receipt says that money moved."""


REVIEWED = {2301, 2302, 5106, 5108, 5201, 5207, 5267, 8202, 105301, 108201}


def test_what_moves_money_or_quota_needs_persons_and_nothing_else() -> None:
    unreviewed = CATALOGUE.types_without_personal_seals()

    assert set(CATALOGUE.rows) - unreviewed == REVIEWED


def test_answers_and_retention() -> None:
    assert [CATALOGUE.row(code).answer for code in (5201, 8202, 2205)] == [
        Answer.RECEIPT,
        Answer.RECEIPT,
        Answer.NONE,
    ]
    reports = {code for code, row in CATALOGUE.rows.items() if row.retention.years < 30}
    assert reports == {
        *(3401, 3402, 3410, 3501, 3502, 3511, 3512, 4005, 2502, 5502, 5511, 5512),
        *(102531, 102541, 105521),
    }
    assert {CATALOGUE.row(code).retention.years for code in reports} == {10}


def test_a_reply_is_a_kind_that_goes_the_other_way() -> None:
    replies = {
        row.code: CATALOGUE.row_on_wire(row.reply_code)
        for row in CATALOGUE.rows.values()
        if row.reply_code
    }

    assert {code: reply.code for code, reply in replies.items()} == {
        3501: 5502,
        3502: 2502,
        3511: 5511,
        3512: 5512,
    }
    for code, reply in replies.items():
        back = {(to, by) for by, to in CATALOGUE.row(code).directions}
        assert set(reply.directions) == back


def test_a_receipts_own_plan_goes_before_the_default() -> None:
    own = SealPlan(
        (
            SealPosition(
                id="x",
                name_zh="章",
                purpose=SealPurpose.OFFICIAL,
                by=SealedBy.INSTITUTION,
            ),
        )
    )
    row = CATALOGUE.row(2205)
    changed = type(row)(
        **{name: getattr(row, name) for name in row.__slots__} | {"receipt_plan": own}
    )
    catalogue = domain.Catalogue({2205: changed}, CATALOGUE.default_plans)

    assert catalogue.plan_for(DocumentKind.RECEIPT, 2205) == own
    assert CATALOGUE.plan_for(DocumentKind.RECEIPT, 2205) != own


def test_a_type_is_found_by_its_code_on_the_wire() -> None:
    for row in CATALOGUE.rows.values():
        assert CATALOGUE.row_on_wire(row.wire_code) is row
        assert row.code in {int(row.wire_code), 100_000 + int(row.wire_code)}


def test_a_code_on_the_wire_means_one_kind_in_every_generation() -> None:
    codes = [row.wire_code for row in CATALOGUE.rows.values()]

    assert len(set(codes)) == len(codes)
    # These mean one thing in the older generation of the specification and another
    # in the newer one; whoever adds them has to say which.
    assert {"3507", "3508"}.isdisjoint(codes)


def test_unknown_types_are_key_errors() -> None:
    with pytest.raises(KeyError):
        CATALOGUE.row(1)
    with pytest.raises(KeyError):
        CATALOGUE.row_on_wire("0001")


def test_a_plan_with_a_position_twice_or_none_cannot_be() -> None:
    [position] = CATALOGUE.plan_for(DocumentKind.RETURN, 5201).positions

    for positions in ((), (position, position)):
        with pytest.raises(ValueError, match="positions"):
            SealPlan(positions)


def test_every_form_field_is_an_element_rows_or_extra_and_has_presence() -> None:
    for row in CATALOGUE.rows.values():
        for name in filter(None, (row.form, row.receipt_form)):
            message = descriptor_pool.Default().FindMessageTypeByName(name)
            rows = message.fields_by_name.get("rows")
            row_type = None if rows is None else rows.message_type
            for field in (*message.fields, *(row_type.fields if row_type else ())):
                if field.name in ("rows", "extra"):
                    continue
                element = field.GetOptions().Extensions[options_pb2.element]
                assert element.name, field.full_name
                assert element.zh, field.full_name
                assert field.has_presence, field.full_name


def test_a_receipt_has_exactly_the_boxes_of_its_voucher() -> None:
    for row in CATALOGUE.rows.values():
        if not row.receipt_form:
            continue
        pool = descriptor_pool.Default()
        form = pool.FindMessageTypeByName(row.form)
        receipt = pool.FindMessageTypeByName(row.receipt_form)
        assert _boxes(form) == _boxes(receipt)
        rows = receipt.fields_by_name.get("rows")
        assert _boxes(form.fields_by_name["rows"].message_type) == (
            [] if rows is None else _boxes(rows.message_type)
        )


def _boxes(message: object) -> list[str]:
    return [
        element.name
        for field in message.fields  # type: ignore[attr-defined]
        if (element := field.GetOptions().Extensions[options_pb2.element]).receipt_field
    ]
