"""Our vouchers as the books have them: found by state, by number, by their answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.orm import Session, undefer

from counterfoil.business.prepared import Prepared
from counterfoil.business.rows import apart
from counterfoil.business.tables import OutboxEntry, OutboxState
from counterfoil.office import Reference

_IN_STATE: Final = (
    select(OutboxEntry)
    .where(OutboxEntry.state.in_(bindparam("states", expanding=True)))
    .order_by(OutboxEntry.id)
)
_DRAFTS: Final = Prepared(
    select(OutboxEntry.id, OutboxEntry.draft).where(
        OutboxEntry.id.in_(bindparam("numbers", expanding=True))
    )
)
_PLANNED: Final = _IN_STATE.where(OutboxEntry.id > bindparam("after")).limit(
    bindparam("most")
)


def in_state(session: Session, *states: OutboxState) -> list[OutboxEntry]:
    """Return the vouchers in these states, in the order of their planning."""
    return list(session.scalars(_IN_STATE, {"states": states}))


def planned(session: Session, after: int, most: int) -> list[OutboxEntry]:
    """Return the next that are planned, by their numbers in the books.

    Args:
        session: The books.
        after: Only those behind this one.
        most: How many at most.
    """
    wanted = {"states": [OutboxState.PLANNED], "after": after, "most": most}
    return list(session.scalars(_PLANNED, wanted))


def answered(
    session: Session, vouchers: Iterable[Reference]
) -> dict[bytes, OutboxEntry]:
    """Return our vouchers that answers are about, by digest; see `store`.

    An answer may be here before we heard that the voucher was sent, and with which
    digest: then its key tells, which our gateway gives to one content only.
    """
    named = {one.digest: one.key for one in vouchers}
    found = loaded(session, OutboxEntry.digest.in_(named))
    known = {one.digest: one for one in found}
    others = {key: digest for digest, key in named.items() if digest not in known}
    if others:
        numbers = {key.number for key in others}
        unheard = OutboxEntry.digest == b"", OutboxEntry.number.in_(numbers)
        for entry in loaded(session, *unheard):
            if entry.key in others:
                found.append(entry)
                entry.digest = others[entry.key]
                known[entry.digest] = entry
    apart(session, found)
    return known


def drafts(session: Session, numbers: Sequence[int]) -> dict[int, bytes]:
    """Return what vouchers say, encoded, by their numbers in the books."""
    return dict(_DRAFTS.rows(session, {"numbers": numbers}))


def loaded(session: Session, *which: ColumnElement[bool]) -> list[OutboxEntry]:
    """Return vouchers with what they say, by one query."""
    found = select(OutboxEntry).where(*which).options(undefer(OutboxEntry.draft))
    return list(session.scalars(found))


def by_digest(session: Session, digest: bytes) -> OutboxEntry | None:
    """Return our voucher with a digest; None if we have none."""
    return session.scalar(select(OutboxEntry).where(OutboxEntry.digest == digest))


def by_id(session: Session, numbers: Iterable[int]) -> dict[int, OutboxEntry]:
    """Return vouchers by their numbers in the books, by one query; see `store`."""
    wanted = select(OutboxEntry).where(OutboxEntry.id.in_(set(numbers)))
    found = session.scalars(wanted).all()
    apart(session, found)
    return {one.id: one for one in found}
