"""What a check is answered: rows of the log, of the register, of what was seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from counterfoil.app.ports import LogRecord, RegistrationRow, Vault
from counterfoil.domain.audit import (
    AuditQuery,
    OpenStream,
    RecordEnd,
    RefusedCall,
    SeenCaller,
    Subject,
)
from counterfoil.domain.deeds import Recorded

_LEAVES: Final = 512
"""Leaves that one page looks through, so that nobody waits long for the loop."""
_REGISTRATIONS: Final = 50
"""Registrations that one page looks through."""
_REFUSALS: Final = 1_000
"""Refused calls of one page, some 300 KiB."""


class Sightings(Protocol):
    """What the gateway saw of its callers since it started."""

    def refusals(self) -> list[RefusedCall]:
        """Return the calls that were refused, the row that is youngest first."""

    def record_end(self) -> RecordEnd:
        """Return how far the record of refused calls goes, which is told by this."""

    def callers(self) -> list[SeenCaller]:
        """Return who called and who holds a post, by URN."""

    def streams(self) -> list[OpenStream]:
        """Return the streams that are open, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a check is answered; rows of one sort only.

    Attributes:
        check: Where the check stands in the log.
        acts: Acts of the log.
        registrations: Registrations.
        refusals: Refused calls.
        record: How far the record of them goes; None with other rows.
        callers: Callers and holders of posts.
        streams: Open streams.
        next_leaf: Where the next page begins, a log index or the place of a row of
            refused calls; None at the end.
    """

    check: Recorded
    acts: Sequence[LogRecord] = ()
    registrations: Sequence[RegistrationRow] = ()
    refusals: Sequence[RefusedCall] = ()
    record: RecordEnd | None = None
    callers: Sequence[SeenCaller] = ()
    streams: Sequence[OpenStream] = ()
    next_leaf: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindRows:
    """Finds what a recorded check asks for, a page at a time.

    Attributes:
        vault: The log.
        sightings: What the gateway saw.
        matter_of: Tells what a registration of the log is about.
    """

    vault: Vault
    sightings: Sightings
    matter_of: Callable[[bytes], str]

    def __call__(self, query: AuditQuery, check: Recorded, first: int) -> Answer:
        """Return a page of the rows that a query asks for.

        Args:
            query: What is asked.
            check: Where the check stands: acts and registrations are those before.
            first: Log index to go on from; of refused calls, the place of the last
                row that was told.
        """
        match query.subject:
            case Subject.ACTS:
                return self._acts(query, check, first)
            case Subject.REGISTRATIONS:
                return self._registrations(query, check, first)
            case Subject.REFUSALS:
                return self._refusals(query, check, first)
            case Subject.CALLERS:
                callers = self.sightings.callers()
                found = [one for one in callers if query.covers_urn(one.identity)]
                return Answer(check=check, callers=found)
            case Subject.STREAMS:
                streams = self.sightings.streams()
                still = [one for one in streams if query.covers_urn(one.identity)]
                return Answer(check=check, streams=still)

    def _acts(self, query: AuditQuery, check: Recorded, first: int) -> Answer:
        end = min(first + _LEAVES, check.leaf)
        records = self.vault.records(first, end - first) if first < end else []
        return Answer(
            check=check,
            acts=[one for one in records if _is_asked_for(query, one)],
            next_leaf=end if end < check.leaf else None,
        )

    def _refusals(self, query: AuditQuery, check: Recorded, first: int) -> Answer:
        """Return rows that are older than the last one told: no new one comes in."""
        rows = [
            one
            for one in self.sightings.refusals()
            if (not first or one.place < first)
            and query.covers_urn(one.identity)
            and query.covers_time(one.last_us)
        ]
        page = rows[:_REFUSALS]
        return Answer(
            check=check,
            refusals=page,
            record=self.sightings.record_end(),
            next_leaf=page[-1].place if len(rows) > len(page) else None,
        )

    def _registrations(self, query: AuditQuery, check: Recorded, first: int) -> Answer:
        rows = self.vault.registrations(after=first - 1, limit=_REGISTRATIONS)
        known = [row for row in rows if row.index < check.leaf]
        found = [
            row
            for row in known
            if query.covers_time(row.leaf.time_us)
            and query.party in {"", row.leaf.by}
            and (not query.matters or self.matter_of(row.sealed) in query.matters)
        ]
        is_last = len(known) < _REGISTRATIONS
        return Answer(
            check=check,
            registrations=found,
            next_leaf=None if is_last else known[-1].index + 1,
        )


def _is_asked_for(query: AuditQuery, record: LogRecord) -> bool:
    leaf = record.leaf
    parties = {leaf.by, record.key.issuer, *(name for name, _ in record.changes)}
    return (
        query.covers_time(leaf.time_us)
        and (not query.acts or leaf.act in query.acts)
        and (not query.kinds or leaf.kind in query.kinds)
        and (not query.party or query.party in parties)
    )
