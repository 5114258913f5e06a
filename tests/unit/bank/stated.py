"""Statements and checks that others send to the bank."""

from __future__ import annotations

from counterfoil.bank.kinds import AGENCY_STATEMENT, CHECK, TREASURY_STATEMENT
from counterfoil.business.codes import wire_code
from counterfoil.office import Form, Voucher, VoucherKey
from counterfoil.office.vouchers import FieldValue
from tests.unit.bank.papers import BANK, FINANCE, FINANCE_ACCOUNT, OFFICE, TREASURY

Fields = dict[str, FieldValue]
Stated = tuple[int, str, int, str]
"""Kind, number, amount in fen and day of a row."""


def agency_statement(
    number: str,
    stated: tuple[Stated, ...],
    *,
    account: str = FINANCE_ACCOUNT,
    packet: tuple[int, int] = (1, 1),
    check_number: str = "",
) -> Voucher:
    """Return a statement of finance (5521) for March, or one packet of it."""
    rows: tuple[Fields, ...] = tuple(
        {
            "id": str(place),
            "e_voucher_type": str(kind),
            "voucher_no": one,
            "pay_amt_fen": fen,
            "pay_date": day,
        }
        for place, (kind, one, fen, day) in enumerate(stated, start=1)
    )
    fields: Fields = {
        "voucher_check_no": check_number or number,
        "cur_pack_no": packet[0],
        "child_pack_num": packet[1],
        "fin_org_code": OFFICE.finance.code,
        "acct_no": account,
        "begin_date": "20260301",
        "end_date": "20260331",
        "all_num": len(rows),
        "all_amt_fen": sum(fen for _, _, fen, _ in stated),
    }
    return _voucher(AGENCY_STATEMENT, number, FINANCE, fields, rows)


def treasury_statement(
    number: str, stated: tuple[tuple[int, str, int, int], ...]
) -> Voucher:
    """Return a statement of the treasury (4005) for March: kind, way, number, fen."""
    rows: tuple[Fields, ...] = tuple(
        {
            "e_voucher_type": str(kind),
            **({"pay_type_code": way} if way else {}),
            "all_num": count,
            "all_amt_fen": fen,
        }
        for kind, way, count, fen in stated
    )
    fields: Fields = {
        "id": number,
        "tre_code": OFFICE.treasury.code,
        "check_date": "20260331",
    }
    return _voucher(TREASURY_STATEMENT, number, TREASURY, fields, rows)


def check(
    number: str, kind: int, stated: tuple[tuple[str, int], ...], day: str
) -> Voucher:
    """Return a daily check of the treasury (3502) for one kind."""
    rows: tuple[Fields, ...] = tuple(
        {"id": str(place), "voucher_no": one, "amt_fen": fen, "pro_state": "0"}
        for place, (one, fen) in enumerate(stated, start=1)
    )
    fields: Fields = {
        "tre_code": OFFICE.treasury.code,
        "check_date": day,
        "e_voucher_type": str(kind),
        "all_num": len(rows),
        "all_amt_fen": sum(fen for _, fen in stated),
    }
    return _voucher(CHECK, number, TREASURY, fields, rows)


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
        "vt_code": wire_code(type_code),
        "vou_date": "20260401",
        "voucher_no": number,
    }
    return Voucher(key=key, recipients=(BANK,), form=Form(head | fields, rows))
