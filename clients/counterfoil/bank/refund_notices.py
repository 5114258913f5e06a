"""What payers and units are told of money that the treasury has back: pure.

Source: Hubei measures, article 27 (5) 4.
"""

from __future__ import annotations

from counterfoil.bank.applications import counted
from counterfoil.bank.heads import Fields, named, voucher_of
from counterfoil.bank.kinds import (
    AUTHORISED_PAYMENT,
    AUTHORISED_REFUND,
    DIRECT_REFUND,
    ENTRY_NOTICE,
    Office,
)
from counterfoil.bank.refund_forms import PAYEE, PAYER, Back, amounts_of
from counterfoil.office import Voucher


def refund_notices(office: Office, back: Back) -> list[Voucher]:
    """Return what tells of a refund that the treasury has: 2203 or 2204, and 2205.

    The refund notice goes to who issued the payment; the negative entry notice to the
    unit whose money it was, if we know its party.

    Source: Hubei measures, article 27 (5) 4.
    """
    authorised = back.payment.type_code == AUTHORISED_PAYMENT
    notices = [
        _refund_notice(office, back, AUTHORISED_REFUND if authorised else DIRECT_REFUND)
    ]
    unit = back.payment.issuer if authorised else office.units.get(back.line.agency, "")
    return [*notices, _negative_entry(office, back, unit)] if unit else notices


def _refund_notice(office: Office, back: Back, type_code: int) -> Voucher:
    refund, payment, line = back.refund, back.payment, back.line
    fields: Fields = {
        "id": refund.number,
        "pay_bank_code": office.code,
        "agent_business_no": refund.number,
        "ori_bill_no": payment.number,
        **amounts_of(back),
        "pay_date": refund.refunded,
    }
    row: Fields = {
        "voucher_bill_id": refund.number,
        "voucher_no": back.row.text("voucher_no") or payment.number,
        **named(
            agency_code=line.agency,
            agency_name=line.agency_name,
            exp_func_code=line.function,
            exp_func_name=line.function_name,
        ),
        **back.of_payee((*PAYER, *PAYEE)),
        "pay_amt_fen": -refund.amount_fen,
        "remark": refund.reason,
        "hold1": refund.row_id,
    }
    key = back.heading.key(office, type_code, refund.number)
    return voucher_of(key, (payment.issuer,), refund.refunded, fields, counted([row]))


def _negative_entry(office: Office, back: Back, unit: str) -> Voucher:
    """Return the entry notice of what went out of the unit's account again."""
    refund, payment, line = back.refund, back.payment, back.line
    number = f"RZ{refund.number}"
    stated: Fields = {
        "pay_amt_fen": -refund.amount_fen,
        "x_pay_date": refund.refunded,
        "x_agent_business_no": refund.number,
    }
    fields: Fields = {
        "id": number,
        "agency_code": line.agency,
        **named(agency_name=line.agency_name),
        "ori_vt_code": str(payment.type_code),
        "ori_voucher_no": payment.number,
        **stated,
    }
    carried = ("voucher_bill_id", "voucher_bill_no", "voucher_no")
    row: Fields = {
        "id": refund.row_id,
        **named(**{name: back.row.text(name) for name in carried}),
        **named(
            sup_dep_code=line.unit,
            sup_dep_name=line.unit_name,
            agency_code=line.agency,
            agency_name=line.agency_name,
            exp_func_code=line.function,
            exp_func_name=line.function_name,
        ),
        **back.of_payee(PAYEE),
        **stated,
        "x_pay_amt_fen": -refund.amount_fen,
        "remark": refund.reason,
    }
    key = back.heading.key(office, ENTRY_NOTICE, number)
    return voucher_of(key, (unit,), refund.refunded, fields, [row])
