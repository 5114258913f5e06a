"""Vouchers for the bank, with every field that the contract requires."""

from __future__ import annotations

from counterfoil.bank.kinds import (
    AUTHORISED_PAYMENT,
    DIRECT_PAYMENT,
    SPECIAL_PAYMENT,
    Finance,
    Office,
    Treasury,
)
from counterfoil.office import Form, Voucher, VoucherKey
from counterfoil.office.vouchers import FieldValue

FINANCE, BANK, TREASURY = "420000-011", "420000-102", "420000-001"
UNIT, AGENCY = "420000-101001", "101001"
SINGLE_ACCOUNT = "42000000001"
FINANCE_ACCOUNT, UNIT_ACCOUNT = "42000000011", "42000101001"
"""Zero-balance accounts at the bank (零余额账户)."""
BANK_NO = "102521000000"
DAY = "20260301"
OFFICE = Office(
    party=BANK,
    number=BANK_NO,
    code="102",
    account="10200001",
    account_name="代理银行",
    treasury=Treasury(
        party=TREASURY,
        code="4200000000",
        account=SINGLE_ACCOUNT,
        account_name="国库单一账户",
    ),
    finance=Finance(party=FINANCE, code="420000000"),
    units={AGENCY: UNIT},
)

Line = tuple[str, str, int]
"""Agency, function and amount in fen of one row."""
LINES: tuple[Line, ...] = ((AGENCY, "2010101", 100), (AGENCY, "2010102", 250))
TOTAL = sum(fen for _, _, fen in LINES)

Fields = dict[str, FieldValue]


def direct_payment(
    number: str, lines: tuple[Line, ...] = LINES, **fields: FieldValue
) -> Voucher:
    """Return a direct payment of finance (5201)."""
    return _payment(
        DIRECT_PAYMENT,
        number,
        lines,
        {
            "pay_type_code": "11",
            "pay_type_name": "财政直接支付",
            "pay_acct_no": FINANCE_ACCOUNT,
            "pay_acct_name": "财政零余额账户",
            **fields,
        },
    )


def authorised_payment(
    number: str,
    lines: tuple[Line, ...] = LINES,
    *,
    counter: bool = False,
    **fields: FieldValue,
) -> Voucher:
    """Return an authorised payment of the unit (8202)."""
    return _payment(
        AUTHORISED_PAYMENT,
        number,
        lines,
        {
            "pay_type_code": "12",
            "pay_type_name": "财政授权支付",
            "pay_acct_no": UNIT_ACCOUNT,
            "pay_acct_name": "预算单位零余额账户",
            "fund_deal_mode_code": "1" if counter else "2",
            "fund_deal_mode_name": "银行柜面" if counter else "自助柜面",
            **fields,
        },
        issuer=UNIT,
    )


def special_payment(number: str, amounts: tuple[int, ...] = (100, 250)) -> Voucher:
    """Return a payment out of a special account (5267): payee in the main part."""
    rows: tuple[Fields, ...] = tuple(
        {"id": f"{number}-{n}", "exp_func_code": "2010101", "pay_amt_fen": fen}
        for n, fen in enumerate(amounts)
    )
    return _voucher(
        SPECIAL_PAYMENT,
        number,
        FINANCE,
        {
            "id": number,
            "tre_code": OFFICE.treasury.code,
            "fin_org_code": OFFICE.finance.code,
            "payee_acct_no": "622200001111",
            "payee_acct_name": "收款人",
            "payee_acct_bank_no": BANK_NO,
            "pay_acct_no": "42000000099",
            "pay_acct_name": "财政专户",
            "pay_amt_fen": sum(amounts),
        },
        rows,
    )


def _payment(
    type_code: int,
    number: str,
    lines: tuple[Line, ...],
    fields: Fields,
    issuer: str = FINANCE,
) -> Voucher:
    rows: tuple[Fields, ...] = tuple(
        {
            "id": f"{number}-{n}",
            "voucher_bill_id": number,
            "voucher_bill_no": number,
            "voucher_no": f"SQ-{number}",
            "fund_type_code": "111",
            "fund_type_name": "一般公共预算资金",
            "agency_code": agency,
            "agency_name": "湖北省教育厅",
            "exp_func_code": function,
            "exp_func_name": "行政运行",
            "payee_acct_no": "622200001111",
            "payee_acct_name": "收款人",
            "payee_acct_bank_name": "收款人开户行",
            "pay_amt_fen": fen,
        }
        for n, (agency, function, fen) in enumerate(lines)
    )
    common: Fields = {
        "id": number,
        "pay_acct_bank_name": "代理银行",
        "pay_amt_fen": sum(fen for _, _, fen in lines),
        "business_type_code": "1",
        "business_type_name": "普通业务",
    }
    return _voucher(type_code, number, issuer, common | fields, rows)


def _voucher(
    type_code: int, number: str, issuer: str, fields: Fields, rows: tuple[Fields, ...]
) -> Voucher:
    key = VoucherKey(
        issuer=issuer,
        adm_div="420000",
        fiscal_year=2026,
        type_code=type_code,
        number=number,
    )
    head: Fields = {
        "adm_div_code": "420000",
        "st_year": "2026",
        "vt_code": str(type_code),
        "vou_date": DAY,
        "voucher_no": number,
    }
    return Voucher(key=key, recipients=(BANK,), form=Form(head | fields, rows))
