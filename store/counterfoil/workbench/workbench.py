"""The workbench on SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, TypeVar

from sqlalchemy import Connection

from counterfoil.app.ports import Clock
from counterfoil.domain.draft_seals import DraftSeals
from counterfoil.domain.drafts import DraftRow
from counterfoil.sql.database import Database, Durability, is_failure
from counterfoil.sql.plain import AboutValues, lists_of, text_about, text_of
from counterfoil.workbench.errors import WorkbenchUnavailable
from counterfoil.workbench.rows import (
    columns_of,
    draft_of,
    payload_columns_of,
    seals_of,
    seals_to_bytes,
)
from counterfoil.workbench.statements import (
    CHANGE_SEALS,
    CHANGE_SEALS_ORDER,
    PURGE,
    PUT,
    remove_drafts,
    remove_payloads,
    seal_counts,
    seals,
    whole,
    whole_by_key,
)
from counterfoil.workbench.tables import SCHEMA

T = TypeVar("T")

SealChange = tuple[bytes, int, tuple[bytes, ...]]
"""Digest, number of seals expected, new seals."""


@dataclass(frozen=True, slots=True)
class SqlWorkbench:
    """Implements the port `Workbench`; every call is one transaction.

    On SQLite a commit is synchronised (`synchronous=FULL`): a seal that a person
    gave is on disk when the call returns.

    Attributes:
        database: Where the table is.
        clock: Says when a draft was changed.
    """

    database: Database
    clock: Clock

    @classmethod
    def open(
        cls,
        url: str,
        *,
        clock: Clock,
        password: Callable[[], str] | None = None,
    ) -> SqlWorkbench:
        """Open the workbench and bring its table to this release's schema.

        Blocks; for the daemon's start.

        Args:
            url: See `counterfoil.sql.url.parse_url`.
            clock: Says when a draft was changed.
            password: Reads the password from its secret reference, for each
                new connection.

        Raises:
            DatabaseUrlRefused: The URL is refused.
            PlaceRefused: Others may read the place of the SQLite file.
            SchemaTooNew: A later release of counterfoil made the table.
            WorkbenchUnavailable: The database does not answer.
        """
        database = Database.open(
            url, password=password, durability=Durability.FULL, name="workbench"
        )
        try:
            database.write_now(SCHEMA.upgrade)
        except BaseException as error:
            database.close_now()
            if isinstance(error, Exception) and is_failure(error):
                raise _unavailable() from error
            raise
        return cls(database, clock)

    async def close(self) -> None:
        """Close the database when everything asked for is done."""
        await self.database.close()

    async def put(self, drafts: Sequence[DraftRow]) -> list[DraftRow | None]:
        """Store new drafts; return for each the one that has its key already.

        Returns:
            For each draft in turn: None if it was stored, as new or in place of
            an unsealed one with its key. Else what is there and stays: the same
            draft, with its seals, or a sealed one with another digest.

        Raises:
            WorkbenchUnavailable: Nothing was changed.
        """
        now_us = self.clock.now_us()
        return await self._write(lambda connection: _put(connection, drafts, now_us))

    async def get(self, party: str, digests: Sequence[bytes]) -> list[DraftRow | None]:
        """Return the party's drafts with these digests, None where there is none.

        Raises:
            WorkbenchUnavailable: The database does not answer.
        """
        found = await self._read(
            lambda connection: _rows(connection, whole, party, digests)
        )
        by_digest = {row[0]: draft_of(row) for row in found}
        return [by_digest.get(digest) for digest in digests]

    async def get_seals(
        self, party: str, digests: Sequence[bytes]
    ) -> list[DraftSeals | None]:
        """Return what stands on these drafts, as `get` does, without payloads.

        Raises:
            WorkbenchUnavailable: The database does not answer.
        """
        found = await self._read(
            lambda connection: _rows(connection, seals, party, digests)
        )
        by_digest = {row[0]: seals_of(row) for row in found}
        return [by_digest.get(digest) for digest in digests]

    async def set_seals(self, party: str, changes: Sequence[SealChange]) -> list[bool]:
        """Replace seals where a draft still has the stated number of them.

        Each change sees the ones before it.

        Returns:
            For each change whether it was made.

        Raises:
            WorkbenchUnavailable: Nothing was changed.
        """
        of_all = party, changes, self.clock.now_us()
        try:
            # Nearly always every draft is as expected.
            return await self._write(
                lambda connection: _set_all_seals(connection, *of_all)
            )
        except _OthersThere:
            return await self._write(
                lambda connection: _set_seals_that_fit(connection, *of_all)
            )

    async def remove(self, party: str, digests: Sequence[bytes]) -> None:
        """Remove drafts that entered the vault; one that is not there is no error.

        Raises:
            WorkbenchUnavailable: Nothing was changed.
        """
        await self._write(lambda connection: _remove(connection, party, digests))

    async def purge(self, before_us: int) -> int:
        """Remove drafts of all parties that nobody changed since `before_us`.

        Args:
            before_us: Microseconds since the epoch, UTC; giving a seal is a change.

        Returns:
            How many were removed.

        Raises:
            WorkbenchUnavailable: Nothing was changed.
        """
        return await self._write(lambda connection: _purge(connection, before_us))

    async def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self.database.read(work)
        except Exception as error:
            if is_failure(error):
                raise _unavailable() from error
            raise

    async def _write(self, work: Callable[[Connection], T]) -> T:
        try:
            return await self.database.write(work)
        except Exception as error:
            if is_failure(error):
                raise _unavailable() from error
            raise


def _unavailable() -> WorkbenchUnavailable:
    return WorkbenchUnavailable("the workbench's database failed; see its log")


def _put(
    connection: Connection, drafts: Sequence[DraftRow], now_us: int
) -> list[DraftRow | None]:
    stored: dict[tuple[str, bytes], DraftRow] = {}
    for party in sorted({draft.party for draft in drafts}):
        keys = [draft.key.to_bytes() for draft in drafts if draft.party == party]
        for draft in map(draft_of, _rows(connection, whole_by_key, party, keys)):
            stored[party, draft.key.to_bytes()] = draft
    before = dict(stored)
    answers: list[DraftRow | None] = []
    for draft in drafts:
        name = draft.party, draft.key.to_bytes()
        present = stored.get(name)
        if present is not None and (present.seals or present.digest == draft.digest):
            answers.append(present)
            continue
        stored[name] = draft
        answers.append(None)
    new = [draft for name, draft in stored.items() if before.get(name) is not draft]
    replaced = [draft for name, draft in before.items() if stored[name] is not draft]
    for party in {draft.party for draft in replaced}:
        gone = [draft.digest for draft in replaced if draft.party == party]
        _remove(connection, party, gone)
    if new:
        standing = [columns_of(draft, now_us) for draft in new]
        said = [payload_columns_of(draft) for draft in new]
        for (statement, order), rows in zip(PUT, (standing, said), strict=True):
            text = text_of(statement, connection.dialect, *order)
            connection.exec_driver_sql(text, rows)
    return answers


class _OthersThere(Exception):
    """Some drafts have another number of seals than expected; which, nobody knows."""


def _set_all_seals(
    connection: Connection, party: str, changes: Sequence[SealChange], now_us: int
) -> list[bool]:
    """Change seals without looking first.

    Raises:
        _OthersThere: Not all could be changed; the transaction must be undone.
    """
    if _changed(connection, party, changes, now_us) < len(changes):
        raise _OthersThere
    return [True] * len(changes)


def _set_seals_that_fit(
    connection: Connection, party: str, changes: Sequence[SealChange], now_us: int
) -> list[bool]:
    digests = [digest for digest, _, _ in changes]
    found = _rows(connection, seal_counts, party, digests)
    counts: dict[bytes, int] = {row[0]: row[1] for row in found}
    made: list[bool] = []
    for digest, expected, new_seals in changes:
        fits = counts.get(digest) == expected
        made.append(fits)
        if fits:
            counts[digest] = len(new_seals)
    fitting = list(compress(changes, made))
    done = _changed(connection, party, fitting, now_us)
    assert done == len(fitting), "a draft changed under its lock"
    return made


def _changed(
    connection: Connection, party: str, changes: Sequence[SealChange], now_us: int
) -> int:
    """Change seals where there are as many as expected; return how many times."""
    if not changes:
        return 0
    rows = [
        (len(seals), seals_to_bytes(seals), now_us, party, digest, expected)
        for digest, expected, seals in changes
    ]
    text = text_of(CHANGE_SEALS, connection.dialect, *CHANGE_SEALS_ORDER)
    return connection.exec_driver_sql(text, rows).rowcount


def _remove(connection: Connection, party: str, digests: Sequence[bytes]) -> None:
    for some in lists_of(digests):
        for make in (remove_drafts, remove_payloads):
            text = text_about(make, len(some), connection.dialect, "of_party")
            connection.exec_driver_sql(text, (party, *some))


def _purge(connection: Connection, before_us: int) -> int:
    drafts, payloads = PURGE
    removed = connection.execute(drafts, {"before_us": before_us}).rowcount
    connection.execute(payloads)
    return removed


def _rows(
    connection: Connection, make: AboutValues, party: str, values: Iterable[bytes]
) -> list[Sequence[Any]]:
    """Return what a statement finds of a party by `values`."""
    found: list[Sequence[Any]] = []
    for some in lists_of(values):
        text = text_about(make, len(some), connection.dialect, "of_party")
        found += connection.exec_driver_sql(text, (party, *some)).all()
    return found
