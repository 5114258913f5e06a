"""A whole day of a province in miniature: everything that runs, on one machine."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from counterfoil.day.cli import live, plan_of
from counterfoil.day.screen import Screen
from tests.bench.figures import Figure

_MEBIBYTE = 1024 * 1024


def day_figures(directory: Path, vouchers: int) -> Iterator[Figure]:
    """Live a day of so many payments; measure rate, CPU and memory.

    A payment is written, reviewed by two persons, sealed, delivered, accepted, paid,
    receipted and booked by all parties, noticed, cleared and stated.
    """
    plan = plan_of(vouchers, None, 0, 1)
    _, cost = live(directory, plan, Screen(StringIO()))
    yield Figure(name="day.rate", value=cost.rate, unit="payments/s", goal=400)
    yield Figure(name="day.rate.all", value=cost.rate_of_all, unit="vouchers/s")
    for program, peak_bytes in cost.peak_bytes.items():
        name = program.replace(" ", ".")
        yield Figure(
            name=f"day.cpu.{name}", value=cost.cpu_us(program), unit="µs/payment"
        )
        yield Figure(
            name=f"day.memory.{name}",
            value=peak_bytes / _MEBIBYTE,
            unit="MiB",
            goal=400,
            at_most=True,
        )
    for stage in cost.stages:
        used_us = sum(cost.cpu_us(program, stage) for program in cost.peak_bytes)
        yield Figure(
            name=f"day.cpu.stage.{stage.replace(' ', '_')}",
            value=used_us,
            unit="µs/payment",
        )
