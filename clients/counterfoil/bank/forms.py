"""What the bank fills in: receipts (回单) and entry notices (入账通知书).

Everything follows from the voucher and the journal, so the same payment gives the
same bytes again, however often it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from counterfoil.bank.heads import Fields, named, voucher_of
from counterfoil.bank.journal import Payment
from counterfoil.bank.kinds import AUTHORISED_PAYMENT, ENTRY_NOTICE, SPECIAL_PAYMENT
from counterfoil.bank.lines import Line, by_agency, lines_of
from counterfoil.office import Form, Receipt, Voucher, VoucherKey
from counterfoil.office.vouchers import FieldValue

_PAYEE: Final = ("payee_acct_bank_name", "payee_acct_no", "payee_acct_name")
_DEAL_MODE: Final = ("fund_deal_mode_code", "fund_deal_mode_name")
_CARRIED: Final = (
    "voucher_bill_id",
    "voucher_bill_no",
    "voucher_no",
    "fund_type_code",
    "fund_type_name",
    "sup_dep_code",
    "sup_dep_name",
    "agency_code",
    "agency_name",
    "exp_func_code",
    "exp_func_name",
    "exp_eco_code",
    "exp_eco_name",
    "dep_pro_code",
    "dep_pro_name",
    *_PAYEE,
    "payee_acct_bank_no",
    "pay_amt_fen",
    "remark",
    "hold1",
    "hold2",
    "hold3",
    "hold4",
)
"""Fields of a paid row that stand in the entry notice too.

`voucher_no` of a row is the number of the application (支付申请序号): by it a unit
finds what it had asked finance for.
"""


def receipt_of(payment: Payment, voucher: Voucher, party: str) -> Receipt:
    """Return the receipt of a voucher that was paid in full.

    5267 states what was paid in its rows alone.

    Source: Hubei measures, articles 27 (2) 3, 27 (3) 3 and 28 (3).
    """
    form = voucher.form
    if payment.type_code == SPECIAL_PAYMENT:
        main: Fields = {"x_agent_business_no": payment.serial}
        rows = [{"id": row["id"], **_stated(payment, Form(row))} for row in form.rows]
    else:
        main = _paid(payment, form)
        rows = [{"id": row["id"], **_paid(payment, Form(row))} for row in form.rows]
    if payment.type_code == AUTHORISED_PAYMENT:
        main |= {f"x_{name}": form.text(name) for name in _DEAL_MODE if form.text(name)}
    return Receipt(voucher=payment.reference, by=party, form=Form(main, tuple(rows)))


def notices_of(
    payment: Payment, voucher: Voucher, party: str, units: Mapping[str, str]
) -> list[Voucher]:
    """Return the entry notices of a payment: to whom the money was.

    * An authorised payment is the unit's own: one notice, to its issuer.
    * A direct payment is finance's: one notice to each unit that its rows name, if we
      know the unit's party.
    * A payment from a special account has none.

    Source: Hubei measures, articles 27 (2) 3 and 27 (3) 3.
    """
    number = f"RZ{payment.serial}"
    lines = lines_of(voucher.form)
    if payment.type_code == SPECIAL_PAYMENT:
        return []
    if payment.type_code == AUTHORISED_PAYMENT:
        return [_notice(payment, voucher, party, (number, payment.issuer), lines)]
    groups = by_agency(lines)
    return [
        _notice(
            payment,
            voucher,
            party,
            (number if len(groups) == 1 else f"{number}-{agency}", units[agency]),
            some,
        )
        for agency, some in groups.items()
        if agency in units
    ]


def _notice(
    payment: Payment,
    voucher: Voucher,
    party: str,
    addressed: tuple[str, str],
    lines: Sequence[Line],
) -> Voucher:
    """Return the notice of some lines; `addressed` is its number and recipient."""
    number, recipient = addressed
    wanted = {line.row_id for line in lines}
    rows = [
        {
            "id": row["id"],
            **_of(row, _CARRIED),
            **_stated(payment, Form(row)),
        }
        for row in voucher.form.rows
        if row["id"] in wanted
    ]
    key = VoucherKey(
        issuer=party,
        adm_div=payment.adm_div,
        fiscal_year=payment.fiscal_year,
        type_code=ENTRY_NOTICE,
        number=number,
    )
    fields: Fields = {
        "id": number,
        "agency_code": lines[0].agency,
        **named(agency_name=lines[0].agency_name),
        "ori_vt_code": str(payment.type_code),
        "ori_voucher_no": payment.number,
        "pay_amt_fen": sum(line.amount_fen for line in lines),
        "x_pay_date": payment.pay_date,
        "x_agent_business_no": payment.serial,
        **_of(voucher.form.fields, ("hold1", "hold2")),
    }
    return voucher_of(key, (recipient,), payment.pay_date, fields, rows)


def _of(fields: Mapping[str, FieldValue], names: Iterable[str]) -> Fields:
    return {name: fields[name] for name in names if name in fields}


def _stated(payment: Payment, form: Form) -> Fields:
    """Return when, how and how much of a main part or a row was paid."""
    return {
        "x_pay_date": payment.pay_date,
        "x_agent_business_no": payment.serial,
        "x_pay_amt_fen": form.fen("pay_amt_fen"),
    }


def _paid(payment: Payment, form: Form) -> Fields:
    """Return the X fields of what was paid to a payee."""
    payee = {f"x_{name}": form.text(name) for name in _PAYEE if form.text(name)}
    return {**_stated(payment, form), **payee}
