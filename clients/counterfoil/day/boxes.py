"""What the business systems' own books tell of what was carried, and what is left.

Every system notes what came in its inbox, and what it issued in its outbox. Both are
read from the books' files, some rows at a time: the books of a day are large.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from counterfoil.business.books import SqlBooks
from counterfoil.business.inbox import voucher_of
from counterfoil.business.planning import draft_of
from counterfoil.business.tables import (
    IN_WORK,
    InboxEntry,
    InboxState,
    OutboxEntry,
    OutboxState,
)
from counterfoil.day.carried import Some, Way
from counterfoil.domain.catalogue import Answer
from counterfoil.domain.standing import Standing
from counterfoil.office import Voucher
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.figures import figures_of

ROWS: Final = 100
"""Entries that are read at a time."""

CAME: Final[Mapping[InboxState, Standing]] = {
    InboxState.REJECTED: Standing.REJECTED,
    InboxState.ACCEPTED: Standing.ACCEPTED,
    InboxState.TAKEN: Standing.ACCEPTED,
    InboxState.BEGUN: Standing.ACTING,
    InboxState.BOOKED: Standing.ACTING,
    InboxState.ACTED: Standing.ACTED,
    InboxState.RECEIPTED: Standing.RECEIPTED,
    InboxState.RETURNED: Standing.RETURNED,
    InboxState.VOID: Standing.DISCARDED,
}
"""Where a voucher that came stands; before that it has arrived, and no more."""
ISSUED: Final[Mapping[OutboxState, Standing]] = {
    OutboxState.SENT: Standing.SENT,
    OutboxState.ACCEPTED: Standing.ACCEPTED,
    OutboxState.RECEIPTED: Standing.CLOSED,
    OutboxState.DIFFERS: Standing.DISPUTED,
    OutboxState.SETTLED: Standing.DISPUTED,
    OutboxState.REJECTED: Standing.REJECTED,
    OutboxState.RETURNED: Standing.RETURNED,
}
"""Where a voucher of ours stands; what is not here was not sent."""
_UNDER_WAY: Final = (OutboxState.PLANNED, OutboxState.SENT)
_GIVEN_BACK: Final = (InboxState.REJECTED, InboxState.RETURNED, InboxState.VOID)
_CAME_TO_AN_END: Final = (InboxState.TAKEN, InboxState.RECEIPTED, *_GIVEN_BACK)
_WENT_TO_AN_END: Final = (
    OutboxState.RECEIPTED,
    OutboxState.SETTLED,
    OutboxState.REJECTED,
    OutboxState.RETURNED,
)
ANSWERED: Final = frozenset(
    type_code
    for type_code, row in CATALOGUE.rows.items()
    if row.answer in {Answer.RECEIPT, Answer.STATEMENT_ANSWER}
)
"""Kinds that are not at an end before their answer has come."""
_MAY_WAIT: Final = frozenset({8202})
"""An authorised payment waits for its paper as long as nobody carries that."""


def under_way(books: SqlBooks) -> int:
    """Return to how many vouchers something still happens by itself."""
    with books.reading() as session:
        came = session.scalar(select(func.count()).where(InboxEntry.state.in_(IN_WORK)))
        issued = session.scalar(
            select(func.count()).where(
                OutboxEntry.state.in_(_UNDER_WAY)
                | (
                    (OutboxEntry.state == OutboxState.ACCEPTED)
                    & OutboxEntry.type_code.in_(ANSWERED - _MAY_WAIT)
                )
            )
        )
    return (came or 0) + (issued or 0)


def amount_of(voucher: Voucher) -> int:
    """Return a voucher's main amount in fen, as the catalogue defines it."""
    figures = figures_of(CATALOGUE.row(voucher.key.type_code).form)
    if figures.main:
        return voucher.form.fen(figures.main)
    if not figures.each:
        return 0
    return sum(int(row.get(figures.each, 0)) for row in voucher.form.rows)


def came(session: Session, party: str) -> Iterator[tuple[Way, Some]]:
    """Yield what came to a party, as its inbox has it."""
    entries = session.scalars(
        select(InboxEntry)
        .options(undefer(InboxEntry.sealed))
        .execution_options(yield_per=ROWS)
    )
    for entry in entries:
        way = Way(entry.issuer, party, entry.type_code)
        standing = CAME.get(entry.state, Standing.ARRIVED)
        yield way, Some(standing, 1, amount_of(voucher_of(entry)))
        session.expunge(entry)


def issued(session: Session, shared: set[Way]) -> Iterator[tuple[Way, Some]]:
    """Yield what was issued, as the outbox has it.

    Args:
        session: The books.
        shared: Is told the ways that share a voucher with others: one state stands
            for all its recipients then, and tells nothing of each.
    """
    entries = session.scalars(
        select(OutboxEntry)
        .options(undefer(OutboxEntry.draft))
        .execution_options(yield_per=ROWS)
    )
    for entry in entries:
        voucher = draft_of(entry)
        standing = ISSUED.get(entry.state, Standing.DRAFT)
        ways = [
            Way(entry.issuer, recipient, entry.type_code)
            for recipient in voucher.recipients
        ]
        if len(ways) > 1:
            shared.update(ways)
        for way in ways:
            yield way, Some(standing, 1, amount_of(voucher))
        session.expunge(entry)


def loose_ends(books: SqlBooks) -> Iterator[str]:
    """Yield every voucher that a person must look at, or that never came to an end."""
    with books.reading() as session:
        for entry in session.scalars(
            select(InboxEntry)
            .where(InboxEntry.state.not_in(_CAME_TO_AN_END))
            .order_by(InboxEntry.type_code, InboxEntry.number)
        ):
            yield f"{entry.key} is still {entry.state}: {entry.note}"
        for one in session.scalars(
            select(OutboxEntry)
            .where(OutboxEntry.state.not_in(_WENT_TO_AN_END))
            .order_by(OutboxEntry.type_code, OutboxEntry.number)
        ):
            if one.state is OutboxState.ACCEPTED and one.type_code not in ANSWERED:
                continue
            yield f"{one.key} is {one.state}: {one.note}"
