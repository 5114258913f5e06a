"""This day's phases, in order: the flows of articles 25 to 29, and what goes wrong."""

from __future__ import annotations

from typing import Final

from counterfoil.business.days import written
from counterfoil.day import counter, lines
from counterfoil.day.cast import (
    ABC,
    BANKS,
    FINANCE,
    PARTIES,
    PAYERS,
    SPECIAL_BANK,
    TREASURY,
    UNITS,
    Institution,
)
from counterfoil.day.material import (
    ALLOTMENTS,
    APPROPRIATIONS,
    SPECIAL_PAYMENTS,
    Material,
)
from counterfoil.day.phases import Command, Expected, Kill, Late, Phase, Start
from counterfoil.day.plan import Plan

FORGETFUL: Final = ABC
"""The bank that states its month only after the deadline."""


def phases(plan: Plan, material: Material) -> tuple[Phase, ...]:
    """Return what happens in a day."""
    return (
        _quota(plan),
        _income(plan),
        _payments(plan, material),
        _counter_orders(plan),
        _counter_papers(plan),
        _appropriations(plan),
        _special_account(plan),
        _refunds(plan),
        _clearing(plan),
        _lists(plan),
        _day_end(plan),
        _month_end(plan),
        _overdue(plan),
        _late_statements(plan),
        _recomputing(plan),
    )


def _quota(plan: Plan) -> Phase:
    return Phase(
        name="quota",
        source="article 27 (1)",
        day=plan.day,
        commands=tuple(
            Command(one, ("allot", "--plan", f"../../{ALLOTMENTS}"))
            for one in (FINANCE, *UNITS)
        ),
        starts=tuple(Start(one) for one in (TREASURY, FINANCE, *BANKS)),
        lines=(lines.QUOTA,),
    )


def _income(plan: Plan) -> Phase:
    income = ("income", "--seed", f"{plan.seed}", "--count", f"{plan.incomes}")
    return Phase(
        name="income",
        source="article 25",
        day=plan.day,
        commands=(Command(TREASURY, income),),
        expected=(Expected(TREASURY, ("incomes",), plan.incomes),),
    )


def _payments(plan: Plan, material: Material) -> Phase:
    files = ["--folder", "../../files", "--corrections", "../../corrections"]
    files += [f"--{wish}={material.numbers[wish]}" for wish in ("discard", "correct")]
    return Phase(
        name="payments",
        source="article 27 (2) and (3)",
        day=plan.day,
        starts=(
            Start(FINANCE, tuple(files)),
            *(Start(unit, _requests(plan, unit)) for unit in UNITS),
        ),
        kill=Kill(whose=ABC, teller=FINANCE, what="sent", count=plan.files // 2),
        expected=tuple(
            Expected(unit, ("applications", "payments"), plan.of_unit) for unit in UNITS
        ),
        lines=(lines.DIRECT, lines.DIRECT_COUNT, *lines.AUTHORISED),
    )


def _requests(plan: Plan, unit: Institution) -> tuple[str, ...]:
    seed = plan.seed * len(UNITS) + UNITS.index(unit)
    return ("--seed", f"{seed}", "--payments", f"{plan.of_unit}")


def _counter_orders(plan: Plan) -> Phase:
    """Order payments at the counter: the bank has the vouchers, and waits."""
    return Phase(
        name="counter orders",
        source="article 27 (3)",
        day=plan.day,
        commands=tuple(
            Command(unit, counter.order(place))
            for unit in UNITS
            for place in range(counter.ORDERS)
        ),
    )


def _counter_papers(plan: Plan) -> Phase:
    """Hand in the papers, a wrong one too; one order is asked back instead."""
    return Phase(
        name="counter papers",
        source="article 27 (3)",
        day=plan.day,
        looked_up=counter.papers,
        lines=lines.AUTHORISED,
    )


def _appropriations(plan: Plan) -> Phase:
    return Phase(
        name="appropriation",
        source="article 26",
        day=plan.day,
        commands=tuple(
            Command(FINANCE, ("appropriate", "--order", f"../../{file}"))
            for file in APPROPRIATIONS
        ),
        expected=(Expected(FINANCE, ("appropriated",), len(APPROPRIATIONS)),),
        lines=(lines.APPROPRIATED,),
    )


def _special_account(plan: Plan) -> Phase:
    return Phase(
        name="special account",
        source="article 28",
        day=plan.day,
        starts=(Start(SPECIAL_BANK),),
        commands=tuple(
            Command(FINANCE, ("special", "--order", f"../../{file}"))
            for file in SPECIAL_PAYMENTS
        ),
        expected=(Expected(FINANCE, ("special",), len(SPECIAL_PAYMENTS)),),
        lines=lines.OF_SPECIAL,
    )


def _refunds(plan: Plan) -> Phase:
    count = ("--refunds", f"{plan.refunds}", "--seed", f"{plan.seed}")
    return Phase(
        name="refunds",
        source="article 27 (5)",
        day=plan.day,
        commands=tuple(Command(bank, ("simulate", *count)) for bank in BANKS),
    )


def _clearing(plan: Plan) -> Phase:
    return Phase(
        name="clearing",
        source="article 27 (4) and (5)",
        day=plan.day,
        commands=tuple(Command(bank, ("clear",)) for bank in BANKS),
        lines=(lines.CLEARED, lines.REFUNDED, lines.QUOTA, lines.EXPENDITURE),
    )


def _lists(plan: Plan) -> Phase:
    return Phase(
        name="lists",
        source="articles 26 (3), 27 (4) 5 and 27 (5) 6",
        day=plan.day,
        commands=(Command(FINANCE, ("lists", "--day", written(plan.day))),),
    )


def _day_end(plan: Plan) -> Phase:
    return Phase(
        name="day end",
        source="articles 21 and 25 (1)",
        day=plan.day,
        commands=(
            Command(TREASURY, ("report", "--day", written(plan.day))),
            Command(TREASURY, ("statements", "--day", written(plan.day))),
        ),
        lines=lines.LINES,
        late=(),
    )


def _month_end(plan: Plan) -> Phase:
    return Phase(
        name="month end",
        source="article 29",
        day=plan.morning,
        starts=tuple(Start(one) for one in PARTIES),
        commands=tuple(
            Command(one, ("statements", "--month", written(plan.day)[:6]))
            for one in (TREASURY, FINANCE, *BANKS)
            if one is not FORGETFUL
        ),
        lines=lines.LINES,
        late=(),
    )


def _overdue(plan: Plan) -> Phase:
    """One bank has stated nothing in time: it and all who wait for it tell so."""
    return Phase(
        name="overdue",
        source="article 29 (3) and (4)",
        day=plan.overdue,
        starts=tuple(Start(one) for one in PARTIES),
        late=(
            Late(FORGETFUL, ("对账单ED", "未按期发送")),
            *(
                Late(FORGETFUL, ("对账单DZ", unit.short, "未按期发送"))
                for unit in UNITS
                if unit.bank == FORGETFUL.code
            ),
            Late(TREASURY, (FORGETFUL.code, "尚未收到")),
            *(
                Late(unit, (FORGETFUL.code, "尚未收到"))
                for unit in UNITS
                if unit.bank == FORGETFUL.code
            ),
        ),
    )


def _late_statements(plan: Plan) -> Phase:
    """The bank makes up for it; nobody tells anything more."""
    return Phase(
        name="late statements",
        source="article 29 (3) and (4)",
        day=plan.overdue,
        commands=(
            Command(FORGETFUL, ("statements", "--month", written(plan.day)[:6])),
        ),
        lines=lines.LINES,
        late=(),
    )


def _recomputing(plan: Plan) -> Phase:
    """Have every system compute its books again from its gateway's vault."""
    return Phase(
        name="recomputing",
        source="article 21",
        day=plan.overdue,
        commands=tuple(
            Command(one, ("books", "--recompute"))
            for one in (TREASURY, FINANCE, *PAYERS)
        ),
    )
