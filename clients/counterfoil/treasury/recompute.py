"""The books against the vault: what stands there is read again and compared.

The gateway keeps no accounts. What was paid and cleared, and the quota, follow from the
vouchers that were acted on; income stands in the reports that were sent of it. So the
vault, which is the truth, can tell whether our books were changed. Of a day that was
not reported yet it can say nothing about income.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import select

from counterfoil.business.money import to_yuan
from counterfoil.business.recomputing import (
    differences,
    issued_by,
    sent_to,
    vouchers_kept,
)
from counterfoil.office import Desk, Reference, Standing, Voucher
from counterfoil.treasury.accounts import QUOTA_COLUMNS, key_of
from counterfoil.treasury.books import Books, Posting, QuotaChange
from counterfoil.treasury.entries import Cleared, Entry, entry_of
from counterfoil.treasury.kinds import BOOKED, REPORTS, Office
from counterfoil.treasury.reports import reports_of

_DONE: Final = (Standing.ACTED, Standing.RECEIPTED)
"""Where a voucher stands in our vault once it was acted on."""
_SENT: Final = (
    Standing.SENT,
    Standing.ARRIVED,
    Standing.ACCEPTED,
    Standing.CLOSED,
    Standing.DISPUTED,
)
"""Where a report of ours stands that finance has, or will have."""


def recompute(desk: Desk, books: Books, office: Office) -> Iterator[str]:
    """Yield where books and vault differ, in Chinese; nothing if they agree.

    Every voucher that was acted on, and every report that was sent.

    Call it at rest: what is under way may be in the one and not yet in the other.

    Args:
        desk: The desk at our own gateway.
        books: Our books.
        office: Who we are.

    Raises:
        OfficeError: The gateway refused, or cannot be reached.
    """
    yield from _vouchers(desk, books, office)
    yield from _reports(desk, books, office)


def _vouchers(desk: Desk, books: Books, office: Office) -> Iterator[str]:
    for one in differences(booked(books), in_vault(desk, office.party)):
        if one.kept is None:
            yield f"凭证{one.name}已记账，凭证库中未办理"
        elif one.booked is None:
            yield f"凭证{one.name}已办理，未记账"
        else:
            yield (
                f"凭证{one.name}记账{to_yuan(one.booked.account_fen)}元、"
                f"额度{to_yuan(sum(one.booked.quota.values()))}元，凭证库为"
                f"{to_yuan(one.kept.account_fen)}元、"
                f"{to_yuan(sum(one.kept.quota.values()))}元"
            )


def _reports(desk: Desk, books: Books, office: Office) -> Iterator[str]:
    """Compare every daily report in the vault with the one that the books make now."""
    sent: dict[str, list[Voucher]] = {}
    for _, report in vouchers_kept(
        desk,
        types=REPORTS,
        standings=_SENT,
        wanted=issued_by(office.party),
    ):
        sent.setdefault(report.form.text("vou_date"), []).append(report)
    for day in sorted(sent):
        with books.reading() as session:
            made = {
                (one.key.type_code, one.key.number): one.form
                for one in reports_of(session, office, day)
            }
        for one in sorted(sent[day], key=lambda report: report.key):
            if made.get((one.key.type_code, one.key.number)) != one.form:
                yield f"报表{one.key}与账簿不符"


def booked(books: Books) -> dict[bytes, Entry]:
    """Return what the books say that each voucher changed, by its digest."""
    entries: dict[bytes, Entry] = {}
    postings = select(Posting.digest, Posting.function, Posting.amount_fen)
    changes = select(
        QuotaChange.digest,
        QuotaChange.payment,
        QuotaChange.amount_fen,
        *QUOTA_COLUMNS,
    )
    with books.reading() as session:
        for digest, function, fen in session.execute(postings):
            account = entries.setdefault(digest, Entry({}, {})).account
            account[function] = account.get(function, 0) + fen
        for change in session.execute(changes):
            changed = entries.setdefault(change.digest, Entry({}, {})).changes
            what = Cleared(key_of(change), change.payment)
            changed[what] = changed.get(what, 0) + change.amount_fen
    return entries


def in_vault(desk: Desk, party: str) -> Iterator[tuple[Reference, Entry]]:
    """Yield the vouchers in the vault that were acted on, and what each changes."""
    for reference, voucher in vouchers_kept(
        desk,
        types=BOOKED,
        standings=_DONE,
        wanted=sent_to(party),
    ):
        yield reference, entry_of(voucher)
