"""What the gateways' files tell, once the gateways stand still: ledgers and vaults."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import create_engine, func, select

from counterfoil.day.carried import Carried, Some, Way, of_lines
from counterfoil.domain.refusals import VaultCorrupt
from counterfoil.domain.standing import Role, Standing
from counterfoil.domain.voucher import VoucherKey
from counterfoil.ledger.tables import STANDINGS, VOUCHERS
from counterfoil.vault.lmdb_engine import LmdbEngine
from counterfoil.vault.records import split_book_key


class _Line(NamedTuple):
    """Vouchers of one way that stand alike, on one side."""

    way: Way
    role: Role
    some: Some


def told_by_ledger(file: Path, party: str) -> Mapping[Way, Carried]:
    """Return what a gateway's ledger tells of the ways of one of its parties."""
    return _of_party(_ledger_lines(file), party)


def told_by_vault(folder: Path, party: str) -> Mapping[Way, Carried]:
    """Return what a vault tells of the ways of one of its gateway's parties.

    Raises:
        VaultCorrupt: It is not whole.
        OSError: It cannot be opened.
    """
    return _of_party(_vault_lines(folder), party)


def _of_party(lines: Iterable[_Line], party: str) -> dict[Way, Carried]:
    """Count what `party` issued and what came to it; a copy is neither."""
    kept = list(lines)
    issued = of_lines(
        (
            (line.way, line.some)
            for line in kept
            if line.role is Role.ISSUER and line.way.issuer == party
        ),
        arrived=False,
    )
    came = of_lines(
        (
            (line.way, line.some)
            for line in kept
            if line.role is Role.RECIPIENT and line.way.recipient == party
        ),
        arrived=True,
    )
    return {**issued, **came}


def _ledger_lines(file: Path) -> Iterator[_Line]:
    way = (VOUCHERS.c.issuer, STANDINGS.c.recipient, VOUCHERS.c.type_code)
    kept = (*way, VOUCHERS.c.role, STANDINGS.c.standing)
    engine = create_engine(f"sqlite:///{file}")
    try:
        with engine.connect() as connection:
            for *parts, role, standing, count, fen in connection.execute(
                select(*kept, func.count(), func.sum(VOUCHERS.c.amount_fen))
                .join(VOUCHERS, VOUCHERS.c.id == STANDINGS.c.voucher)
                .group_by(*kept)
            ):
                some = Some(Standing(standing), count, fen)
                yield _Line(Way(*parts), Role(role), some)
    finally:
        engine.dispose()


def _vault_lines(folder: Path) -> Iterator[_Line]:
    """Yield a vault's book of keys, summed up as it is read."""
    sums: defaultdict[tuple[Way, Role, Standing], list[int]]
    sums = defaultdict(lambda: [0, 0])
    with LmdbEngine(folder, read_only=True) as engine, engine.reading() as reading:
        for encoded, entry in reading.all_entries():
            if isinstance(entry, VaultCorrupt):
                raise entry
            key = VoucherKey.from_bytes(split_book_key(encoded)[0])
            for passage in entry.passages:
                way = Way(key.issuer, passage.recipient, key.type_code)
                sums[way, entry.role, passage.standing][0] += 1
                sums[way, entry.role, passage.standing][1] += entry.amount_fen
    for (way, role, standing), (count, fen) in sums.items():
        yield _Line(way, role, Some(standing, count, fen))
