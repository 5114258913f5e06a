"""Notices of clearing quota (清算额度通知单): what follows from a plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy.orm import Session

from counterfoil.business import planning
from counterfoil.business.codes import PaymentWay
from counterfoil.finance.forms import made, next_number
from counterfoil.finance.kinds import AUTHORISED_QUOTA, DIRECT_QUOTA, Office
from counterfoil.finance.plans import Grant, Plan
from counterfoil.office import Form, Voucher
from counterfoil.office.vouchers import FieldValue

KINDS: Final = {
    PaymentWay.AUTHORISED: AUTHORISED_QUOTA,
    PaymentWay.DIRECT: DIRECT_QUOTA,
}
WAYS: Final = {kind: way for way, kind in KINDS.items()}


def by_notice(
    office: Office, grants: Sequence[Grant]
) -> list[tuple[tuple[str, PaymentWay], list[Grant]]]:
    """Return a plan's lines by bank and way of payment: each has a notice."""
    found: defaultdict[tuple[str, PaymentWay], list[Grant]] = defaultdict(list)
    for one in grants:
        found[office.units[one.unit].bank, one.way].append(one)
    return sorted(found.items(), key=lambda item: item[0])


def notice_of(
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
    return KINDS[way], Form(fields, tuple(rows))


def plan_notice(
    session: Session, office: Office, notice: tuple[int, Form], day: str
) -> Voucher:
    """Plan a notice, by its kind and form, under the next number."""
    kind, form = notice
    if kind == AUTHORISED_QUOTA:
        form = Form({**form.fields, "set_month": day[4:6]}, form.rows)
    number = next_number(session, kind, int(day[:4]))
    # The bank keeps account of its quota too, and states it (article 29 (3)).
    bank = office.banks[form.text("pay_bank_no")]
    voucher = replace(
        made(office, kind, number, day, form),
        recipients=(office.treasury, bank.party),
    )
    planning.plan(session, voucher, day)
    session.flush()  # the next notice's number counts this one
    return voucher
