"""The ledger on SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import Connection, bindparam, delete, func, select

from counterfoil.app.ports import ActRow, FoundRow, LogRecord, Query
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.ledger import comparing, search
from counterfoil.ledger.batch import Batch, Side
from counterfoil.ledger.errors import LedgerUnavailable
from counterfoil.ledger.statements import ids, texts
from counterfoil.ledger.tables import ACTS, SCHEMA, STANDINGS, VOUCHERS
from counterfoil.sql.database import Database, Durability, is_failure, told_by_driver
from counterfoil.sql.plain import lists_of, text_about

T = TypeVar("T")

_CACHE_KIB: Final = 64 * 1024
"""Pages of SQLite kept in memory. Digests are found by an index in no order, of which a
quarter of this holds too little once there are a million vouchers (docs/adr/0003)."""

_VERIFY_ROWS: Final = 1000
"""Rows per transaction of `rows_for_verify`."""

_ACTS: Final = (
    select(ACTS.c.index, ACTS.c.kind, ACTS.c.recipients)
    .join_from(VOUCHERS, ACTS, ACTS.c.voucher == VOUCHERS.c.id)
    .where(VOUCHERS.c.digest == bindparam("about"))
    .order_by(ACTS.c.index)
)


@dataclass(frozen=True, slots=True)
class SqlLedger:
    """Implements the port `Ledger`.

    Follows the log and decides nothing. On SQLite a commit is not synchronised
    (`synchronous=NORMAL`): after a power failure the last calls of `follow` may
    be gone, the tables are whole, and `next_index` says where to go on.

    Attributes:
        database: Where the tables are.
    """

    database: Database

    @classmethod
    def open(
        cls,
        url: str,
        *,
        password: Callable[[], str] | None = None,
        rebuild: bool = False,
    ) -> SqlLedger:
        """Open the ledger and bring its tables to this release's schema.

        Blocks; for the daemon's start.

        Args:
            url: See `counterfoil.sql.url.parse_url`.
            password: Reads the password from its secret reference, for each
                new connection.
            rebuild: Drop everything first, also what a later release made.

        Raises:
            DatabaseUrlRefused: The URL is refused.
            PlaceRefused: Others may read the place of the SQLite file.
            SchemaTooNew: A later release of counterfoil made the tables.
            LedgerUnavailable: The database does not answer or is none; the text is
                for the operator.
        """
        database = Database.open(
            url,
            password=password,
            durability=Durability.NORMAL,
            name="ledger",
            cache_kib=_CACHE_KIB,
        )
        try:
            database.write_now(_recreate if rebuild else SCHEMA.upgrade)
        except BaseException as error:
            database.close_now()
            if isinstance(error, Exception) and is_failure(error):
                raise LedgerUnavailable(told_by_driver(error)) from error
            raise
        return cls(database)

    async def close(self) -> None:
        """Close the database when everything asked for is done."""
        await self.database.close()

    async def follow(self, records: Sequence[LogRecord]) -> None:
        """Take in acts, all in one transaction; those taken in before are skipped.

        Args:
            records: Acts, in log order and without a gap.

        Raises:
            ValueError: There is a gap, in `records` or before them.
            LedgerUnavailable: Nothing was changed.
        """
        with _failures_told():
            await self.database.write(lambda connection: _follow(connection, records))

    async def next_index(self) -> int:
        """Return the log index that the ledger wants next.

        Raises:
            LedgerUnavailable: The database does not answer.
        """
        return await self._read(_next_index)

    async def find(self, query: Query) -> list[FoundRow]:
        """Return vouchers of the asking desk, last changed first.

        Walking back page by page, with `before` taken from the last row, tells no
        voucher and recipient twice. One that changes during the walk moves to the
        front: if the walk has not come to it yet, the walk will not tell it, and a
        new first page does. What does not change during the walk is never missed.

        Raises:
            LedgerUnavailable: The database does not answer.
        """
        statement = search.statement(query)
        rows = await self._read(lambda connection: connection.execute(statement).all())
        return [search.found(row) for row in rows]

    async def acts(self, digest: bytes) -> list[ActRow]:
        """Return the acts about the voucher with this digest, in log order.

        Whose desk asks is not checked here.

        Raises:
            LedgerUnavailable: The database does not answer.
        """
        about = {"about": digest}
        rows = await self._read(
            lambda connection: connection.execute(_ACTS, about).all()
        )
        return [
            ActRow(
                index=index,
                kind=DocumentKind(kind),
                recipients=tuple(recipients.split(",")) if recipients else (),
            )
            for index, kind, recipients in rows
        ]

    async def drop_and_recreate(self) -> None:
        """Forget everything; `next_index` is 0 afterwards."""
        await self.database.write(_recreate)

    async def rows_for_verify(self) -> AsyncIterator[FoundRow]:
        """Yield every standing, ordered by digest and recipient, byte by byte.

        Each thousand rows is read in a transaction of its own: compare while
        nobody follows the log.

        Raises:
            LedgerUnavailable: The database does not answer.
        """
        after: tuple[bytes, int, str] | None = None
        while True:
            rows = await self._read(partial(_verify_rows, after=after))
            for row in rows:
                yield row
            if len(rows) < _VERIFY_ROWS:
                return
            after = rows[-1].digest, int(rows[-1].role), rows[-1].recipient

    async def differing(self, records: Sequence[LogRecord]) -> list[tuple[int, str]]:
        """Return at which of these acts the ledger's rows are others, and in what.

        Args:
            records: Acts that were taken in, in log order and without a gap.

        Raises:
            LedgerUnavailable: The database does not answer.
        """

        def compare(connection: Connection) -> list[tuple[int, str]]:
            known = _known(connection, {one.leaf.subject for one in records})
            return comparing.differing(connection, records, known)

        return await self._read(compare) if records else []

    async def foreign(self, end: int) -> list[str]:
        """Return which rows belong to no act before log index `end`, as text.

        Raises:
            LedgerUnavailable: The database does not answer.
        """
        return await self._read(partial(comparing.foreign, end=end))

    async def _read(self, work: Callable[[Connection], T]) -> T:
        with _failures_told():
            return await self.database.read(work)


@contextmanager
def _failures_told() -> Iterator[None]:
    """Tell the database's failures as ours; the cause goes to the log only."""
    try:
        yield
    except Exception as error:
        if is_failure(error):
            raise LedgerUnavailable(
                "the ledger's database does not answer or cannot be used"
            ) from error
        raise


def _recreate(connection: Connection) -> None:
    SCHEMA.drop(connection)
    SCHEMA.upgrade(connection)


def _next_index(connection: Connection) -> int:
    last = connection.execute(select(func.max(ACTS.c.index))).scalar_one()
    return 0 if last is None else last + 1


def _follow(connection: Connection, records: Sequence[LogRecord]) -> None:
    wanted = _next_index(connection)
    new = [record for record in records if record.index >= wanted]
    for index, record in enumerate(new, wanted):
        if record.index != index:
            msg = f"the ledger wants leaf {index} and got {record.index}"
            raise ValueError(msg)
    if not new:
        return
    batch = Batch.of(new, _known(connection, {one.leaf.subject for one in new}))
    text = texts(connection.dialect)
    if batch.vouchers:
        connection.exec_driver_sql(text.insert_vouchers, batch.vouchers)
    connection.exec_driver_sql(text.insert_acts, batch.acts)
    if batch.withdrawn:
        gone = delete(STANDINGS).where(STANDINGS.c.voucher == bindparam("gone"))
        connection.execute(gone, [{"gone": one} for one in sorted(batch.withdrawn)])
    standings = batch.standing_rows()
    if standings:
        connection.exec_driver_sql(text.upsert_standings, standings)


def _known(connection: Connection, digests: set[bytes]) -> dict[Side, int]:
    known: dict[Side, int] = {}
    for some in lists_of(sorted(digests)):
        text = text_about(ids, len(some), connection.dialect)
        rows = connection.exec_driver_sql(text, some)
        known.update(((digest, role), voucher) for digest, role, voucher in rows.all())
    return known


def _verify_rows(
    connection: Connection, after: tuple[bytes, int, str] | None
) -> list[FoundRow]:
    rows = connection.execute(search.everything(after, _VERIFY_ROWS))
    return [search.found(row) for row in rows]
