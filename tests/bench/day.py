"""A whole day of a province in miniature: everything that runs, on one machine."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Final

from counterfoil.day.cli import live, plan_of
from counterfoil.day.cost import Cost
from counterfoil.day.plan import VOUCHERS_MIN
from counterfoil.day.screen import Screen
from tests.bench.figures import Figure

_MEBIBYTE: Final = 1024 * 1024
_PART: Final = 4
"""The day is compared with one of so many times fewer payments."""
_GROWTH_MIB: Final = 50
"""Between 5,000 and 20,000 payments: 12 of pages of the ledger, 11 of names, keys and
sums, and what the C library keeps of what was freed. From 25,000 on the busiest gateway
is full: there less would have to do."""


def day_figures(directory: Path, vouchers: int) -> Iterator[Figure]:
    """Live a day of so many payments, and one of a quarter; measure both.

    A payment is written, reviewed by two persons, sealed, delivered, accepted, paid,
    receipted and booked by all parties, noticed, cleared and stated. Vouchers are all
    that are issued for that: applications, orders, notices, what is cleared and stated.

    That time grows linearly, and memory does not grow, is the whole day against the
    quarter: what a payment costs, and what the program that grew most holds more. What
    a gateway keeps has bounds that a quarter does not reach yet; `_GROWTH_MIB` is what
    they leave to be filled (docs/adr/0017, "What a gateway holds").
    """
    quarter = _lived(directory / "quarter", max(VOUCHERS_MIN, vouchers // _PART))
    whole = _lived(directory / "whole", vouchers)
    yield Figure(name="day.payments", value=whole.payments, unit="payments")
    yield Figure(name="day.payments.quarter", value=quarter.payments, unit="payments")
    yield Figure(name="day.payments.rate", value=whole.rate, unit="payments/s")
    yield Figure(name="day.rate", value=whole.rate_of_all, unit="vouchers/s", goal=400)
    yield from _of_programs(whole)
    for stage in whole.stages:
        yield Figure(
            name=f"day.cpu.stage.{stage.replace(' ', '_')}",
            value=whole.cpu_us(stage=stage),
            unit="µs/payment",
        )
    yield Figure(
        name="day.cpu.of_quarter",
        value=100 * whole.cpu_us() / quarter.cpu_us(),
        unit="%",
        goal=105,
        at_most=True,
    )
    yield Figure(
        name="day.memory.growth",
        value=max(
            whole.peak_bytes[program] - quarter.peak_bytes[program]
            for program in whole.peak_bytes
        )
        / _MEBIBYTE,
        unit="MiB",
        goal=_GROWTH_MIB,
        at_most=True,
    )


def _lived(directory: Path, vouchers: int) -> Cost:
    _, cost = live(directory, plan_of(vouchers, None, 0, 1), Screen(StringIO()))
    return cost


def _of_programs(cost: Cost) -> Iterator[Figure]:
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
