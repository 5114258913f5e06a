"""Measures how fast a ledger follows: `python tests/bench/ledger_rate.py [URL]`.

Prints acts a second for several sizes of call; each voucher has three acts, ENTER,
SEND and DELIVER, the second and third some thousand acts behind the first. Without
a URL the ledger is a SQLite file below the current directory, so run it on a disk.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from counterfoil.app.ports import LogRecord, Query
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.standing import Act, Role, Standing
from counterfoil.domain.voucher import VoucherKey
from counterfoil.ledger.ledger import SqlLedger

VOUCHERS = 40_000
BEHIND = 4_000
"""How many vouchers later the next act about a voucher comes."""
CALLS = (256, 512, 1024)
STEPS = (
    (Act.ENTER, Standing.SEALED),
    (Act.SEND, Standing.SENT),
    (Act.DELIVER, Standing.ARRIVED),
)


def log() -> Iterator[LogRecord]:
    """Yield a log of `VOUCHERS` vouchers, three acts each."""
    index = 0
    for turn in range(VOUCHERS + BEHIND * (len(STEPS) - 1)):
        for step, (act, standing) in enumerate(STEPS):
            voucher = turn - step * BEHIND
            if 0 <= voucher < VOUCHERS:
                yield _record(index, voucher, act, standing)
                index += 1


def _record(index: int, voucher: int, act: Act, standing: Standing) -> LogRecord:
    digest = hashlib.sha256(str(voucher).encode()).digest()
    return LogRecord(
        index=index,
        leaf=Leaf(
            act=act,
            kind=DocumentKind.VOUCHER,
            time_us=1_700_000_000_000_000 + index,
            subject=digest,
            document=digest,
            version=digest,
            by="110000-CZ",
        ),
        key=VoucherKey(
            issuer="110000-CZ",
            adm_div="110000",
            fiscal_year=2026,
            type_code=5201,
            number=f"{voucher:010}",
        ),
        amount_fen=100 + voucher,
        count=1,
        role=Role.ISSUER,
        changes=((f"110000-BANK{voucher % 4}", standing),),
    )


async def measure(
    url: str, records: list[LogRecord], call: int
) -> tuple[float, float, float]:
    """Return acts per second, the same per CPU second, and seconds for a page."""
    ledger = SqlLedger.open(url, rebuild=True)
    begun, cpu_begun = time.perf_counter(), time.process_time()
    for first in range(0, len(records), call):
        await ledger.follow(records[first : first + call])
    rate = len(records) / (time.perf_counter() - begun)
    cpu_rate = len(records) / (time.process_time() - cpu_begun)
    begun = time.perf_counter()
    await ledger.find(Query(desk="110000-BANK1", number_prefix="00000123"))
    find_s = time.perf_counter() - begun
    await ledger.close()
    return rate, cpu_rate, find_s


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Print the table."""
    records = list(log())
    _tell(f"{len(records)} acts about {VOUCHERS} vouchers")
    _tell("acts a call   acts a second   acts a CPU second   first page, ms")
    for call in CALLS:
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as directory:
            default = f"sqlite:///{directory}/ledger/ledger.db"
            url = sys.argv[1] if sys.argv[1:] else default
            rate, cpu_rate, find_s = asyncio.run(measure(url, records, call))
        _tell(f"{call:11}   {rate:13.0f}   {cpu_rate:17.0f}   {find_s * 1000:14.2f}")


if __name__ == "__main__":
    main()
