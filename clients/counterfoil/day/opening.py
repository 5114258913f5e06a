"""What has to be there before the day begins: files, keys, configurations, vaults."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from counterfoil.day import material
from counterfoil.day.cast import GATEWAYS, PARTIES, Institution
from counterfoil.day.material import Material
from counterfoil.day.plan import Plan
from counterfoil.day.programs import DAEMON, DayFailed, run
from counterfoil.day.screen import Screen
from counterfoil.day.stage import Stage, build
from counterfoil.day.systems import write_systems

_INIT_S: Final = 300.0


def prepare(directory: Path, plan: Plan, screen: Screen) -> tuple[Stage, Material]:
    """Make everything that a day needs in an empty directory.

    Raises:
        DayFailed: A gateway's stores could not be made.
    """
    directory.mkdir(parents=True, exist_ok=True)
    stage = build(directory, datetime.now(UTC))
    made = material.write(stage, plan)
    material.write_orders(stage, plan.day.year)
    stage.settle_by(plan.settled)
    stage.working_days.write_text(f"years = {sorted(plan.calendar.known)}\n")
    write_systems(stage, made, plan.seed)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda one: _initialise(stage, one), GATEWAYS))
    screen.say(
        f"{len(PARTIES)} institutions with {len(GATEWAYS)} gateways in {directory}; "
        f"{plan.vouchers:,} payments, {plan.files:,} of them as files, and "
        f"{plan.broken} broken files on top"
    )
    return stage, made


def _initialise(stage: Stage, one: Institution) -> None:
    status, _, errors = run(
        [*DAEMON, "init", "--config", str(stage.gateway(one.code))],
        stage.directory,
        _INIT_S,
    )
    if status != 0:
        raise DayFailed(f"init of {one.code} ended with {status}:\n{errors}")
