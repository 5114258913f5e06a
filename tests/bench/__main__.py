"""`python -m tests.bench`: run the benchmarks, print a table, write `bench.json`.

--quick       a tenth of the vouchers: to see that it runs
--million     also with 10^6 vouchers in the vault; takes minutes
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
from pathlib import Path

from tests.bench.crypto import crypto_limit
from tests.bench.exchange import Pair, Run
from tests.bench.figures import Figure, write_figures

_MEBIBYTE = 1024 * 1024


def main() -> int:
    """Run and report; exit status 0 also when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    options = parser.parse_args()
    # On a disk, never on tmpfs: what is measured is durable.
    directory = Path(tempfile.mkdtemp(prefix="bench-", dir=Path.cwd()))
    figures: list[Figure] = []
    try:
        for figure in _measure(directory, 10 if options.quick else 1):
            sys.stdout.write(figure.to_line() + "\n")
            sys.stdout.flush()
            figures.append(figure)
    finally:
        shutil.rmtree(directory)
    write_figures(figures, options.out)
    return 0


def _measure(directory: Path, divisor: int) -> Iterator[Figure]:
    limit = crypto_limit()
    yield Figure(name="crypto.limit", value=limit, unit="vouchers/s")
    pair = Pair.start(directory / "single")
    try:
        asyncio.run(pair.notices(0, 1024))
        run = asyncio.run(pair.notices(10_000, 40_000 // divisor))
        yield from _rates("seal.single", run, 4500)
        yield Figure(
            name="seal.single.of_crypto_limit",
            value=100 * run.rate / limit,
            unit="%",
            goal=40,
        )
        yield Figure(
            name="vault.growth",
            value=run.growth_bytes,
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
        yield from _memory(pair)
    finally:
        pair.stop()
    pair = Pair.start(directory / "batch", batch_seals=True)
    try:
        asyncio.run(pair.notices(0, 1024))
        run = asyncio.run(pair.notices(10_000, 60_000 // divisor))
        yield from _rates("seal.batch", run, 9000)
    finally:
        pair.stop()


def _rates(name: str, run: Run, goal: float) -> Iterator[Figure]:
    yield Figure(name=f"{name}.rate", value=run.rate, unit="vouchers/s", goal=goal)
    for process, microseconds in run.cpu_us.items():
        yield Figure(
            name=f"{name}.cpu.{process.replace(' ', '_')}",
            value=microseconds,
            unit="µs/voucher",
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
    for party, process in pair.gateways.items():
        status = Path(f"/proc/{process.pid}/status").read_text()
        (line,) = [one for one in status.splitlines() if one.startswith("VmHWM:")]
        yield Figure(
            name=f"memory.{party}",
            value=int(line.split()[1]) * 1024 / _MEBIBYTE,
            unit="MiB",
            goal=400,
            at_most=True,
        )


if __name__ == "__main__":
    sys.exit(main())
