"""The vouchers that a unit fills in: applications and payments.

Everything follows from the books, so that the same books give the same bytes.
"""

from __future__ import annotations

from counterfoil.business.codes import wire_code
from counterfoil.office import Form, Voucher, VoucherKey
from counterfoil.office.vouchers import FieldValue
from counterfoil.unit.kinds import PAYMENT, Office
from counterfoil.unit.tables import Line, Request

Fields = dict[str, FieldValue]


def voucher_of(asked: Request, office: Office) -> Voucher:
    """Return the voucher of a request: an application or an authorised payment.

    Every row names the request (支付申请序号), and what is made from it carries that:
    by it we know our own again in the bank's entry notice.

    Source: Hubei measures, articles 27 (2) 1 and 27 (3) 1.
    """
    key = VoucherKey(
        issuer=office.party,
        adm_div=office.adm_div,
        fiscal_year=asked.fiscal_year,
        type_code=asked.type_code,
        number=asked.number,
    )
    is_payment = asked.type_code == PAYMENT
    account = office.accounts[asked.way]
    first = asked.lines[0]
    fields: Fields = {
        "id": asked.number,
        "adm_div_code": office.adm_div,
        "st_year": str(asked.fiscal_year),
        "vt_code": wire_code(asked.type_code),
        "vou_date": asked.day,
        "voucher_no": asked.number,
        **_classes(office),
        "pay_type_code": asked.way.value,
        "pay_type_name": f"财政{asked.way.chinese}",
        "pay_bank_code": office.bank.code,
        "pay_acct_no": account.number,
        "pay_acct_name": account.name,
        "pay_acct_bank_name": account.bank,
        "pay_summary_name": first.purpose,
        "pay_amt_fen": asked.amount_fen,
        "business_type_code": "1",
        "business_type_name": "单笔业务",
        **_mode(asked),
    }
    if len(asked.lines) == 1:
        fields |= _payee(first)
    if not is_payment:
        fields |= {"pay_app_no": asked.number, "pay_app_amt_fen": asked.amount_fen}
    rows = tuple(_row(asked, line, office) for line in asked.lines)
    recipient = office.bank.party if is_payment else office.finance
    return Voucher(key=key, recipients=(recipient,), form=Form(fields, rows))


def _row(asked: Request, line: Line, office: Office) -> Fields:
    return {
        "id": line.row_id,
        "voucher_bill_id": asked.number,
        "voucher_bill_no": asked.number,
        "voucher_no": asked.number,
        **_classes(office),
        "exp_func_code": line.function,
        "exp_func_name": line.function_name,
        **_payee(line),
        "pay_amt_fen": line.amount_fen,
        "remark": line.purpose,
    }


def _classes(office: Office) -> Fields:
    """Return whose money it is, as the main part and every row state it."""
    return {
        "fund_type_code": "111",
        "fund_type_name": "一般公共预算资金",
        "sup_dep_code": office.top,
        "agency_code": office.code,
        "agency_name": office.name,
    }


def _payee(line: Line) -> Fields:
    return {
        "payee_acct_no": line.payee_account,
        "payee_acct_name": line.payee_name,
        "payee_acct_bank_name": line.payee_bank,
    }


def _mode(asked: Request) -> Fields:
    if asked.mode is None:
        return {}
    return {
        "fund_deal_mode_code": asked.mode.value,
        "fund_deal_mode_name": asked.mode.chinese,
    }
