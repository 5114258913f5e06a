"""What a payment voucher pays, row by row: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from counterfoil.office import Form

TOP_LEVEL: Final = 3
"""Digits of an agency code that name the top-level unit (一级预算单位)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of a payment voucher, whichever kind it is.

    Attributes:
        row_id: Its id (明细编号).
        account: Payee's account.
        agency: Unit whose money it is (基层预算单位).
        agency_name: Its name.
        unit: Top-level unit (一级预算单位), whose quota clears it.
        unit_name: Its name.
        function: Function (支出功能分类科目).
        function_name: Its name.
        fund: Nature of the funds (资金性质).
        amount_fen: Amount.
    """

    row_id: str
    account: str
    agency: str
    agency_name: str
    unit: str
    unit_name: str
    function: str
    function_name: str
    fund: str
    amount_fen: int


def lines_of(form: Form) -> list[Line]:
    """Return the rows; what a row leaves open stands in the main part.

    Neither 5201 nor 8202 has to name the top-level unit: then it is told by the first
    three digits of the agency's code.
    """
    return [_line(form, Form(row)) for row in form.rows]


def by_quota(lines: Iterable[Line]) -> dict[tuple[str, str], list[Line]]:
    """Return the lines by top-level unit and function: what quota is kept by."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.unit, line.function), []).append(line)
    return groups


def by_agency(lines: Iterable[Line]) -> dict[str, list[Line]]:
    """Return the lines by the unit whose money it is."""
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.agency, []).append(line)
    return groups


def _line(form: Form, row: Form) -> Line:
    def text(name: str) -> str:
        return row.text(name) or form.text(name)

    agency = text("agency_code")
    return Line(
        row_id=row.text("id"),
        account=text("payee_acct_no"),
        agency=agency,
        agency_name=text("agency_name"),
        unit=text("sup_dep_code") or agency[:TOP_LEVEL],
        unit_name=text("sup_dep_name"),
        function=text("exp_func_code"),
        function_name=text("exp_func_name"),
        fund=text("fund_type_code"),
        amount_fen=row.fen("pay_amt_fen"),
    )
