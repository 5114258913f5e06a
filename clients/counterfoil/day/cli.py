"""The command `counterfoil-day`: one business day of a province in miniature."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from counterfoil.business.days import CHINA
from counterfoil.day import report
from counterfoil.day.cast import GATEWAYS, Institution
from counterfoil.day.cost import Cost
from counterfoil.day.evidence import show_refused
from counterfoil.day.faults import FAULTS
from counterfoil.day.final_check import balance, carried, findings
from counterfoil.day.living import Day
from counterfoil.day.opening import prepare
from counterfoil.day.plan import (
    FILES_MAX,
    FILES_MIN,
    VOUCHERS_MIN,
    Plan,
    last_month_end,
)
from counterfoil.day.programme import phases
from counterfoil.day.programs import DayFailed
from counterfoil.day.screen import Screen
from counterfoil.day.stage import Stage

DONE: Final = 0
DIFFERS: Final = 1
_VOUCHERS: Final = 2_000
_BROKEN: Final = 12
_PATIENCE_S: Final = 120.0
_PATIENCE_PER_VOUCHER_S: Final = 0.5
_TWIN: Final = "COUNTERFOIL_DAY_"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the day.

    Returns:
        Exit status: 0 if every number of every party agrees, else 1.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        plan = plan_of(options.vouchers, options.files, options.broken, options.seed)
    except ValueError as error:
        parser.error(str(error))
    directory = options.directory or Path(tempfile.mkdtemp(prefix="counterfoil-day-"))
    screen = Screen(sys.stdout)
    try:
        stage, _ = live(directory.resolve(), plan, screen)
    except DayFailed as failure:
        screen.say(f"THE DAY FAILED: {failure}")
        return DIFFERS
    status = conclude(stage, options.plant, screen)
    screen.say(f"everything is in {directory}")
    return status


def plan_of(vouchers: int, files: int | None, broken: int, seed: int) -> Plan:
    """Return how much is to happen.

    Args:
        vouchers: Payments in all.
        files: How many of them are national files; None for the half, up to a limit.
        broken: Broken files on top.
        seed: Fixes every byte.

    Raises:
        ValueError: It leaves nothing for some flow.
    """
    if vouchers < VOUCHERS_MIN:
        msg = f"at least {VOUCHERS_MIN} vouchers are needed"
        raise ValueError(msg)
    if files is None:
        files = min(FILES_MAX, vouchers // 2)
    if not FILES_MIN <= files <= vouchers - VOUCHERS_MIN // 2:
        msg = (
            f"of {vouchers} vouchers at least {FILES_MIN} and at most "
            f"{vouchers - VOUCHERS_MIN // 2} can be files"
        )
        raise ValueError(msg)
    today = datetime.now(UTC).astimezone(CHINA).date()
    return Plan(
        vouchers=vouchers,
        files=files,
        broken=broken,
        seed=seed,
        day=last_month_end(today),
    )


def live(directory: Path, plan: Plan, screen: Screen) -> tuple[Stage, Cost]:
    """Live a day and show what came of it; return where it stands, and its cost.

    Raises:
        DayFailed: A program failed, or what was waited for did not come.
    """
    stage, material = prepare(directory, plan, screen)
    day = Day(
        stage=stage,
        phases=phases(plan, material),
        screen=screen,
        patience_s=_PATIENCE_S + plan.vouchers * _PATIENCE_PER_VOUCHER_S,
    )
    day.live()
    show_refused(stage, material, screen)
    told = carried(stage)
    report.show_carried(screen, told)
    report.show_balance(screen, balance(stage))
    cost = Cost(
        payments=plan.vouchers,
        vouchers=report.vouchers_in(told),
        seconds=day.seconds,
        cpu_s=day.meter.cpu_s,
        peak_bytes=day.meter.peak_bytes,
    )
    report.show_cost(screen, cost)
    return stage, cost


def conclude(
    stage: Stage,
    plant: str | None,
    screen: Screen,
    vaults: Sequence[Institution] = GATEWAYS,
) -> int:
    """Plant a fault, if one is wanted, and check the day that is over.

    Args:
        stage: Where the day stands.
        plant: Name of the fault; None for none.
        screen: Where findings are told.
        vaults: Whose vaults are verified.

    Returns:
        Exit status: 0 if every number of every party agrees, else 1.
    """
    if plant is not None:
        FAULTS[plant](stage)
        screen.say(f"planted a fault: {plant}")
    screen.say("verifying all vaults and comparing all books")
    found = list(findings(stage, vaults))
    for finding in found:
        screen.say(f"DIFFERS: {finding}")
    screen.say(
        f"{len(found)} findings"
        if found
        else "every vault is whole and every number agrees"
    )
    return DIFFERS if found else DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="counterfoil-day",
        description="A finance department, the treasury, two agent banks and two "
        "budget units live through one business day on this machine, every gateway "
        "and every business system a process of its own; at the end every number "
        "must agree.",
    )
    options: tuple[tuple[str, Callable[[str], object], str | None, str], ...] = (
        ("vouchers", int, str(_VOUCHERS), "payments in all, 100000 say"),
        ("files", int, None, "how many of them are national files; default the half"),
        ("broken", int, str(_BROKEN), "broken files on top, the kinds in turn"),
        ("seed", int, "1", "the same seed gives the same day"),
        ("directory", Path, None, "work directory, empty; default a fresh one"),
    )
    for name, kind, default, what in options:
        twin = f"{_TWIN}{name.upper()}"
        parser.add_argument(
            f"--{name}",
            type=kind,
            default=os.environ.get(twin, default),
            help=f"{what} [{twin}]",
        )
    parser.add_argument(
        "--plant",
        choices=sorted(FAULTS),
        default=os.environ.get(f"{_TWIN}PLANT"),
        help="plant this fault before the final check, which must find it "
        f"[{_TWIN}PLANT]",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
