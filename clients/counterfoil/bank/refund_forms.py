"""What is issued about money that came back (退款): pure.

Amounts are negative. Everything follows from the payment's voucher and the refund.

Source: Hubei measures, article 27 (5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from counterfoil.bank.applications import Heading, accounts_of, counted
from counterfoil.bank.heads import Fields, named, voucher_of
from counterfoil.bank.journal import Payment
from counterfoil.bank.kinds import (
    REFUND_APPLICATION,
    REFUND_MATCH,
    Office,
)
from counterfoil.bank.lines import Line, lines_of
from counterfoil.bank.tables import Refund
from counterfoil.office import Form, Voucher

PAYER: Final = ("pay_acct_no", "pay_acct_name", "pay_acct_bank_name")
PAYEE: Final = ("payee_acct_no", "payee_acct_name", "payee_acct_bank_name")
_IN_PART, _IN_FULL = "1", "2"
"""`RefundType`: a single one of several, or the whole payment."""


@dataclass(frozen=True, slots=True)
class Back:
    """Money that came back, and what it was paid by.

    Attributes:
        refund: What came back.
        payment: The payment that it belongs to.
        voucher: The payment's voucher.
    """

    refund: Refund
    payment: Payment
    voucher: Voucher

    @property
    def row(self) -> Form:
        """The paid row."""
        [found] = [
            row for row in self.voucher.form.rows if row["id"] == self.refund.row_id
        ]
        return Form(found)

    @property
    def line(self) -> Line:
        """The paid row, whatever kind it is of."""
        lines = lines_of(self.voucher.form)
        return next(one for one in lines if one.row_id == self.refund.row_id)

    def of_payee(self, names: Sequence[str]) -> Fields:
        """Return fields of the row; what it leaves open stands in the main part."""
        form = self.voucher.form
        return named(**{name: self.row.text(name) or form.text(name) for name in names})

    @property
    def heading(self) -> Heading:
        """Under which heading it is cleared."""
        return Heading.of(self.payment, lines_of(self.voucher.form))


def match_notice(office: Office, back: Back) -> Voucher:
    """Return the question to the payer (退款匹配通知): is it your payment's?

    Source: Hubei measures, article 27 (5) 1.
    """
    refund, payment, line = back.refund, back.payment, back.line
    number = f"TP{refund.id:08}-{refund.asked}"
    fields: Fields = {
        "id": number,
        "agency_code": line.agency,
        **named(agency_name=line.agency_name),
        "pay_bank_code": office.code,
        "ori_vt_code": str(payment.type_code),
        "ori_voucher_no": payment.number,
        "agent_business_no": refund.number,
        **amounts_of(back),
        "pay_date": refund.came,
    }
    row: Fields = {
        "ori_vou_detail_no": refund.row_id,
        **named(exp_func_code=line.function, exp_func_name=line.function_name),
        **back.of_payee(PAYEE),
        "pay_amt_fen": -refund.amount_fen,
        "remark": refund.reason,
    }
    key = back.heading.key(office, REFUND_MATCH, number)
    return voucher_of(key, (payment.issuer,), refund.came, fields, counted([row]))


def refund_application(
    office: Office, heading: Heading, number: str, day: str, backs: Sequence[Back]
) -> Voucher:
    """Return the application (2302) that gives refunds back to the treasury.

    A row names the payment and its row.

    Source: Hubei measures, article 27 (5) 2.
    """
    rows: list[Fields] = [
        {
            "voucher_no": back.payment.number,
            "sup_dep_code": back.line.unit,
            **named(sup_dep_name=back.line.unit_name),
            "exp_func_code": back.line.function,
            **named(exp_func_name=back.line.function_name),
            "pay_amt_fen": -back.refund.amount_fen,
            "return_date": back.refund.came,
            "ori_voucher_no": back.payment.number,
            "ori_vou_detail_no": back.refund.row_id,
            "hold1": back.refund.number,
        }
        for back in backs
    ]
    fields = accounts_of(office, heading) | {
        "id": number,
        "pay_amt_fen": -sum(back.refund.amount_fen for back in backs),
    }
    return voucher_of(
        heading.key(office, REFUND_APPLICATION, number),
        (office.treasury.party,),
        day,
        fields,
        counted(rows),
    )


def amounts_of(back: Back) -> Fields:
    """Return what every notice says of the money."""
    refund, payment = back.refund, back.payment
    in_full = refund.amount_fen == payment.amount_fen
    return {
        "refund_type": _IN_FULL if in_full else _IN_PART,
        **back.of_payee((*PAYER, *PAYEE)),
        "pay_amt_fen": -refund.amount_fen,
        "remark": refund.reason,
    }


def by_heading(backs: Sequence[Back]) -> Mapping[Heading, list[Back]]:
    """Return refunds by what one application may hold."""
    groups: dict[Heading, list[Back]] = {}
    for back in backs:
        groups.setdefault(back.heading, []).append(back)
    return groups
