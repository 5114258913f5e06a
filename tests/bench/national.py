"""National XML: how fast a document is read and checked, written, and sealed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from counterfoil.desk.v1 import desk_pb2
from counterfoil.sample.documents import file_of
from counterfoil.sample.vouchers import Voucher, VoucherMaker
from counterfoil.seal.algorithms import signing_key
from counterfoil.wire import screen
from counterfoil.wire.compose import compose_draft
from counterfoil.wire.national_read import read_national
from counterfoil.wire.national_write import write_national
from tests.bench.figures import Figure
from tests.houses import BANK, FINANCE

_SECONDS: Final = 3.0
_MANY_ROWS: Final = 500


def national_figures() -> Iterator[Figure]:
    """Yield what one core does with direct payments (5201), one process alone."""
    body = file_of(_voucher(10))
    read = read_national(body)

    def read_and_check() -> None:
        assert screen.passes(read_national(body)[0].form)

    yield Figure(
        name="national.read",
        value=_rate(read_and_check),
        unit="documents/s",
        goal=900,
    )
    yield Figure(
        name="national.write",
        value=_rate(lambda: write_national(read)),
        unit="documents/s",
        goal=1200,
    )
    draft = desk_pb2.Draft(
        national=desk_pb2.NationalDocument(
            document=file_of(_voucher(_MANY_ROWS)), recipients=[BANK]
        )
    ).SerializeToString()
    key = signing_key(ec.generate_private_key(ec.SECP256R1()))

    def compose_and_sign() -> None:
        row, _ = compose_draft(draft, desk=FINANCE)
        key.sign(row.digest)

    yield Figure(
        name="national.sealed_500_rows",
        value=1000 / _rate(compose_and_sign),
        unit="ms",
        goal=60,
        at_most=True,
    )


def _voucher(rows: int) -> Voucher:
    """Return a direct payment with so many rows."""
    maker = VoucherMaker(Random(3), year=2026, banks=[BANK])  # noqa: S311 -- repeatable
    while len((made := maker.make(rows_min=rows)).rows) != rows:
        pass
    return made


def _rate(work: Callable[[], object]) -> float:
    """Return how often a second of CPU does it."""
    work()
    count, started = 0, time.process_time()
    while time.process_time() - started < _SECONDS:
        work()
        count += 1
    return count / (time.process_time() - started)
