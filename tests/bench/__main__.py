"""`python -m tests.bench`: run the benchmarks, print a table, write `bench.json`.

--quick       a tenth of the vouchers: to see that it runs
--filled N    also with N vouchers in both vaults, 1000000 say; takes N / 100 seconds
              at worst
--day N       a whole day of N payments, and one of a quarter; by default of 20000,
              or of 200 with --quick
--sm2         also with institutions that seal with SM2, which needs its library
--out FILE    where the list goes, `bench.json` by default
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from tests.bench.crypto import crypto_limit, sm2_limit
from tests.bench.day import day_figures
from tests.bench.exchange import Pair, Run, process_bytes
from tests.bench.figures import Figure, write_figures
from tests.bench.national import national_figures

_MEBIBYTE = 1024 * 1024
_DAY = 20_000
_DAY_QUICK = 200
_FILL = 20_000
"""Vouchers made at a time: the load must not hold a million drafts."""


def main() -> int:
    """Run and report; exit status 0 also when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--filled", type=int, default=0)
    parser.add_argument("--day", type=int, default=None)
    parser.add_argument("--sm2", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    options = parser.parse_args()
    # On a disk, never on tmpfs: what is measured is durable.
    directory = Path(tempfile.mkdtemp(prefix="bench-", dir=Path.cwd()))
    figures: list[Figure] = []
    try:
        divisor = 10 if options.quick else 1
        day = options.day or (_DAY_QUICK if options.quick else _DAY)
        measured: Iterator[Figure] = _measure(directory, divisor, options.filled)
        if options.sm2:
            measured = chain(measured, _with_sm2(directory, divisor))
        for figure in chain(measured, day_figures(directory / "day", day)):
            sys.stdout.write(figure.to_line() + "\n")
            sys.stdout.flush()
            figures.append(figure)
    finally:
        shutil.rmtree(directory)
    write_figures(figures, options.out)
    return 0


def _measure(directory: Path, divisor: int, filled: int) -> Iterator[Figure]:
    limit, cpu_us = crypto_limit()
    yield Figure(name="crypto.limit", value=limit, unit="vouchers/s")
    yield Figure(name="crypto.limit.cpu", value=cpu_us, unit="µs/voucher")
    if (sm2 := sm2_limit()) is not None:
        yield Figure(name="crypto.limit.sm2", value=sm2[0], unit="vouchers/s")
        yield Figure(name="crypto.limit.sm2.cpu", value=sm2[1], unit="µs/voucher")
    yield from national_figures()
    pair = Pair.start(directory / "single")
    try:
        asyncio.run(pair.notices(0, 1024))
        single = asyncio.run(pair.notices(10_000, 40_000 // divisor))
        yield from _rates("seal.single", single, 4500)
        yield Figure(
            name="seal.single.of_crypto_limit",
            value=100 * single.rate / limit,
            unit="%",
            goal=40,
        )
        yield Figure(
            name="vault.growth",
            value=single.growth_bytes,
            unit="B/voucher",
            goal=3584,
            at_most=True,
        )
        seconds = asyncio.run(pair.latencies(500_000, 500 // divisor))
        yield from _latency(seconds)
        asyncio.run(pair.payments(0, 512, 4))
        yield from _rates(
            "seal.reviewed",
            asyncio.run(pair.payments(10_000, 12_000 // divisor, 4)),
            2000,
        )
        yield from _rates(
            "rows.500", asyncio.run(pair.payments(900_000, 1_000 // divisor, 500)), 250
        )
        yield from _filled(pair, "seal.single", single, filled, 80)
        yield from _memory(pair)
    finally:
        pair.stop()
    pair = Pair.start(directory / "batch", batch_seals=True)
    try:
        asyncio.run(pair.notices(0, 1024))
        run = asyncio.run(pair.notices(10_000, 60_000 // divisor))
        yield from _rates("seal.batch", run, 9000)
        yield from _filled(pair, "seal.batch", run, filled, 60)
    finally:
        pair.stop()


def _with_sm2(directory: Path, divisor: int) -> Iterator[Figure]:
    """Each for itself and in batches, as above, by two institutions of SM2."""
    for name, in_batches in (("single", False), ("batch", True)):
        pair = Pair.start(directory / f"sm2-{name}", batch_seals=in_batches, sm2=True)
        try:
            asyncio.run(pair.notices(0, 1024))
            run = asyncio.run(pair.notices(10_000, 20_000 // divisor))
            yield from _rates(f"seal.sm2.{name}", run, None)
        finally:
            pair.stop()


def _rates(name: str, run: Run, goal: float | None) -> Iterator[Figure]:
    yield Figure(name=f"{name}.rate", value=run.rate, unit="vouchers/s", goal=goal)
    for process, microseconds in run.cpu_us.items():
        yield Figure(
            name=f"{name}.cpu.{process.replace(' ', '_')}",
            value=microseconds,
            unit="µs/voucher",
        )


def _filled(
    pair: Pair, name: str, empty: Run, filled: int, goal: float
) -> Iterator[Figure]:
    """Fill both vaults through the product, then measure what `empty` was again."""
    if not filled:
        return
    for first in range(0, filled, _FILL):
        asyncio.run(pair.notices(10_000_000 + first, min(_FILL, filled - first)))
    run = asyncio.run(pair.notices(5_000_000, empty.vouchers))
    yield from _rates(f"{name}.filled", run, None)
    yield Figure(
        name=f"{name}.filled.of_empty",
        value=100 * run.rate / empty.rate,
        unit="%",
        goal=goal,
    )


def _latency(seconds: list[float]) -> Iterator[Figure]:
    ordered = sorted(seconds)
    yield Figure(
        name="latency.single.p50",
        value=statistics.median(ordered) * 1e3,
        unit="ms",
        goal=10,
        at_most=True,
    )
    yield Figure(
        name="latency.single.p99",
        value=ordered[int(len(ordered) * 0.99) - 1] * 1e3,
        unit="ms",
        goal=30,
        at_most=True,
    )


def _memory(pair: Pair) -> Iterator[Figure]:
    """The gateway's own memory; pages of the vault's file are the system's to drop."""
    for party, process in pair.gateways.items():
        yield Figure(
            name=f"memory.{party}",
            value=process_bytes(process.pid, "RssAnon") / _MEBIBYTE,
            unit="MiB",
            goal=400,
            at_most=True,
        )
        yield Figure(
            name=f"memory.{party}.with_mapped_vault",
            value=process_bytes(process.pid, "VmHWM") / _MEBIBYTE,
            unit="MiB",
        )


if __name__ == "__main__":
    sys.exit(main())
