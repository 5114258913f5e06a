"""Whether the whole day agrees: vaults, ledgers, and everybody's own books.

It works on files only, with every gateway stopped, so a copy of the day's directory
can be checked as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from sqlalchemy import func, select

from counterfoil.bank.core import CorePlan, SimulatedCore
from counterfoil.bank.journal import FINAL, Journal, Payment, State
from counterfoil.business.books import SqlBooks
from counterfoil.day.accounts import accounts_of
from counterfoil.day.alarms import alarms_of, unmeant
from counterfoil.day.balance import Entry, sheet
from counterfoil.day.boxes import loose_ends
from counterfoil.day.carried import Carried, Teller, Way, differences, side_by_side
from counterfoil.day.cast import FINANCE, GATEWAYS, PARTIES, PAYERS, Institution
from counterfoil.day.commands import living
from counterfoil.day.lines import LINES
from counterfoil.day.programs import run
from counterfoil.day.records import told_by_books
from counterfoil.day.stage import Stage
from counterfoil.day.vaults import told_by_ledger, told_by_vault
from counterfoil.domain.refusals import Corrupt
from counterfoil.finance.books import OPEN, Books
from counterfoil.finance.books import State as OrderState

_VERIFY_S: Final = 7200.0
_LINES_MAX: Final = 10


def findings(stage: Stage, vaults: Sequence[Institution] = GATEWAYS) -> Iterator[str]:
    """Yield everything that is not as it should be, each in one line.

    Args:
        stage: Where the day stands.
        vaults: Whose vaults are verified; all are read and compared.
    """
    with ThreadPoolExecutor(max_workers=2) as pool:
        for told in pool.map(lambda one: list(_vault(stage, one)), vaults):
            yield from told
    for way, sources in carried(stage).items():
        for difference in differences(sources):
            yield f"{way.issuer} to {way.recipient}, {way.type_code}: {difference}"
    for entry in balance(stage):
        if not entry.agrees:
            yield str(entry)
    with living(stage.settled):
        yield from unmeant(alarms_of(stage), ())
    for one in PARTIES:
        yield from _loose_ends(stage, one)
    yield from _orders(stage)
    for bank in PAYERS:
        yield from _payments(stage, bank)


def balance(stage: Stage) -> list[Entry]:
    """Return the balance sheet of all parties, from their own books."""
    return sheet(LINES, accounts_of(stage))


def carried(stage: Stage) -> dict[Way, dict[str, Carried]]:
    """Return what books, ledgers and vaults tell, way by way.

    A vault that is not whole tells nothing; `vault verify` names it.
    """
    told: dict[Teller, Mapping[Way, Carried]] = {}
    for one in PARTIES:
        state = stage.state(one.carrier or one.code)
        told[Teller(one.code, "books")] = told_by_books(stage, one)
        told[Teller(one.code, "ledger")] = told_by_ledger(
            state / "ledger.sqlite", one.code
        )
        try:
            told[Teller(one.code, "vault")] = told_by_vault(state / "vault", one.code)
        except (Corrupt, OSError):
            continue
    return side_by_side(told)


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


def _loose_ends(stage: Stage, one: Institution) -> Iterator[str]:
    """Look whether every voucher in the boxes has come to an end that fits."""
    books = SqlBooks(stage.books(one.code))
    try:
        for end in loose_ends(books):
            yield f"{one.code}: {end}"
    finally:
        books.close()


def _orders(stage: Stage) -> Iterator[str]:
    """Look whether every order from a file has come to an end that fits."""
    books = Books(stage.books(FINANCE.code))
    for order in books.in_state(*OPEN):
        yield f"{FINANCE.code}: {order.number} is still {order.state}"
    for order in books.in_state(OrderState.DIFFERS):
        yield f"{FINANCE.code}: the receipt of {order.number} does not agree"
    books.close()


def _payments(stage: Stage, bank: Institution) -> Iterator[str]:
    """Look whether the core paid each voucher once, and nothing else."""
    journal = Journal(stage.books(bank.code))
    core = SimulatedCore(stage.books(bank.code, "core"), CorePlan())
    with journal.reading() as session:
        count, fen = session.execute(
            select(func.count(), func.sum(Payment.amount_fen)).where(
                Payment.state == State.CLOSED
            )
        ).one()
    owed = (count, fen or 0)
    if core.times_paid() != owed:
        yield (
            f"{bank.code}: the core paid {core.times_paid()} (times, fen), "
            f"the journal says {owed}"
        )
    for payment in journal.in_state(*(set(State) - FINAL), State.STOPPED):
        yield f"{bank.code}: {payment.number} is {payment.state}: {payment.note}"
    journal.close()
    core.close()
