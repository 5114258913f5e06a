"""Entering allotments (用款计划) and their clearing quotas, from a file or a command.

number = "YK2026-001"

[[allotment]]
unit = "101001"
function = "2050202"
function_name = "小学教育"
way = "11"                  # 11 direct, 12 authorised
amount = "12000.00"         # yuan; less than zero takes back
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business import outbox
from counterfoil.business.codes import PaymentWay
from counterfoil.business.money import to_fen
from counterfoil.finance import allotments
from counterfoil.finance.allotments import AllotmentKey
from counterfoil.finance.forms import made, next_number
from counterfoil.finance.kinds import AUTHORISED_QUOTA, DIRECT_QUOTA, Office
from counterfoil.finance.tables import Allotment
from counterfoil.office import Form, Voucher
from counterfoil.office.vouchers import FieldValue

_KINDS: Final = {
    PaymentWay.AUTHORISED: AUTHORISED_QUOTA,
    PaymentWay.DIRECT: DIRECT_QUOTA,
}
_WAYS: Final = {kind: way for way, kind in _KINDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One line of a plan.

    Attributes:
        unit: The unit, by its code.
        function: Function (支出功能分类科目).
        function_name: What it is called; empty if nobody says.
        way: Way of payment.
        amount_fen: What the unit may spend; less than zero takes back.
    """

    unit: str
    function: str
    function_name: str = ""
    way: PaymentWay
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of allotments.

    Attributes:
        number: Its number; a plan is entered once.
        grants: Its lines.
        corrects: Number of the quota notice that it takes back; empty if of none.
    """

    number: str
    grants: Sequence[Grant]
    corrects: str = ""


def read_plan(path: Path) -> Plan:
    """Return the plan that a file is.

    Raises:
        OSError: The file cannot be read.
        ValueError: It does not say what such a file says.
    """
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        return Plan(tables["number"], [_grant(one) for one in tables["allotment"]])
    except KeyError as error:
        msg = f"{path.name}: {error.args[0]} is missing"
        raise ValueError(msg) from error


def is_entered(session: Session, number: str) -> bool:
    """Tell whether a plan was entered."""
    known = select(Allotment.id).where(Allotment.plan == number)
    return session.scalar(known.limit(1)) is not None


def enter(session: Session, office: Office, plan: Plan, day: str) -> list[Voucher]:
    """Write down a plan, and plan the quota notices (5106, 5108) that follow from it.

    There is one notice for each bank and way of payment: the quota is a bank's own.

    Source: Hubei measures, article 27 (1) 1.

    Args:
        session: One transaction.
        office: Who we are.
        plan: The plan.
        day: Today in China, `yyyymmdd`, which gives the fiscal year.

    Returns:
        The notices.

    Raises:
        ValueError: The plan was entered before, names a unit that is not ours, takes
            back more than is left, or comes to nothing for a bank: a notice of
            nothing is none.
    """
    if is_entered(session, plan.number):
        msg = f"用款计划{plan.number}已录入"
        raise ValueError(msg)
    for one in plan.grants:
        if one.unit not in office.units:
            msg = f"预算单位{one.unit}未登记"
            raise ValueError(msg)
        _grant_allotment(session, office, plan.number, one, day)
    notices = [
        _notice(office, plan, whose, granted)
        for whose, granted in _by_notice(office, plan.grants)
    ]
    return [_planned(session, office, one, day) for one in notices]


def reversal_of(session: Session, office: Office, notice: Voucher) -> Plan:
    """Return the plan that takes a quota notice of ours back, and names it.

    The error is ours, so the correcting voucher is: what was wrong stays as it is.

    Source: Hubei measures, article 34.

    Raises:
        ValueError: It is no quota notice.
    """
    way = _WAYS.get(notice.key.type_code)
    if way is None:
        msg = f"{notice.key}不是额度通知单"
        raise ValueError(msg)
    granted = session.scalars(
        select(Allotment).where(
            Allotment.plan == notice.form.text("hold1"), Allotment.way == way.value
        )
    )
    grants = [
        Grant(unit=one.unit, function=one.function, way=way, amount_fen=-one.amount_fen)
        for one in granted
        if office.units[one.unit].bank == notice.form.text("pay_bank_no")
    ]
    number = notice.key.number
    return Plan(f"GZ{number}", grants, corrects=number)


def _grant_allotment(
    session: Session, office: Office, number: str, one: Grant, day: str
) -> None:
    key = AllotmentKey(
        fiscal_year=int(day[:4]),
        top=office.units[one.unit].top,
        unit=one.unit,
        function=one.function,
        way=one.way,
    )
    # What takes back is a use of what is left: the same rule holds.
    if one.amount_fen < 0:
        for short in allotments.shortages(session, {key: -one.amount_fen}):
            raise ValueError(short)
    session.add(
        Allotment(
            plan=number,
            fiscal_year=key.fiscal_year,
            unit=one.unit,
            top=key.top,
            function=one.function,
            way=one.way.value,
            amount_fen=one.amount_fen,
            day=day,
        )
    )
    session.flush()  # the next line is judged by this one


def _grant(table: Mapping[str, Any]) -> Grant:
    return Grant(
        unit=table["unit"],
        function=table["function"],
        function_name=table.get("function_name", ""),
        way=PaymentWay(table["way"]),
        amount_fen=to_fen(table["amount"]),
    )


def _by_notice(
    office: Office, grants: Sequence[Grant]
) -> list[tuple[tuple[str, PaymentWay], list[Grant]]]:
    found: defaultdict[tuple[str, PaymentWay], list[Grant]] = defaultdict(list)
    for one in grants:
        found[office.units[one.unit].bank, one.way].append(one)
    return sorted(found.items(), key=lambda item: item[0])


def _notice(
    office: Office, plan: Plan, whose: tuple[str, PaymentWay], grants: Sequence[Grant]
) -> tuple[int, Form]:
    """Return kind and form of the quota notice of one bank and way of payment."""
    bank_no, way = whose
    authorised = way is PaymentWay.AUTHORISED
    amount = "plan_amt_fen" if authorised else "pay_amt_fen"
    total = sum(one.amount_fen for one in grants)
    if not total:
        msg = f"银行{bank_no}{way.chinese}的用款计划合计为零，应分开录入"
        raise ValueError(msg)
    rows: list[dict[str, FieldValue]] = []
    for place, one in enumerate(grants, start=1):
        row: dict[str, FieldValue] = {
            "sup_dep_code": office.units[one.unit].top,
            "exp_func_code": one.function,
            amount: one.amount_fen,
        }
        if one.function_name:
            row["exp_func_name"] = one.function_name
        if authorised:
            row["id"] = str(place)
        rows.append(row)
    fields: dict[str, FieldValue] = {
        "pay_bank_no": bank_no,
        "pay_bank_code": office.banks[bank_no].code,
        amount: total,
        "hold1": plan.corrects or plan.number,
    }
    return _KINDS[way], Form(fields, tuple(rows))


def _planned(
    session: Session, office: Office, notice: tuple[int, Form], day: str
) -> Voucher:
    kind, form = notice
    if kind == AUTHORISED_QUOTA:
        form = Form({**form.fields, "set_month": day[4:6]}, form.rows)
    number = next_number(session, kind, int(day[:4]))
    voucher = made(office, kind, number, day, form)
    outbox.plan(session, voucher, day)
    session.flush()  # the next notice's number counts this one
    return voucher
