"""The catalogue of the contract as plain values.

Read once, from the options of `counterfoil.catalogue.v1`, when this module is
imported; a contract that contradicts itself does not start.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from google.protobuf.descriptor import EnumDescriptor

from counterfoil.catalogue.v1 import (
    document_kind_pb2,
    options_pb2,
    seal_position_pb2,
    voucher_type_pb2,
)
from counterfoil.domain import catalogue as domain
from counterfoil.domain import naming


def _plan(message: seal_position_pb2.SealPlan) -> domain.SealPlan:
    return domain.SealPlan(
        tuple(
            domain.SealPosition(
                id=position.id,
                name_zh=position.name_zh,
                purpose=domain.SealPurpose(position.purpose),
                by=domain.SealedBy(position.by),
            )
            for position in message.positions
        )
    )


def _balance(message: options_pb2.Balance) -> domain.Balance:
    return domain.Balance(message.before, message.added, message.taken, message.left)


def _reference(message: options_pb2.Reference) -> naming.Reference:
    return naming.Reference(
        number_element=message.number_element,
        type_element=message.type_element,
        kinds=tuple(message.kinds),
        in_rows=message.in_rows,
        need=naming.ReferenceNeed(message.need),
        measure=naming.ReferenceMeasure(message.measure),
        times=naming.ReferenceTimes(message.times),
    )


def _row(code: int, row: options_pb2.VoucherRow) -> domain.TypeRow:
    return domain.TypeRow(
        code=code,
        name_zh=row.name_zh,
        wire_code=row.wire_code,
        form=row.form,
        receipt_form=row.receipt_form,
        directions=tuple(
            (domain.PartyKind(way.issuer), domain.PartyKind(way.recipient))
            for way in row.directions
        ),
        answer=domain.Answer(row.answer),
        reply_code=row.reply_code,
        sign=domain.SignRule(row.sign),
        row_sign=domain.SignRule(row.row_sign),
        sum=domain.SumRule(row.sum),
        amount_element=row.amount_element,
        row_amount_element=row.row_amount_element,
        receipt_amount_element=row.receipt_amount_element,
        receipt_row_amount_element=row.receipt_row_amount_element,
        count_element=row.count_element,
        totals=tuple((total.main, total.rows) for total in row.totals),
        balance=_balance(row.balance) if row.HasField("balance") else None,
        receipt_copies=frozenset(map(domain.PartyKind, row.receipt_copies)),
        references=tuple(map(_reference, row.references)),
        rows_name_main=row.rows_name_main,
        plan=_plan(row.plan),
        receipt_plan=_plan(row.receipt_plan) if row.HasField("receipt_plan") else None,
        retention=domain.Retention(
            row.retention.years,
            domain.RetentionClass(row.retention.retention_class),
        ),
        recipients_max=row.recipients_max,
    )


def _rows(types: EnumDescriptor) -> dict[int, domain.TypeRow]:
    rows = {
        value.number: _row(value.number, value.GetOptions().Extensions[options_pb2.row])
        for value in types.values
        if value.number
    }
    codes = {row.wire_code for row in rows.values()}
    assert len(codes) == len(rows), "a code on the wire names one kind"
    for row in rows.values():
        is_replied = row.answer is domain.Answer.REPLY
        assert (row.reply_code in codes) is is_replied, f"{row.code}: its reply"
        for reference in row.references:
            assert codes.issuperset(reference.kinds), f"{row.code}: what it names"
    return rows


def _default_plans(
    kinds: EnumDescriptor,
) -> dict[domain.DocumentKind, domain.SealPlan]:
    plans = {}
    for value in kinds.values:
        document = value.GetOptions().Extensions[document_kind_pb2.document]
        if document.HasField("plan"):
            plans[domain.DocumentKind(value.number)] = _plan(document.plan)
    return plans


CATALOGUE: Final = domain.Catalogue(
    rows=MappingProxyType(_rows(voucher_type_pb2.VoucherType.DESCRIPTOR)),
    default_plans=MappingProxyType(
        _default_plans(document_kind_pb2.DocumentKind.DESCRIPTOR)
    ),
)
"""What the contract of this release says."""
