"""Vouchers, receipts and drafts as business systems fill them in."""

from __future__ import annotations

from random import Random

from google.protobuf.message import Message

from counterfoil.desk.v1 import desk_pb2
from counterfoil.domain.voucher import VoucherKey
from counterfoil.form.v1 import notice_pb2, payment_pb2
from counterfoil.sample.documents import file_of
from counterfoil.sample.vouchers import Voucher, VoucherMaker
from counterfoil.sealed.v1 import voucher_pb2
from counterfoil.wire.keys import reference_to_message
from counterfoil.wire.national_read import read_national

FINANCE, BANK, OTHER_BANK = "420000-011", "420000-102", "420000-103"
UNIT = "420000-101001"
"""A budget unit that is hosted on finance's gateway."""
DIRECT, AUTHORISED, NOTICE = 5201, 8202, 2205
YEAR = 2026


def sample(seed: int = 5) -> Voucher:
    """Return the texts of a direct payment with two rows or a few more."""
    chance = Random(seed)  # noqa: S311 -- a seed, no secret
    return VoucherMaker(chance, year=YEAR, banks=[BANK]).make(rows_min=2)


def direct_form(number: str = "1", seed: int = 5) -> payment_pb2.DirectPayment:
    """Return a sound direct payment."""
    form = read_national(file_of(sample(seed)))[0].form
    assert isinstance(form, payment_pb2.DirectPayment)
    form.voucher_no = number
    for row in form.rows:
        row.voucher_bill_no = number
    return form


def direct_payment(
    number: str = "1",
    *,
    to: tuple[str, ...] = (BANK,),
    issuer: str = FINANCE,
    issue: int = 1,
    replaces: bytes = b"",
    seed: int = 5,
) -> voucher_pb2.Voucher:
    """Return a direct payment (5201) of finance to a bank."""
    return voucher_pb2.Voucher(
        key=key_message(issuer, DIRECT, number, issue),
        recipients=to,
        replaces=replaces,
        direct_payment=direct_form(number, seed),
    )


def entry_notice(
    number: str = "1", *, to: tuple[str, ...] = (UNIT,), issuer: str = BANK
) -> voucher_pb2.Voucher:
    """Return a notice of money that came in (2205), of a bank to a unit."""
    form = notice_pb2.EntryNotice(
        id="1",
        adm_div_code="420000",
        st_year=str(YEAR),
        vt_code="2205",
        vou_date="20260301",
        voucher_no=number,
        agency_code="101003",
        ori_vt_code="5201",
        ori_voucher_no="77",
        pay_amt_fen=-5,
        x_pay_date="20260301",
        rows=[notice_pb2.EntryNoticeRow(id="1", pay_amt_fen=-5, voucher_bill_id="1")],
    )
    return voucher_pb2.Voucher(
        key=key_message(issuer, NOTICE, number), recipients=to, entry_notice=form
    )


def receipt_for(
    voucher: voucher_pb2.Voucher, digest: bytes, *, by: str = BANK, fen: int = 0
) -> voucher_pb2.Receipt:
    """Return a receipt over all of a direct payment, or over `fen` less."""
    rows = [
        payment_pb2.DirectPaymentReceiptRow(id=row.id, x_pay_amt_fen=row.pay_amt_fen)
        for row in voucher.direct_payment.rows
    ]
    rows[0].x_pay_amt_fen -= fen
    form = payment_pb2.DirectPaymentReceipt(
        x_pay_date="20260301",
        x_pay_amt_fen=voucher.direct_payment.pay_amt_fen - fen,
        rows=rows,
    )
    return voucher_pb2.Receipt(
        voucher=voucher_pb2.VoucherReference(key=voucher.key, digest=digest),
        by=by,
        recipients=[voucher.key.issuer],
        direct_payment=form,
    )


def step_about(
    key: VoucherKey, digest: bytes, explanation: str = "退回", *, by: str = BANK
) -> voucher_pb2.Step:
    """Return a step of `by` about a voucher, for its issuer."""
    return voucher_pb2.Step(
        voucher=reference_to_message(key, digest),
        by=by,
        explanation=explanation,
        recipients=[key.issuer],
    )


def key_message(
    issuer: str, type_code: int, number: str, issue: int = 1
) -> voucher_pb2.VoucherKey:
    """Return a key of the division and year of all these papers."""
    return voucher_pb2.VoucherKey(
        issuer=issuer,
        adm_div="420000",
        fiscal_year=YEAR,
        type=type_code,  # type: ignore[arg-type]  # the catalogue's numbers
        number=number,
        issue=issue,
    )


def draft_of(voucher: voucher_pb2.Voucher) -> bytes:
    """Return the draft of a voucher that was filled in as a message."""
    return desk_pb2.Draft(voucher=voucher).SerializeToString()


def national_draft(document: bytes, *to: str, issue: int = 0) -> bytes:
    """Return the draft of a national document."""
    return desk_pb2.Draft(
        national=desk_pb2.NationalDocument(
            document=document, recipients=to or (BANK,), issue=issue
        )
    ).SerializeToString()


def encoded(message: Message) -> bytes:
    """Return the bytes that our gateways make of a message."""
    return message.SerializeToString(deterministic=True)
