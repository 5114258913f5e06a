"""What the bank fills in: receipts (回单) and entry notices (入账通知书).

Everything follows from the voucher and the journal, so the same payment gives the
same bytes again, however often it is asked for.
"""

from __future__ import annotations

from typing import Final

from counterfoil.bank.journal import Payment
from counterfoil.office import Form, Receipt, Voucher, VoucherKey
from counterfoil.office.vouchers import FieldValue

AUTHORISED_PAYMENT: Final = 8202
"""The type whose unit gets an entry notice."""
ENTRY_NOTICE: Final = 2205

_PAYEE: Final = ("payee_acct_bank_name", "payee_acct_no", "payee_acct_name")
_CARRIED: Final = (
    "fund_type_code",
    "fund_type_name",
    "agency_code",
    "agency_name",
    "exp_func_code",
    "exp_func_name",
    "payee_acct_no",
    "payee_acct_name",
    "payee_acct_bank_name",
    "pay_amt_fen",
)
"""Fields of a paid row that stand in the entry notice too."""


def receipt_of(payment: Payment, voucher: Voucher, party: str) -> Receipt:
    """Return the receipt of a voucher that was paid in full."""
    rows = tuple(
        {"id": row["id"], **_paid(payment, Form(row))} for row in voucher.form.rows
    )
    return Receipt(
        voucher=payment.reference,
        by=party,
        form=Form(_paid(payment, voucher.form), rows),
    )


def notice_of(payment: Payment, voucher: Voucher, party: str) -> Voucher:
    """Return the entry notice to the unit whose authorised payment was made."""
    number = f"RZ{payment.serial}"
    key = VoucherKey(
        issuer=party,
        adm_div=payment.adm_div,
        fiscal_year=payment.fiscal_year,
        type_code=ENTRY_NOTICE,
        number=number,
    )
    fields: dict[str, FieldValue] = {
        "id": number,
        "adm_div_code": payment.adm_div,
        "st_year": str(payment.fiscal_year),
        "vt_code": str(ENTRY_NOTICE),
        "vou_date": payment.pay_date,
        "voucher_no": number,
        "agency_code": voucher.form.text("agency_code"),
        "agency_name": voucher.form.text("agency_name"),
        "ori_vt_code": str(payment.type_code),
        "ori_voucher_no": payment.number,
        "pay_amt_fen": payment.amount_fen,
        "x_pay_date": payment.pay_date,
        "x_agent_business_no": payment.serial,
    }
    rows = tuple(
        {
            "id": row["id"],
            **{name: row[name] for name in _CARRIED if name in row},
            "x_pay_date": payment.pay_date,
            "x_agent_business_no": payment.serial,
            "x_pay_amt_fen": row["pay_amt_fen"],
        }
        for row in voucher.form.rows
    )
    return Voucher(key=key, recipients=(payment.issuer,), form=Form(fields, rows))


def _paid(payment: Payment, form: Form) -> dict[str, FieldValue]:
    """Return the X fields of a main row or a row that was paid."""
    filled: dict[str, FieldValue] = {
        "x_pay_date": payment.pay_date,
        "x_agent_business_no": payment.serial,
        "x_pay_amt_fen": form.fen("pay_amt_fen"),
    }
    for name in _PAYEE:
        if form.text(name):
            filled[f"x_{name}"] = form.text(name)
    return filled
