"""Vouchers that come to finance, with every field that the contract requires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from counterfoil.business.banks import Bank
from counterfoil.business.codes import wire_code
from counterfoil.finance.kinds import (
    APPLICATION,
    BALANCE_REPORT,
    CLEARING_APPLICATION,
    DAILY_CHECK,
    EXPENDITURE_REPORT,
    EXPENDITURE_STATEMENT,
    REFUND,
    REFUND_MATCH,
    REFUND_NOTICE,
    REVENUE_REPORT,
    REVENUE_STATEMENT,
    Account,
    Office,
    Unit,
)
from counterfoil.office import Form, Voucher, VoucherKey
from counterfoil.office.vouchers import FieldValue

FINANCE, BANK, TREASURY = "420000-011", "420000-102", "420000-001"
OTHER_BANK, SPECIAL_BANK = "420000-103", "420000-301"
UNIT, OTHER_UNIT = "420000-101001", "420000-102001"
BANK_NO, OTHER_NO, SPECIAL_NO = "102521000000", "103521000000", "301521000000"
ACCOUNT = "42000000001"
TRE_CODE = "4200000000"
DAY = "20260301"
SCHOOL = Unit(code="101001", party=UNIT, name="省教育厅机关", top="101", bank=BANK_NO)
HOSPITAL = Unit(
    code="102001", party=OTHER_UNIT, name="省卫生厅机关", top="102", bank=OTHER_NO
)
OFFICE = Office(
    party=FINANCE,
    treasury=TREASURY,
    adm_div="420000",
    tre_code=TRE_CODE,
    fin_org_code="420000000",
    single=Account(number=ACCOUNT, name="国库单一账户"),
    special=Account(number="42000000301", name="财政专户", bank=SPECIAL_NO),
    opening_fen=100_000,
    special_opening_fen=5_000,
    units={one.code: one for one in (SCHOOL, HOSPITAL)},
    banks={
        BANK_NO: Bank(number=BANK_NO, party=BANK, code="102"),
        OTHER_NO: Bank(number=OTHER_NO, party=OTHER_BANK, code="103"),
        SPECIAL_NO: Bank(number=SPECIAL_NO, party=SPECIAL_BANK, code="301"),
    },
)

_OF_TREASURY: dict[str, FieldValue] = {
    "fin_org_code": OFFICE.fin_org_code,
    "tre_code": TRE_CODE,
}

_WITHOUT_ID = {DAILY_CHECK, REVENUE_STATEMENT, EXPENDITURE_STATEMENT}
Line = tuple[str, int]
"""Function and amount in fen of one row."""
LINES: tuple[Line, ...] = (("2010101", 100), ("2050202", 250))
ClearedLine = tuple[str, str, str, int]
"""Payment, top-level unit, function and amount in fen of one row."""


def changed(voucher: Voucher, **fields: FieldValue) -> Voucher:
    """Return a voucher with other fields."""
    form = voucher.form
    return replace(voucher, form=Form({**form.fields, **fields}, form.rows))


def with_row(voucher: Voucher, place: int, **fields: FieldValue) -> Voucher:
    """Return a voucher with other fields in one row."""
    rows = list(voucher.form.rows)
    rows[place] = {**rows[place], **fields}
    return replace(voucher, form=Form(voucher.form.fields, tuple(rows)))


def application(
    number: str, lines: tuple[Line, ...] = LINES, *, unit: Unit = SCHOOL
) -> Voucher:
    """Return a unit's application for direct payment (108201)."""
    payee: dict[str, FieldValue] = {
        "payee_acct_no": "622200001111",
        "payee_acct_name": "湖北供应商",
        "payee_acct_bank_name": "建设银行武汉分行",
    }
    rows: tuple[dict[str, FieldValue], ...] = tuple(
        {
            "id": f"{number}-{n}",
            "voucher_bill_id": number,
            "voucher_bill_no": number,
            "fund_type_code": "11",
            "fund_type_name": "一般公共预算资金",
            "agency_code": unit.code,
            "agency_name": unit.name,
            "exp_func_code": function,
            "exp_func_name": "支出功能",
            **payee,
            "pay_amt_fen": fen,
        }
        for n, (function, fen) in enumerate(lines)
    )
    fields: dict[str, FieldValue] = {
        "pay_type_code": "11",
        "pay_type_name": "直接支付",
        "pay_acct_no": "42000000009",
        "pay_acct_name": "财政零余额账户",
        "pay_acct_bank_name": "代理银行",
        "business_type_code": "1",
        "business_type_name": "普通业务",
        "agency_code": unit.code,
        "agency_name": unit.name,
        **payee,
        "pay_amt_fen": sum(fen for _, fen in lines),
    }
    return _voucher(APPLICATION, number, unit.party, fields, rows)


def clearing(
    number: str,
    lines: tuple[ClearedLine, ...],
    *,
    way: str = "11",
    issuer: str = BANK,
    bank_no: str = BANK_NO,
) -> Voucher:
    """Return a bank's application for clearing (2301)."""
    fields, rows = _cleared(number, lines, way, bank_no)
    paper = _voucher(CLEARING_APPLICATION, number, issuer, fields, rows)
    return replace(paper, recipients=(TREASURY, FINANCE))


def refund(number: str, lines: tuple[ClearedLine, ...], *, way: str = "11") -> Voucher:
    """Return a bank's refund (2302), which goes to the treasury; amounts negative."""
    fields, rows = _cleared(number, lines, way, BANK_NO)
    rows = tuple({**row, "ori_voucher_no": row["voucher_no"]} for row in rows)
    paper = _voucher(REFUND, number, BANK, fields, rows)
    return replace(paper, recipients=(TREASURY,))


def refund_match(number: str, payment: str, fen: int, *, issuer: str = BANK) -> Voucher:
    """Return a bank's question whether money that came back is ours (102207)."""
    fields: dict[str, FieldValue] = {
        "agency_code": SCHOOL.code,
        "ori_vt_code": "5201",
        "ori_voucher_no": payment,
        "agent_business_no": "1",
        "pay_amt_fen": fen,
        "remark": "账号不存在",
        "pay_date": DAY,
    }
    return _voucher(
        REFUND_MATCH, number, issuer, fields, ({"id": "1", "pay_amt_fen": fen},)
    )


def refund_notice(number: str, payment: str, fen: int) -> Voucher:
    """Return a bank's notice that money of a direct payment came back (2203)."""
    fields: dict[str, FieldValue] = {
        "ori_bill_no": payment,
        "pay_amt_fen": fen,
        "pay_date": DAY,
    }
    row: dict[str, FieldValue] = {"id": "1", "voucher_no": payment, "pay_amt_fen": fen}
    return _voucher(REFUND_NOTICE, number, BANK, fields, (row,))


Revenue = tuple[str, str, int, int]
"""Subject, level, amount of the day and of the year in fen."""


def revenue_report(day: str, lines: tuple[Revenue, ...]) -> Voucher:
    """Return the treasury's revenue of a day (3401)."""
    rows: tuple[dict[str, FieldValue], ...] = tuple(
        {
            "budget_subject_code": subject,
            "budget_level_code": level,
            "day_amt_fen": fen,
            "month_amt_fen": year,
            "year_amt_fen": year,
        }
        for subject, level, fen, year in lines
    )
    fields: dict[str, FieldValue] = {
        **_OF_TREASURY,
        "report_date": day,
        "sum_money_fen": sum(fen for _, _, fen, _ in lines),
    }
    return _voucher(REVENUE_REPORT, f"SR{day}", TREASURY, fields, rows)


def expenditure_report(day: str, lines: tuple[Line, ...]) -> Voucher:
    """Return the treasury's expenditure of a day (3410), by function."""
    rows: tuple[dict[str, FieldValue], ...] = tuple(
        {
            "id": str(n),
            "budget_subject_code": function,
            "pay_amt_fen": fen,
            "month_amt_fen": fen,
            "year_amt_fen": fen,
        }
        for n, (function, fen) in enumerate(lines, start=1)
    )
    fields: dict[str, FieldValue] = {
        **_OF_TREASURY,
        "report_date": day,
        "sum_money_fen": sum(fen for _, fen in lines),
    }
    return _voucher(EXPENDITURE_REPORT, f"ZC{day}", TREASURY, fields, rows)


def balance_report(
    day: str, yesterday: int, came: int, paid: int, *, account: str = ACCOUNT
) -> Voucher:
    """Return the treasury's balance at the end of a day (3402)."""
    row: dict[str, FieldValue] = {
        "id": "1",
        "acct_code": account,
        "yesterday_balance_fen": yesterday,
        "today_receipt_fen": came,
        "today_pay_fen": paid,
        "today_balance_fen": yesterday + came - paid,
    }
    fields: dict[str, FieldValue] = {"acct_date": day, "bank_code": TRE_CODE}
    return _voucher(BALANCE_REPORT, f"KC{day}", TREASURY, fields, (row,))


def daily_check(day: str, kind: str) -> Voucher:
    """Return the treasury's question about the vouchers of a day (3501)."""
    fields: dict[str, FieldValue] = {
        "tre_code": TRE_CODE,
        "check_date": day,
        "e_voucher_type": kind,
        "all_num": 0,
        "all_amt_fen": 0,
    }
    return _voucher(DAILY_CHECK, f"PZ{day}{kind}", TREASURY, fields, ())


def revenue_statement(lines: tuple[Revenue, ...], *, packets: int = 1) -> Voucher:
    """Return the treasury's revenue of March (3511): of the month, and of the year."""
    rows: tuple[dict[str, FieldValue], ...] = tuple(
        {
            "id": str(n),
            "adm_div_code": "420000",
            "st_year": "2026",
            "tax_org_code": "000000000000",
            "tax_org_name": "不分征收机关",
            "budget_type": "1",
            "budget_level_code": level,
            "budget_subject_code": subject,
            "budget_subject_name": "增值税",
            "cur_income_amt_fen": month,
            "sum_income_amt_fen": year,
        }
        for n, (subject, level, month, year) in enumerate(lines, start=1)
    )
    fields: dict[str, FieldValue] = {
        **_of_march(rows, "cur_income_amt_fen", packets),
        "fund_type_code": "1",
        "belong_flag": "0",
        "budget_level_code": "9",
    }
    number = "SR202603" if packets == 1 else "SR202603-2"
    return _voucher(REVENUE_STATEMENT, number, TREASURY, fields, rows)


def expenditure_statement(
    lines: tuple[tuple[str, int, int], ...], *, packets: int = 1
) -> Voucher:
    """Return the treasury's expenditure of March (3512), by function."""
    rows: tuple[dict[str, FieldValue], ...] = tuple(
        {
            "id": str(n),
            "exp_func_code": function,
            "exp_func_name": "支出功能",
            "cur_pay_amt_fen": month,
            "sum_pay_amt_fen": year,
        }
        for n, (function, month, year) in enumerate(lines, start=1)
    )
    fields = _of_march(rows, "cur_pay_amt_fen", packets)
    return _voucher(EXPENDITURE_STATEMENT, "ZC202603", TREASURY, fields, rows)


def _of_march(
    rows: tuple[dict[str, FieldValue], ...], amount: str, packets: int
) -> dict[str, FieldValue]:
    return {
        **_OF_TREASURY,
        "voucher_check_no": "DZ202603",
        "child_pack_num": packets,
        "cur_pack_no": 1,
        "bill_kind": "1",
        "tre_name": "国家金库湖北省分库",
        "begin_date": "20260301",
        "end_date": "20260331",
        "all_num": len(rows),
        "all_amt_fen": sum(int(row[amount]) for row in rows),
    }


def _cleared(
    number: str, lines: tuple[ClearedLine, ...], way: str, bank_no: str
) -> tuple[dict[str, FieldValue], tuple[dict[str, FieldValue], ...]]:
    fields: dict[str, FieldValue] = {
        "tre_code": TRE_CODE,
        "fin_org_code": OFFICE.fin_org_code,
        "pay_type_code": way,
        "agent_acct_no": "10200001",
        "agent_acct_name": "代理银行",
        "clear_acct_no": ACCOUNT,
        "clear_acct_name": "国库单一账户",
        "pay_bank_no": bank_no,
        "pay_amt_fen": sum(fen for *_, fen in lines),
    }
    rows: tuple[dict[str, FieldValue], ...] = tuple(
        {
            "id": f"{number}-{n}",
            "voucher_no": payment,
            "sup_dep_code": top,
            "exp_func_code": function,
            "pay_amt_fen": fen,
        }
        for n, (payment, top, function, fen) in enumerate(lines)
    )
    return fields, rows


def _voucher(
    type_code: int,
    number: str,
    issuer: str,
    fields: Mapping[str, FieldValue],
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
        **({} if type_code in _WITHOUT_ID else {"id": number}),
        "adm_div_code": "420000",
        "st_year": "2026",
        "vt_code": wire_code(type_code),
        "vou_date": DAY,
        "voucher_no": number,
    }
    return Voucher(
        key=key, recipients=(FINANCE,), form=Form({**common, **fields}, rows)
    )
