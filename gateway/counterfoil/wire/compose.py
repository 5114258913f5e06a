"""Vouchers, receipts and steps of our own: checked, then encoded once."""

from __future__ import annotations

import hashlib
from typing import Final

from google.protobuf.message import Message

from counterfoil.desk.v1 import desk_pb2
from counterfoil.domain.drafts import DraftRow, ReceiptText, StepText, make_draft_row
from counterfoil.domain.refusals import FormRefused, MalformedPayload, NotTheIssuer
from counterfoil.domain.voucher import VoucherKey
from counterfoil.sealed.v1 import voucher_pb2
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.documents import Facts, receipt_facts, voucher_facts
from counterfoil.wire.keys import key_to_message, reference_to_message
from counterfoil.wire.national_errors import NationalXmlRefused
from counterfoil.wire.national_read import read_national
from counterfoil.wire.national_voucher import VOUCHER
from counterfoil.wire.uncut import uncut
from counterfoil.wire.whole import Paper, parse_paper, parse_whole

_YEAR_DIGITS: Final = 4
_UNCUT_DRAFT: Final = uncut(desk_pb2.Draft)


def compose_draft(draft: bytes, *, desk: str) -> tuple[DraftRow, Facts]:
    """Check a draft of `desk` by every rule of form, and encode the voucher.

    Args:
        draft: An encoded `desk.v1.Draft`.
        desk: The only issuer allowed.

    Raises:
        MalformedPayload: A national document that cannot be read, no content, or
            more than is understood.
        FormRefused: Rules of the form are broken.
        NotTheIssuer: The voucher names another issuer.
    """
    try:
        paper = _voucher(draft, desk)
    except ValueError as error:
        raise MalformedPayload(str(error), field="draft") from error
    voucher, facts = paper.message, voucher_facts(paper)
    if facts.key.issuer != desk:
        msg = f"the desk of {desk} cannot issue for {facts.key.issuer}"
        raise NotTheIssuer(msg, desk=desk)
    payload = voucher.SerializeToString(deterministic=True)
    row = make_draft_row(
        party=desk,
        digest=hashlib.sha256(payload).digest(),
        key=facts.key,
        payload=payload,
        seals=(),
        recipients=facts.recipients,
    )
    return row, facts


def _voucher(draft: bytes, desk: str) -> Paper[voucher_pb2.Voucher]:
    """Return the voucher of a draft.

    Raises:
        ValueError: It is no draft, or says more than is understood.
        MalformedPayload: It has no content, or a national document that cannot be
            read.
    """
    # Its content stays bytes, so that a large voucher is gone through only once.
    message = parse_whole(_UNCUT_DRAFT, draft, what="draft")
    match message.WhichOneof("content"):
        case "voucher":
            return parse_paper(voucher_pb2.Voucher, message.voucher, what="draft")
        case "national":
            kind = desk_pb2.NationalDocument
            national = parse_whole(kind, message.national, what="draft")
            return Paper.of(_from_national(national, desk))
        case _:
            raise MalformedPayload("the draft has no content", field="content")


def _from_national(
    national: desk_pb2.NationalDocument, desk: str
) -> voucher_pb2.Voucher:
    try:
        bodies = read_national(national.document)
    except NationalXmlRefused as refused:
        raise FormRefused(
            "the national document cannot be read", refused.violations
        ) from refused
    if len(bodies) != 1 or bodies[0].voucher_flag != VOUCHER:
        raise MalformedPayload(
            "a national draft holds exactly one voucher, with VoucherFlag 0",
            field="national.document",
        )
    (body,) = bodies
    row = CATALOGUE.row_on_wire(body.vt_code)
    voucher = voucher_pb2.Voucher(
        key=key_to_message(
            VoucherKey(
                issuer=desk,
                adm_div=body.adm_div_code,
                fiscal_year=_year(body.st_year),
                type_code=row.code,
                number=body.voucher_no,
                issue=national.issue or 1,
            )
        ),
        recipients=national.recipients,
        replaces=national.replaces,
    )
    _set_form(voucher, row.code, body.form)
    return voucher


def _year(text: str) -> int:
    """Return a fiscal year, or 0, which is refused with the key's other parts."""
    is_year = len(text) == _YEAR_DIGITS and text.isascii() and text.isdigit()
    return int(text) if is_year else 0


def _set_form(
    message: voucher_pb2.Voucher | voucher_pb2.Receipt, type_code: int, form: Message
) -> None:
    """Put `form` into the field whose number is its type."""
    field = message.DESCRIPTOR.fields_by_number[type_code]
    getattr(message, field.name).CopyFrom(form)


def compose_step(step: StepText) -> tuple[bytes, Facts]:
    """Encode a step, and return its facts."""
    payload = voucher_pb2.Step(
        voucher=reference_to_message(step.key, step.subject),
        by=step.by,
        explanation=step.explanation,
        recipients=step.recipients,
    ).SerializeToString(deterministic=True)
    facts = Facts(
        key=step.key,
        subject=step.subject,
        by=step.by,
        recipients=step.recipients,
        explanation=step.explanation,
    )
    return payload, facts


def compose_receipt(text: ReceiptText, *, by: str) -> tuple[bytes, Facts]:
    """Check a receipt of `by` by every rule of form, and encode it.

    Raises:
        MalformedPayload: It is no receipt.
        FormRefused: Rules of the form are broken.
        NotTheIssuer: It names another party as the one that acted.
    """
    try:
        paper = parse_paper(voucher_pb2.Receipt, text.receipt, what="receipt")
    except ValueError as error:
        raise MalformedPayload(str(error), field="receipt") from error
    receipt = paper.message
    del receipt.recipients[:]
    receipt.recipients.extend(text.recipients)
    facts = receipt_facts(paper)
    if facts.by != by:
        msg = f"the desk of {by} cannot issue receipts of {facts.by}"
        raise NotTheIssuer(msg, desk=by)
    return receipt.SerializeToString(deterministic=True), facts
