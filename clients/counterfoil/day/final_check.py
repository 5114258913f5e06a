"""Whether the whole day agrees: vaults, ledgers, and everybody's own books.

It works on files only, with every gateway stopped, so a copy of the day's
directory can be checked as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from counterfoil.bank.core import CorePlan, SimulatedCore
from counterfoil.bank.journal import FINAL, Journal, State
from counterfoil.day import figures
from counterfoil.day.programs import run
from counterfoil.day.stage import BANKS, GATEWAYS, ISSUERS, UNIT, Institution, Stage
from counterfoil.finance.books import OPEN, Books
from counterfoil.finance.books import State as OrderState

_VERIFY_S: Final = 300.0
_LINES_MAX: Final = 10


def findings(stage: Stage) -> Iterator[str]:
    """Yield everything that is not as it should be, each in one line."""
    with ThreadPoolExecutor() as pool:
        for told in pool.map(lambda one: list(_vault(stage, one)), GATEWAYS):
            yield from told
    for pair in figures.PAIRS:
        yield from _pair(stage, pair)
    for issuer in ISSUERS:
        yield from _orders(stage, issuer)
    for bank in BANKS:
        yield from _payments(stage, bank)
    yield from _notices(stage)


def _vault(stage: Stage, institution: Institution) -> Iterator[str]:
    """Run `counterfoil vault verify` on a vault that is not in use."""
    status, output, errors = run(
        [
            *("-m", "counterfoil.daemon", "vault", "verify", "--json"),
            *("--config", str(stage.gateway(institution.code))),
        ],
        stage.directory,
        _VERIFY_S,
    )
    if status == 0:
        return
    # A program that was killed says nothing at all: that, too, is a finding.
    yield f"vault of {institution.code}: verify ended with {status}"
    lines = output.splitlines() or errors.splitlines()[-1:]
    for line in lines[:_LINES_MAX]:
        yield f"vault of {institution.code}: {line}"
    if len(lines) > _LINES_MAX:
        yield f"vault of {institution.code}: {len(lines) - _LINES_MAX} more"


def _pair(stage: Stage, pair: figures.Pair) -> Iterator[str]:
    """Set what four sources tell of one pair side by side."""
    sources = {**figures.from_ledgers(stage, pair), **figures.from_books(stage, pair)}
    issuer, bank = pair
    for difference in figures.differences(sources):
        yield f"{issuer.code} to {bank.code}: {difference}"


def _orders(stage: Stage, issuer: Institution) -> Iterator[str]:
    """Look whether every order has come to an end that fits."""
    books = Books(stage.books(issuer.code))
    for order in books.in_state(*OPEN):
        yield f"{issuer.code}: {order.number} is still {order.state}"
    for order in books.in_state(OrderState.DIFFERS):
        yield f"{issuer.code}: the receipt of {order.number} does not agree"
    books.close()


def _payments(stage: Stage, bank: Institution) -> Iterator[str]:
    """Look whether the core paid each voucher once, and nothing else."""
    journal = Journal(stage.books(bank.code))
    core = SimulatedCore(stage.books(bank.code, "core"), CorePlan())
    paid = journal.in_state(State.CLOSED)
    owed = (len(paid), sum(payment.amount_fen for payment in paid))
    if core.times_paid() != owed:
        yield (
            f"{bank.code}: the core paid {core.times_paid()} (times, fen), "
            f"the journal says {owed}"
        )
    for payment in journal.in_state(*(set(State) - FINAL), State.STOPPED):
        yield f"{bank.code}: {payment.number} is {payment.state}: {payment.note}"
    journal.close()
    core.close()


def _notices(stage: Stage) -> Iterator[str]:
    """Look whether the unit got an entry notice for each payment of its own."""
    books = Books(stage.books(UNIT.code))
    paid = {order.number: order.amount_fen for order in books.in_state(OrderState.PAID)}
    told = {notice.about: notice.amount_fen for notice in books.notices()}
    books.close()
    if paid != told:
        yield f"{UNIT.code}: entry notices for {sorted(told)}, paid {sorted(paid)}"
