"""Plain values to the contract's messages and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from counterfoil.catalogue.v1 import document_kind_pb2, voucher_type_pb2
from counterfoil.desk.v1 import desk_pb2, standing_pb2
from counterfoil.office import vouchers as plain
from counterfoil.office.errors import Defect, DeskRefused, from_refusal
from counterfoil.sealed.v1 import sealed_pb2, voucher_pb2

_ROWS: Final = "rows"
_NAMES: Final[dict[FieldDescriptor, str]] = {}
"""Names of the fields that were read before; to ask protobuf takes longer each time."""


def key_message(key: plain.VoucherKey) -> voucher_pb2.VoucherKey:
    """Return the message of a key."""
    return voucher_pb2.VoucherKey(
        issuer=key.issuer,
        adm_div=key.adm_div,
        fiscal_year=key.fiscal_year,
        type=voucher_type_pb2.VoucherType.ValueType(key.type_code),
        number=key.number,
        issue=key.issue,
    )


def key_of(message: voucher_pb2.VoucherKey) -> plain.VoucherKey:
    """Return the key that a message states."""
    return plain.VoucherKey(
        issuer=message.issuer,
        adm_div=message.adm_div,
        fiscal_year=message.fiscal_year,
        type_code=int(message.type),
        number=message.number,
        issue=message.issue,
    )


def reference_message(reference: plain.Reference) -> voucher_pb2.VoucherReference:
    """Return the message of a reference."""
    return voucher_pb2.VoucherReference(
        key=key_message(reference.key), digest=reference.digest
    )


def reference_of(message: voucher_pb2.VoucherReference) -> plain.Reference:
    """Return the reference that a message states."""
    return plain.Reference(key_of(message.key), message.digest)


def draft_message(draft: plain.Draft) -> desk_pb2.Draft:
    """Return the message of a draft.

    Raises:
        ValueError: The form has a field that the contract does not know.
        Defect: The bytes that were kept are no voucher.
    """
    if isinstance(draft, plain.KeptDraft):
        return desk_pb2.Draft(voucher=_voucher_message(draft.payload))
    if isinstance(draft, plain.NationalDraft):
        return desk_pb2.Draft(
            national=desk_pb2.NationalDocument(
                document=draft.document,
                recipients=draft.recipients,
                issue=draft.issue,
                replaces=draft.replaces,
            )
        )
    voucher = voucher_pb2.Voucher(
        key=key_message(draft.key),
        recipients=draft.recipients,
        replaces=draft.replaces,
    )
    _fill_form(voucher, draft.key.type_code, draft.form)
    return desk_pb2.Draft(voucher=voucher)


def payload_of(voucher: plain.Voucher) -> bytes:
    """Return a voucher as bytes, for a system's own books; see `opened_payload`.

    The gateway encodes it itself when it is written: these bytes are never sealed.

    Raises:
        ValueError: The form has a field that the contract does not know.
    """
    return draft_message(voucher).voucher.SerializeToString()


def receipt_message(receipt: plain.Receipt) -> voucher_pb2.Receipt:
    """Return the message of a receipt.

    Raises:
        ValueError: The form has a field that the contract does not know.
    """
    message = voucher_pb2.Receipt(
        voucher=reference_message(receipt.voucher),
        by=receipt.by,
        recipients=receipt.copies,
    )
    _fill_form(message, receipt.voucher.key.type_code, receipt.form)
    return message


def step_item(reason: plain.Reason) -> desk_pb2.StepItem:
    """Return the message of a voucher and a reason."""
    return desk_pb2.StepItem(
        voucher=reference_message(reason.voucher), explanation=reason.explanation
    )


def seal_message(seal: plain.Seal) -> sealed_pb2.Seal:
    """Return the message of a seal."""
    return sealed_pb2.Seal(statement=seal.statement, signature=seal.signature)


def outcome_of(result: desk_pb2.Result) -> plain.Done | DeskRefused:
    """Return what became of one item.

    Raises:
        Defect: The answer says neither.
    """
    if result.HasField("refusal"):
        return from_refusal(result.refusal)
    if not result.HasField("done"):
        raise Defect("an item is neither done nor refused")
    done = result.done
    return plain.Done(
        digest=done.digest,
        leaf=done.leaf if done.HasField("leaf") else None,
        standing=plain.Standing(int(done.standing)),
        seals=done.seals,
    )


def national_of(result: desk_pb2.NationalResult) -> bytes | DeskRefused:
    """Return a national document, or why there is none."""
    if result.HasField("refusal"):
        return from_refusal(result.refusal)
    return result.document


def sealed_of(result: desk_pb2.SealedResult) -> bytes | DeskRefused:
    """Return a voucher as it was sealed, or why it is not given.

    Raises:
        Defect: The answer says neither.
    """
    if result.HasField("refusal"):
        return from_refusal(result.refusal)
    if not result.HasField("sealed"):
        raise Defect("a voucher is neither given nor refused")
    return result.sealed


def written_of(result: desk_pb2.WriteResult) -> plain.Written | DeskRefused:
    """Return what became of one draft."""
    outcome = outcome_of(result.result)
    if isinstance(outcome, DeskRefused):
        return outcome
    return plain.Written(outcome, result.payload)


def arrival_of(message: desk_pb2.Arrival) -> plain.Arrival:
    """Return the arrival that a message tells of; its document stays unopened."""
    return plain.Arrival(
        sealed=message.sealed,
        digest=message.digest,
        voucher=reference_of(message.voucher),
        by=message.by,
        leaf=message.leaf,
        arrival_time=message.arrival_time.ToDatetime(UTC),
        times_read=message.times_read,
    )


def kind_of(sealed: bytes) -> plain.DocumentKind:
    """Return what a sealed document is.

    Raises:
        Defect: The bytes are no sealed document.
    """
    return plain.DocumentKind(int(_sealed(sealed).kind))


def opened(sealed: bytes) -> plain.Voucher | plain.Receipt | plain.Step:
    """Tell what a sealed document says; its seals were checked by the gateway.

    Elements that no form knows are not told: the sealed bytes hold them.

    Raises:
        Defect: The bytes are not what the contract promises.
    """
    envelope = _sealed(sealed)
    try:
        if envelope.kind == document_kind_pb2.DOCUMENT_KIND_VOUCHER:
            return _voucher_of(voucher_pb2.Voucher.FromString(envelope.payload))
        if envelope.kind == document_kind_pb2.DOCUMENT_KIND_RECEIPT:
            return _receipt_of(voucher_pb2.Receipt.FromString(envelope.payload))
        step = voucher_pb2.Step.FromString(envelope.payload)
    except DecodeError as error:
        raise Defect("a payload is not what its kind says") from error
    return plain.Step(
        kind=plain.DocumentKind(int(envelope.kind)),
        voucher=reference_of(step.voucher),
        by=step.by,
        explanation=step.explanation,
    )


def enclosed(sealed: bytes) -> plain.Voucher | None:
    """Return the voucher that a copied receipt has inside (附原件); None if none.

    It is evidence of what was answered. Nobody acts on it.

    Raises:
        Defect: The bytes are not what the contract promises.
    """
    for enclosure in _sealed(sealed).enclosures:
        original = opened(enclosure)
        if isinstance(original, plain.Voucher):
            return original
    return None


def opened_payload(payload: bytes) -> plain.Voucher:
    """Tell what a draft's payload says, before anybody seals it.

    Raises:
        Defect: The bytes are no voucher.
    """
    return _voucher_of(_voucher_message(payload))


def found_of(message: desk_pb2.Found) -> plain.Found:
    """Return one row of a search."""
    return plain.Found(
        voucher=reference_of(message.voucher),
        recipient=message.recipient,
        standing=plain.Standing(int(message.standing)),
        amount_fen=message.amount_fen,
        changed_time=message.changed_time.ToDatetime(UTC),
    )


def change_of(message: desk_pb2.Change) -> plain.Change:
    """Return one change of standing."""
    return plain.Change(
        leaf=message.leaf,
        voucher=reference_of(message.voucher),
        recipient=message.recipient,
        standing=plain.Standing(int(message.standing)),
    )


def way_of(message: desk_pb2.InquireResponse) -> plain.Way:
    """Return the way of one voucher."""
    return plain.Way(
        voucher=reference_of(message.voucher),
        standings={
            one.recipient: plain.Standing(int(one.standing))
            for one in message.recipients
        },
        acts=tuple(
            plain.ActRecord(
                leaf_index=act.leaf_index,
                leaf=act.leaf,
                inclusion_proof=tuple(act.inclusion_proof),
                act=act.act,
                act_time=act.act_time.ToDatetime(UTC),
                recipient=act.recipient,
                peer_proof=act.peer_proof,
            )
            for act in message.acts
        ),
        documents=tuple(document.sealed for document in message.documents),
        checkpoint=message.checkpoint,
    )


def type_messages(codes: Iterable[int]) -> list[voucher_type_pb2.VoucherType.ValueType]:
    """Return the enum values of type codes."""
    return [voucher_type_pb2.VoucherType.ValueType(code) for code in codes]


def standing_messages(
    standings: Iterable[plain.Standing],
) -> list[standing_pb2.Standing.ValueType]:
    """Return the enum values of standings."""
    return [standing_pb2.Standing.ValueType(int(one)) for one in standings]


def _sealed(encoded: bytes) -> sealed_pb2.Sealed:
    try:
        return sealed_pb2.Sealed.FromString(encoded)
    except DecodeError as error:
        raise Defect("the bytes are no sealed document") from error


def _voucher_message(payload: bytes) -> voucher_pb2.Voucher:
    try:
        return voucher_pb2.Voucher.FromString(payload)
    except DecodeError as error:
        raise Defect("the payload is no voucher") from error


def _voucher_of(message: voucher_pb2.Voucher) -> plain.Voucher:
    return plain.Voucher(
        key=key_of(message.key),
        recipients=tuple(message.recipients),
        form=_form_of(message),
        replaces=message.replaces,
    )


def _receipt_of(message: voucher_pb2.Receipt) -> plain.Receipt:
    voucher = reference_of(message.voucher)
    return plain.Receipt(
        voucher=voucher,
        by=message.by,
        form=_form_of(message),
        copies=tuple(one for one in message.recipients if one != voucher.key.issuer),
    )


def _fill_form(holder: Message, type_code: int, form: plain.Form) -> None:
    """Fill the form whose field number in `holder` is the type code."""
    described = holder.DESCRIPTOR.fields_by_number.get(type_code)
    if described is None or described.containing_oneof is None:
        msg = f"{holder.DESCRIPTOR.name} has no form for type {type_code}"
        raise ValueError(msg)
    message: Message = getattr(holder, described.name)
    message.SetInParent()
    _fill_fields(message, form.fields)
    if form.rows and _ROWS not in message.DESCRIPTOR.fields_by_name:
        msg = f"{message.DESCRIPTOR.name} has no rows"
        raise ValueError(msg)
    for row in form.rows:
        _fill_fields(getattr(message, _ROWS).add(), row)


def _fill_fields(message: Message, fields: Mapping[str, plain.FieldValue]) -> None:
    for name, value in fields.items():
        described = message.DESCRIPTOR.fields_by_name.get(name)
        if described is None or described.type == FieldDescriptor.TYPE_MESSAGE:
            msg = f"{message.DESCRIPTOR.name} has no field {name!r}"
            raise ValueError(msg)
        setattr(message, name, value)


def _form_of(holder: Message) -> plain.Form:
    name = holder.WhichOneof("form")
    if name is None:
        msg = f"{holder.DESCRIPTOR.name} without a form of a known type"
        raise Defect(msg)
    message: Message = getattr(holder, name)
    rows = getattr(message, _ROWS, ())
    return plain.Form(_fields_of(message), tuple(_fields_of(row) for row in rows))


def _fields_of(message: Message) -> dict[str, plain.FieldValue]:
    fields: dict[str, plain.FieldValue] = {}
    for described, value in message.ListFields():
        name = _NAMES.get(described)
        if name is None:
            name = _NAMES[described] = _name_of(described)
        if name:
            fields[name] = value
    return fields


def _name_of(described: FieldDescriptor) -> str:
    """Return the name of a field that holds a value; empty if it holds a message."""
    is_message = described.type == FieldDescriptor.TYPE_MESSAGE
    return "" if is_message else described.name
