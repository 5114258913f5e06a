"""What finance and a bank reply to the treasury, and what a bank states itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from counterfoil.business.codes import wire_code
from counterfoil.office import Form, Voucher, VoucherKey
from counterfoil.office.vouchers import FieldValue
from counterfoil.treasury.kinds import (
    BANK_CHECK,
    BANK_CHECK_REPLY,
    EXPENDITURE_REPLY,
    EXPENDITURE_STATEMENT,
    FINANCE_CHECK,
    FINANCE_CHECK_REPLY,
    QUOTA_STATEMENT,
    REVENUE_REPLY,
    REVENUE_STATEMENT,
)
from tests.unit.treasury.papers import (
    BANK,
    BANK_CODE,
    BANK_NO,
    FINANCE,
    OFFICE,
    TRE_CODE,
    TREASURY,
)

Row = Mapping[str, FieldValue]
_REPLIES = {
    REVENUE_STATEMENT: REVENUE_REPLY,
    EXPENDITURE_STATEMENT: EXPENDITURE_REPLY,
    FINANCE_CHECK: FINANCE_CHECK_REPLY,
    BANK_CHECK: BANK_CHECK_REPLY,
}


def reply(statement: Voucher, reasons: Mapping[str, str] | None = None) -> Voucher:
    """Return the reply to a 3511 or 3512; `reasons` by the id of the row."""
    differing = reasons or {}
    rows = tuple(
        {
            **row,
            "x_check_result": "1" if row["id"] in differing else "0",
            "x_check_reason": differing.get(str(row["id"]), ""),
        }
        for row in statement.form.rows
    )
    fields = {
        **statement.form.fields,
        "x_check_result": "1" if differing else "0",
        "x_diff_num": len(differing),
    }
    return _answering(statement, Form(fields, rows))


def check_reply(check: Voucher, rows: tuple[Row, ...] | None = None) -> Voucher:
    """Return the reply to a daily check: the same rows, or a view of one's own."""
    own = check.form.rows if rows is None else rows
    fields = {
        **check.form.fields,
        "all_num": len(own),
        "all_amt_fen": sum(int(row["amt_fen"]) for row in own),
    }
    if check.key.type_code == FINANCE_CHECK:
        fields["fin_org_code"] = OFFICE.fin_org_code
    return _answering(check, Form(fields, own))


def quota_row(
    unit: str,
    figures: tuple[int, int, int],
    *,
    function: str = "2010101",
    way: str = "11",
    bank_no: str = BANK_NO,
) -> dict[str, FieldValue]:
    """Return a row of a bank's statement: before, added and cleared in fen."""
    before, added, cleared = figures
    return {
        "sup_dep_code": unit,
        "sup_dep_name": "预算单位",
        "pay_bank_no": bank_no,
        "exp_func_code": function,
        "exp_func_name": "功能科目",
        "pay_type_code": way,
        "pay_type_name": "支付方式",
        "pre_date_money_fen": before,
        "clear_amt_fen": added,
        "cur_reck_money_fen": cleared,
        "cur_date_money_fen": before + added - cleared,
    }


def quota_statement(
    rows: tuple[Row, ...],
    *,
    month: str = "202603",
    last: str = "20260331",
    packet: tuple[int, int] = (1, 1),
    issuer: str = BANK,
) -> Voucher:
    """Return a bank's statement of quota (2541); a packet and how many there are."""
    number = f"ED{month}-{packet[0]}"
    named = tuple({"id": str(n), **row} for n, row in enumerate(rows, start=1))
    sums: dict[str, FieldValue] = {
        name: sum(int(row[name]) for row in rows)
        for name in (
            "pre_date_money_fen",
            "clear_amt_fen",
            "cur_reck_money_fen",
            "cur_date_money_fen",
        )
    }
    fields: dict[str, FieldValue] = {
        "adm_div_code": "420000",
        "st_year": "2026",
        "vt_code": wire_code(QUOTA_STATEMENT),
        "vou_date": last,
        "voucher_no": number,
        "voucher_check_no": f"ED{month}",
        "child_pack_num": packet[1],
        "cur_pack_no": packet[0],
        "tre_code": TRE_CODE,
        "begin_date": f"{month}01",
        "end_date": last,
        "all_num": len(rows),
        **sums,
    }
    key = VoucherKey(
        issuer=issuer,
        adm_div="420000",
        fiscal_year=2026,
        type_code=QUOTA_STATEMENT,
        number=number,
    )
    return Voucher(key=key, recipients=(TREASURY,), form=Form(fields, named))


def _answering(ours: Voucher, form: Form) -> Voucher:
    """Return a voucher that answers one of ours with a kind of its own."""
    kind = _REPLIES[ours.key.type_code]
    number = f"H{ours.key.number}"
    fields = {**form.fields, "vt_code": wire_code(kind), "voucher_no": number}
    if kind == BANK_CHECK_REPLY:
        fields["pay_bank_code"] = BANK_CODE
    key = replace(
        ours.key,
        issuer=BANK if kind == BANK_CHECK_REPLY else FINANCE,
        type_code=kind,
        number=number,
        issue=1,
    )
    return Voucher(key=key, recipients=(TREASURY,), form=Form(fields, form.rows))
