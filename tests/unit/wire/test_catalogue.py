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


def test_who_may_send_what_to_whom() -> None:
    kinds = list(PartyKind)

    ways = {
        (code, one.name, other.name)
        for code in CATALOGUE.rows
        for one in kinds
        for other in kinds
        if CATALOGUE.may_send(code, one, other)
    }

    assert ways == {
        (5201, "FINANCE", "AGENT_BANK"),
        (8202, "BUDGET_UNIT", "AGENT_BANK"),
        (2205, "AGENT_BANK", "BUDGET_UNIT"),
    }
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
    for kind in set(DocumentKind) - {DocumentKind.VOUCHER}:
        for code in CATALOGUE.rows:
            [position] = CATALOGUE.plan_for(kind, code).positions

            expected = "zqz" if kind is DocumentKind.RECEIPT else "ywzyz"
            assert (position.id, position.by) == (expected, SealedBy.INSTITUTION)


def test_only_the_entry_notice_can_be_issued_without_a_person() -> None:
    assert CATALOGUE.types_without_personal_seals() == {2205}


def test_answers_and_retention() -> None:
    assert [CATALOGUE.row(code).answer for code in (5201, 8202, 2205)] == [
        Answer.RECEIPT,
        Answer.RECEIPT,
        Answer.NONE,
    ]
    assert {row.retention.years for row in CATALOGUE.rows.values()} == {30}


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


@pytest.mark.parametrize("wire_code", ["5201", "8202", "2205"])
def test_a_type_is_found_by_its_code_on_the_wire(wire_code: str) -> None:
    assert CATALOGUE.row_on_wire(wire_code).code == int(wire_code)


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
            rows = message.fields_by_name["rows"].message_type
            assert rows is not None
            for field in (*message.fields, *rows.fields):
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
        for one, other in (
            (form, receipt),
            (
                form.fields_by_name["rows"].message_type,
                receipt.fields_by_name["rows"].message_type,
            ),
        ):
            assert _boxes(one) == _boxes(other)
            assert len(_boxes(one)) >= 7


def _boxes(message: object) -> list[str]:
    return [
        element.name
        for field in message.fields  # type: ignore[attr-defined]
        if (element := field.GetOptions().Extensions[options_pb2.element]).receipt_field
    ]
