"""Applications for clearing (申请划款凭证) and their details: pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from counterfoil.bank.heads import Fields, named, voucher_of
from counterfoil.bank.journal import Payment
from counterfoil.bank.kinds import APPLICATION, DETAIL, Office
from counterfoil.bank.lines import Line, by_quota
from counterfoil.business.codes import PaymentWay, wire_code
from counterfoil.office import Voucher, VoucherKey

ROWS_MAX: Final = 500
"""Rows of one application: what the national specification puts into a packet."""


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment that is to be cleared.

    Attributes:
        payment: Where it stands.
        lines: What was paid.
    """

    payment: Payment
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What all payments of one application have in common.

    Attributes:
        adm_div: Administrative division.
        fiscal_year: Quota of one year clears nothing of another.
        way: Way of payment, each with a quota of its own.
        fund: Nature of the funds (资金性质); empty of a payment out of several.
    """

    adm_div: str
    fiscal_year: int
    way: PaymentWay
    fund: str

    @classmethod
    def of(cls, payment: Payment, lines: Sequence[Line]) -> Heading:
        """Return under which heading a payment is cleared, and refunded."""
        assert payment.way is not None, "only what the treasury clears is applied for"
        funds = {line.fund for line in lines}
        return cls(
            adm_div=payment.adm_div,
            fiscal_year=payment.fiscal_year,
            way=payment.way,
            fund=funds.pop() if len(funds) == 1 else "",
        )

    def key(self, office: Office, type_code: int, number: str) -> VoucherKey:
        """Return the key of a voucher under this heading."""
        return VoucherKey(
            issuer=office.party,
            adm_div=self.adm_div,
            fiscal_year=self.fiscal_year,
            type_code=type_code,
            number=number,
        )


def packed(paid: Sequence[Paid], rows_max: int = ROWS_MAX) -> Iterator[list[Paid]]:
    """Yield payments in groups that one application has room for, none divided."""
    pack: list[Paid] = []
    rows = 0
    for one in paid:
        needed = len(by_quota(one.lines))
        if pack and rows + needed > rows_max:
            yield pack
            pack, rows = [], 0
        pack.append(one)
        rows += needed
    if pack:
        yield pack


def application_of(
    office: Office, heading: Heading, number: str, day: str, paid: Sequence[Paid]
) -> Voucher:
    """Return the application (2301) for some payments, to treasury and finance.

    A row is what one payment drew on one quota: top-level unit and function.

    Source: Hubei measures, article 27 (4) 1.
    """
    rows: list[Fields] = [
        {
            "voucher_no": one.payment.number,
            "sup_dep_code": unit,
            **named(sup_dep_name=lines[0].unit_name),
            "exp_func_code": function,
            **named(exp_func_name=lines[0].function_name),
            "pay_amt_fen": _sum(lines),
            "pay_date": one.payment.pay_date,
        }
        for one in paid
        for (unit, function), lines in by_quota(one.lines).items()
    ]
    fields = accounts_of(office, heading) | {
        "id": number,
        "pay_amt_fen": sum(_sum(one.lines) for one in paid),
    }
    return voucher_of(
        heading.key(office, APPLICATION, number),
        (office.treasury.party, office.finance.party),
        day,
        fields,
        counted(rows),
    )


def detail_of(
    office: Office, application: Voucher, number: str, day: str, paid: Sequence[Paid]
) -> Voucher:
    """Return the detail (2311) of an application, to the treasury.

    A row is one payment. Where it was for several units or functions, the row names
    the first: the application has them all.

    Source: Hubei measures, article 27 (4), annexed table 12.
    """
    rows: list[Fields] = [
        {
            "e_voucher_type": wire_code(one.payment.type_code),
            "voucher_no": one.payment.number,
            "agency_code": one.lines[0].agency,
            **named(agency_name=one.lines[0].agency_name),
            "exp_func_code": one.lines[0].function,
            **named(exp_func_name=one.lines[0].function_name),
            "pay_amt_fen": _sum(one.lines),
            "x_pay_date": one.payment.pay_date,
            "x_agent_business_no": one.payment.serial,
        }
        for one in paid
    ]
    fields: Fields = {
        "id": number,
        "ori_voucher_no": application.key.number,
        "tre_code": office.treasury.code,
        "fin_org_code": office.finance.code,
        "pay_bank_code": office.code,
        "pay_bank_no": office.number,
        "child_pack_num": 1,
        "cur_pack_no": 1,
        "all_num": len(rows),
        "all_amt_fen": application.form.fen("pay_amt_fen"),
    }
    key = VoucherKey(
        issuer=office.party,
        adm_div=application.key.adm_div,
        fiscal_year=application.key.fiscal_year,
        type_code=DETAIL,
        number=number,
    )
    return voucher_of(key, (office.treasury.party,), day, fields, counted(rows))


def accounts_of(office: Office, heading: Heading) -> Fields:
    """Return who clears what with whom, over which accounts: of 2301 and of 2302."""
    return {
        "tre_code": office.treasury.code,
        "fin_org_code": office.finance.code,
        **named(fund_type_code=heading.fund),
        "pay_type_code": heading.way.value,
        "pay_type_name": heading.way.chinese,
        "agent_acct_no": office.account,
        "agent_acct_name": office.account_name,
        "clear_acct_no": office.treasury.account,
        "clear_acct_name": office.treasury.account_name,
        "pay_bank_no": office.number,
    }


def counted(rows: Sequence[Fields]) -> list[Fields]:
    """Return rows with their place as id."""
    return [{"id": str(place), **row} for place, row in enumerate(rows, start=1)]


def _sum(lines: Sequence[Line]) -> int:
    return sum(line.amount_fen for line in lines)
