"""Vouchers for the treasury, with every field that the contract requires."""

from __future__ import annotations

from dataclasses import replace

from counterfoil.business.banks import Bank
from counterfoil.business.codes import wire_code
from counterfoil.office import Form, Voucher, VoucherKey
from counterfoil.office.vouchers import FieldValue
from counterfoil.treasury.incomes import Entered
from counterfoil.treasury.kinds import (
    APPLICATION,
    APPROPRIATION,
    AUTHORISED_QUOTA,
    DIRECT_QUOTA,
    LISTED,
    ORDER,
    QUOTAS,
    REFUND,
    Office,
)

FINANCE, BANK, TREASURY = "420000-011", "420000-102", "420000-001"
BANK_NO, BANK_CODE = "102521000000", "102"
SECOND_NO = "102521000001"
"""Another number of the same bank."""
OTHER_BANK, OTHER_NO = "420000-103", "103521000000"
ACCOUNT = "42000000001"
TRE_CODE = "4200000000"
DAY = "20260301"
OFFICE = Office(
    party=TREASURY,
    finance=FINANCE,
    adm_div="420000",
    tre_code=TRE_CODE,
    fin_org_code="420000000",
    account=ACCOUNT,
    banks={
        BANK_NO: Bank(number=BANK_NO, party=BANK, code=BANK_CODE),
        SECOND_NO: Bank(number=SECOND_NO, party=BANK),
        OTHER_NO: Bank(number=OTHER_NO, party=OTHER_BANK, code="103"),
    },
)

Line = tuple[str, str, int]
"""Unit, function and amount in fen of one row."""
LINES: tuple[Line, ...] = (("101", "2010101", 100), ("102", "2010101", 250))


def changed(voucher: Voucher, **fields: FieldValue) -> Voucher:
    """Return a voucher with other fields."""
    form = voucher.form
    return replace(voucher, form=Form({**form.fields, **fields}, form.rows))


def again(voucher: Voucher, issue: int = 2, replaces: bytes = b"\1" * 32) -> Voucher:
    """Return another issue of a voucher."""
    return replace(voucher, key=replace(voucher.key, issue=issue), replaces=replaces)


def quota_notice(
    number: str,
    lines: tuple[Line, ...] = LINES,
    *,
    type_code: int = DIRECT_QUOTA,
    bank_no: str = BANK_NO,
) -> Voucher:
    """Return a quota notice: 5108, or 5106."""
    total = sum(fen for _, _, fen in lines)
    authorised = type_code == AUTHORISED_QUOTA
    amount = "plan_amt_fen" if authorised else "pay_amt_fen"
    rows: tuple[dict[str, FieldValue], ...] = tuple(
        {
            **({"id": f"{number}-{n}"} if authorised else {}),
            **({"sup_dep_code": unit} if unit else {}),
            "exp_func_code": function,
            amount: fen,
        }
        for n, (unit, function, fen) in enumerate(lines)
    )
    fields: dict[str, FieldValue] = {"pay_bank_no": bank_no, amount: total}
    if authorised:
        fields["set_month"] = "03"
    return _voucher(type_code, number, FINANCE, fields, rows)


def appropriation(number: str, lines: tuple[Line, ...] = LINES) -> Voucher:
    """Return an appropriation (5207)."""
    rows: tuple[dict[str, FieldValue], ...] = tuple(
        {"id": f"{number}-{n}", "exp_func_code": function, "pay_amt_fen": fen}
        for n, (_, function, fen) in enumerate(lines)
    )
    fields: dict[str, FieldValue] = {
        "payee_acct_no": "622200001111",
        "payee_acct_name": "收款人",
        "payee_acct_bank_no": BANK_NO,
        "pay_acct_no": ACCOUNT,
        "pay_acct_name": "国库单一账户",
        "agency_code": "101001",
        "agency_name": "预算单位",
        "pay_amt_fen": sum(fen for _, _, fen in lines),
    }
    return _voucher(APPROPRIATION, number, FINANCE, fields, rows)


def application(
    number: str,
    lines: tuple[Line, ...] = LINES,
    *,
    issuer: str = BANK,
    bank_no: str = BANK_NO,
    way: str = "11",
) -> Voucher:
    """Return an application for clearing (2301)."""
    fields, rows = _cleared(number, lines, bank_no, way)
    return _voucher(APPLICATION, number, issuer, fields, rows)


def order(
    number: str,
    names: str,
    lines: tuple[Line, ...] = LINES,
    *,
    bank_no: str = BANK_NO,
    way: str = "11",
) -> Voucher:
    """Return a clearing order (5301) for an application."""
    fields, rows = _cleared(names, lines, bank_no, way)
    fields |= {"ori_vt_code": "2301", "ori_voucher_no": names}
    return _voucher(ORDER, number, FINANCE, fields, rows)


def refund(
    number: str,
    lines: tuple[Line, ...] = (("101", "2010101", -100),),
    *,
    issuer: str = BANK,
    bank_no: str = BANK_NO,
    way: str = "11",
) -> Voucher:
    """Return a refund (2302); amounts are negative."""
    fields, rows = _cleared(number, lines, bank_no, way)
    rows = tuple({**row, "ori_voucher_no": "ZF0"} for row in rows)
    return _voucher(REFUND, number, issuer, fields, rows)


def listing(
    type_code: int,
    number: str,
    receipted: tuple[tuple[str, int], ...],
    *,
    day: str = DAY,
    code: str = "",
) -> Voucher:
    """Return a list (5551, 5552, 5553) of numbers and amounts."""
    rows: tuple[dict[str, FieldValue], ...] = tuple(
        {
            "id": str(n),
            "ori_vt_code": wire_code(LISTED[type_code]),
            "ori_voucher_no": one,
            "pay_amt_fen": fen,
        }
        for n, (one, fen) in enumerate(receipted, start=1)
    )
    fields: dict[str, FieldValue] = {
        "clear_date": day,
        "all_num": len(rows),
        "all_amt_fen": sum(fen for _, fen in receipted),
    }
    if code:
        fields["pay_bank_code"] = code
    return _voucher(type_code, number, FINANCE, fields, rows)


def came(
    number: str, amount_fen: int = 500, day: str = DAY, subject: str = "1010101"
) -> Entered:
    """Return an entry of income of the province."""
    return Entered(
        number=number, day=day, level="2", subject=subject, amount_fen=amount_fen
    )


def _cleared(
    number: str, lines: tuple[Line, ...], bank_no: str, way: str
) -> tuple[dict[str, FieldValue], tuple[dict[str, FieldValue], ...]]:
    fields: dict[str, FieldValue] = {
        "pay_type_code": way,
        "agent_acct_no": "10200001",
        "agent_acct_name": "代理银行",
        "clear_acct_no": ACCOUNT,
        "clear_acct_name": "国库单一账户",
        "pay_bank_no": bank_no,
        "pay_amt_fen": sum(fen for _, _, fen in lines),
    }
    rows: tuple[dict[str, FieldValue], ...] = tuple(
        {
            "id": f"{number}-{n}",
            "voucher_no": f"ZF{n}",
            "sup_dep_code": unit,
            "exp_func_code": function,
            "pay_amt_fen": fen,
        }
        for n, (unit, function, fen) in enumerate(lines)
    )
    return fields, rows


def _voucher(
    type_code: int,
    number: str,
    issuer: str,
    fields: dict[str, FieldValue],
    rows: tuple[dict[str, FieldValue], ...],
) -> Voucher:
    key = VoucherKey(
        issuer=issuer,
        adm_div="420000",
        fiscal_year=2026,
        type_code=type_code,
        number=number,
    )
    common: dict[str, FieldValue] = {
        "id": number,
        "adm_div_code": "420000",
        "st_year": "2026",
        "vt_code": wire_code(type_code),
        "vou_date": DAY,
        "voucher_no": number,
        "tre_code": TRE_CODE,
    }
    if type_code not in QUOTAS:
        common["fin_org_code"] = OFFICE.fin_org_code
    return Voucher(
        key=key, recipients=(TREASURY,), form=Form({**common, **fields}, rows)
    )
