"""Planning: a voucher is written down in the transaction that made it due.

So it is issued once, whatever dies in between; the outbox takes it from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from counterfoil.business import recalls
from counterfoil.business.outcomes import NOTE_MAX
from counterfoil.business.prepared import Prepared
from counterfoil.business.rows import put, put_one
from counterfoil.business.tables import (
    GIVEN_BACK,
    KEY,
    OutboxEntry,
    OutboxState,
    key_columns,
)
from counterfoil.office import Voucher, VoucherKey, opened_payload, payload_of, plan_of

_OF_KEY: Final = tuple(getattr(OutboxEntry, name) == bindparam(name) for name in KEY)
_BY_KEY: Final = select(OutboxEntry).where(*_OF_KEY)
_DRAFT: Final = Prepared(select(OutboxEntry.draft).where(*_OF_KEY))


def plan(
    session: Session, voucher: Voucher, day: str, *, cause: bytes = b""
) -> OutboxEntry:
    """Plan a voucher: it is issued in a later turn, once.

    Args:
        session: The transaction in which it became due.
        voucher: What it says. Planned again under the same key, it changes nothing.
        day: Today in China, `yyyymmdd`.
        cause: Digest of the voucher that it is made from, if from one.

    Returns:
        Its entry, to be read: what is written of it was written.

    Raises:
        ValueError: Another content was planned under the same key, or its form has a
            field that the contract does not know.
    """
    planned = _known(session, voucher)
    if planned is not None:
        return planned
    entry = _entry(voucher, day, cause)
    put_one(session, entry)
    return entry


def plan_all(session: Session, vouchers: Iterable[Voucher], day: str) -> None:
    """Plan vouchers that became due together, of keys that differ; see `plan`."""
    due = [one for one in vouchers if _known(session, one) is None]
    put(session, [_entry(one, day) for one in due])


def plan_again(
    session: Session, returned: OutboxEntry, voucher: Voucher, day: str
) -> OutboxEntry:
    """Plan the next issue of a number that was given back (重开).

    Args:
        session: One transaction.
        returned: The issue that came back.
        voucher: What the next issue says; its key's issue is set here.
        day: Today in China, `yyyymmdd`.

    Raises:
        ValueError: The issue before was not given back, or not by everybody.
    """
    if returned.state not in GIVEN_BACK:
        msg = f"{returned.key} was not given back"
        raise ValueError(msg)
    recalls.void_first(session, returned)
    again = replace(
        voucher,
        key=replace(returned.key, issue=returned.issue + 1),
        replaces=returned.digest,
    )
    return plan(session, again, day, cause=returned.cause)


def withdraw(entry: OutboxEntry, reason: str) -> None:
    """Take back a voucher that is planned and not yet on its way out.

    Only one that persons review: before they do, its digest is noted, and what is
    noted may be with the gateway already.

    Args:
        entry: The voucher, in a session of the caller's.
        reason: Why.

    Raises:
        ValueError: It is too late, or its kind is sent in one step.
    """
    is_waiting = entry.state is OutboxState.PLANNED and not entry.digest
    if not is_waiting or not has_persons(entry):
        msg = f"{entry.key} cannot be withdrawn any more"
        raise ValueError(msg)
    entry.state, entry.note = OutboxState.WITHDRAWN, reason[:NOTE_MAX]


def find(session: Session, key: VoucherKey) -> OutboxEntry | None:
    """Return the entry of a key; None if it was never planned."""
    return session.scalar(_BY_KEY, key_columns(key))


def draft_of(entry: OutboxEntry) -> Voucher:
    """Return what a voucher of ours says; call it while its session is open."""
    return opened_payload(entry.draft)


def has_persons(entry: OutboxEntry) -> bool:
    """Tell whether persons review it before it is sealed."""
    return any(position.by_person for position in plan_of(entry.type_code))


def _known(session: Session, voucher: Voucher) -> OutboxEntry | None:
    """Return what was planned under a voucher's key; None if nothing was.

    Raises:
        ValueError: Another content was.
    """
    draft = _DRAFT.scalar(session, key_columns(voucher.key))
    if draft is None:
        return None
    if draft != payload_of(voucher):
        msg = f"{voucher.key} was planned with another content"
        raise ValueError(msg)
    return find(session, voucher.key)


def _entry(voucher: Voucher, day: str, cause: bytes = b"") -> OutboxEntry:
    return OutboxEntry(
        **key_columns(voucher.key),
        draft=payload_of(voucher),
        digest=b"",
        cause=cause,
        planned=day,
        state=OutboxState.PLANNED,
    )
