"""Compares the ledger of a gateway that is stopped with its vault's log."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Final

from counterfoil.app.ports import FoundRow, LogRecord
from counterfoil.domain.refusals import VaultCorrupt
from counterfoil.ledger.errors import LedgerUnavailable
from counterfoil.ledger.ledger import SqlLedger
from counterfoil.sql.database import told_by_driver
from counterfoil.vault.engine import Reading
from counterfoil.vault.findings import Fault, Finding
from counterfoil.vault.reading import records
from counterfoil.vault.recent import Recent

_RECORDS_AT_ONCE: Final = 1024


async def check_ledger(
    ledger: SqlLedger, reading: Reading
) -> tuple[list[Finding], list[FoundRow] | None]:
    """Compare a ledger with the log, and let it catch up if it is only behind.

    It follows the log and may be behind; that is no fault. Into one that contradicts
    the log nothing is written: it is evidence, and its rows could not be added to.

    Returns:
        What contradicts the log; and every standing, to be compared with the replay,
        or None if the ledger was not worth asking.
    """
    try:
        findings = await _compare(ledger, reading)
        if findings:
            return findings, None
        await _catch_up(ledger, reading)
        return [], [row async for row in ledger.rows_for_verify()]
    except LedgerUnavailable as refusal:
        cause = refusal.__cause__
        detail = told_by_driver(cause) if isinstance(cause, Exception) else ""
        return [Finding(fault=Fault.LEDGER_UNREADABLE, detail=detail)], None


async def follow_to_end(ledger: SqlLedger, reading: Reading) -> None:
    """Let a ledger follow the log from where it is to its end.

    Raises:
        VaultCorrupt: A leaf is not the one in the tree.
    """
    first = await ledger.next_index()
    for some in acts_in_order(reading, reading.size(), first=first):
        await ledger.follow(some)


def acts_in_order(
    reading: Reading, end: int, *, first: int = 0
) -> Iterator[list[LogRecord]]:
    """Yield the acts before log index `end`, some at a time.

    Raises:
        VaultCorrupt: A leaf is not the one in the tree.
    """
    recent = Recent()
    while first < end:
        yield records(reading, recent, first, min(_RECORDS_AT_ONCE, end - first))
        first += _RECORDS_AT_ONCE


async def _compare(ledger: SqlLedger, reading: Reading) -> list[Finding]:
    """Return at which acts a ledger differs from the log that it has followed."""
    changed = partial(Finding, fault=Fault.LEDGER_CHANGED)
    taken, size = await ledger.next_index(), reading.size()
    found = []
    if taken > size:
        found.append(changed(detail=f"it is at leaf {taken} of a log of {size} leaves"))
    with suppress(VaultCorrupt):  # Told with its place by the verification to come.
        for some in acts_in_order(reading, min(taken, size)):
            for index, detail in await ledger.differing(some):
                key = str(some[index - some[0].index].key)
                found.append(changed(index=index, key=key, detail=detail))
    foreign = await ledger.foreign(taken)
    found += [changed(detail=f"{one} is not in the log") for one in foreign]
    if found and taken < size:
        sys.stderr.write(
            f"counterfoil: the ledger is at leaf {taken} of {size} and contradicts the "
            "log, so it took in nothing; `counterfoil ledger rebuild` makes it again "
            "(台账与日志不符，未作追补，请重建台账)\n"
        )
    return found


async def _catch_up(ledger: SqlLedger, reading: Reading) -> None:
    """Let the ledger take in what it had not when its gateway ended."""
    first = await ledger.next_index()
    with suppress(VaultCorrupt):  # Told with its place by the verification to come.
        await follow_to_end(ledger, reading)
    if behind := await ledger.next_index() - first:
        sys.stderr.write(
            f"counterfoil: the ledger took in {behind} leaves first (台账先行追补)\n"
        )
