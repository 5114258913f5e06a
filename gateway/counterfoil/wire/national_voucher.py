"""One voucher of a national document, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message

from counterfoil.form.v1 import extra_pb2

VOUCHER: Final = 0
"""`VoucherFlag` of the issuer's own voucher (发送单)."""

ANSWERED: Final = 1
"""`VoucherFlag` of a receipt: the voucher with its boxes filled in (回单)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalVoucher:
    """A `VoucherBody` and the document inside it.

    Attributes:
        adm_div_code: Attribute `AdmDivCode`.
        st_year: Attribute `StYear`.
        vt_code: Attribute `VtCode`.
        voucher_no: Attribute `VoucherNo`.
        form: The voucher's form. Read from a receipt, it lacks the boxes that the
            recipient filled in.
        voucher_flag: `VOUCHER` or `ANSWERED`.
        receipt: What the recipient filled in; given exactly where answered.
        attach: Text of `Attach`; None: there is none.
        return_reason: Text of `Return_Reason`; None: there is none.
        body_extra: Other elements beside `Voucher`, with an empty path.
    """

    adm_div_code: str
    st_year: str
    vt_code: str
    voucher_no: str
    form: Message
    voucher_flag: int = VOUCHER
    receipt: Message | None = None
    attach: str | None = None
    return_reason: str | None = None
    body_extra: tuple[extra_pb2.ExtraElement, ...] = ()

    def __post_init__(self) -> None:
        if self.voucher_flag not in (VOUCHER, ANSWERED):
            msg = f"no such VoucherFlag: {self.voucher_flag}"
            raise ValueError(msg)
        if (self.receipt is not None) != (self.voucher_flag == ANSWERED):
            msg = "a receipt belongs to VoucherFlag 1, and only there"
            raise ValueError(msg)
