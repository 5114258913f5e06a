"""What units may spend: plans are entered, and taken back.

Every plan is told to the treasury as clearing quota, in the same transaction.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.finance import allotments
from counterfoil.finance.allotments import AllotmentKey
from counterfoil.finance.kinds import Office
from counterfoil.finance.plans import Grant, Plan
from counterfoil.finance.quotas import WAYS, by_notice, notice_of, plan_notice
from counterfoil.finance.tables import Allotment
from counterfoil.office import Voucher


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
        notice_of(office, plan, whose, granted)
        for whose, granted in by_notice(office, plan.grants)
    ]
    return [plan_notice(session, office, one, day) for one in notices]


def reversal_of(session: Session, office: Office, notice: Voucher) -> Plan:
    """Return the plan that takes a quota notice of ours back, and names it.

    The error is ours, so the correcting voucher is: what was wrong stays as it is.

    Source: Hubei measures, article 34.

    Raises:
        ValueError: It is no quota notice.
    """
    way = WAYS.get(notice.key.type_code)
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
    allotments.forget(session)
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
