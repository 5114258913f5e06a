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
from counterfoil.office import Desk, Found, Standing, Voucher, opened
from counterfoil.treasury.accounts import key_of
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
    ours = booked(books)
    theirs, names = in_vault(desk, office.party)
    for digest in sorted({*ours, *theirs}):
        name = names.get(digest, digest.hex()[:16])
        if digest not in theirs:
            yield f"凭证{name}已记账，凭证库中未办理"
        elif digest not in ours:
            yield f"凭证{name}已办理，未记账"
        elif ours[digest] != theirs[digest]:
            yield (
                f"凭证{name}记账{to_yuan(ours[digest].account_fen)}元、"
                f"额度{to_yuan(sum(ours[digest].quota.values()))}元，凭证库为"
                f"{to_yuan(theirs[digest].account_fen)}元、"
                f"{to_yuan(sum(theirs[digest].quota.values()))}元"
            )


def _reports(desk: Desk, books: Books, office: Office) -> Iterator[str]:
    """Compare every daily report in the vault with the one that the books make now."""
    searched = desk.search(types=sorted(REPORTS), standings=_SENT)
    for found in sorted(searched, key=lambda one: one.voucher.key):
        if found.voucher.key.issuer != office.party:
            continue
        sent = _read(desk, found)
        day = sent.form.text("vou_date")
        with books.reading() as session:
            made = {
                (one.key.type_code, one.key.number): one.form
                for one in reports_of(session, office, day)
            }
        if made.get((sent.key.type_code, sent.key.number)) != sent.form:
            yield f"报表{sent.key}与账簿不符"


def booked(books: Books) -> dict[bytes, Entry]:
    """Return what the books say that each voucher changed, by its digest."""
    entries: dict[bytes, Entry] = {}
    with books.reading() as session:
        for posting in session.scalars(select(Posting)):
            account = entries.setdefault(posting.digest, Entry({}, {})).account
            name = posting.function
            account[name] = account.get(name, 0) + posting.amount_fen
        for change in session.scalars(select(QuotaChange)):
            changes = entries.setdefault(change.digest, Entry({}, {})).changes
            what = Cleared(key_of(change), change.payment)
            changes[what] = changes.get(what, 0) + change.amount_fen
    return entries


def in_vault(desk: Desk, party: str) -> tuple[dict[bytes, Entry], dict[bytes, str]]:
    """Return what the vouchers in the vault change, and their names, by digest."""
    entries: dict[bytes, Entry] = {}
    names: dict[bytes, str] = {}
    for found in desk.search(types=sorted(BOOKED), standings=_DONE):
        if found.recipient != party:
            continue
        voucher, digest = _read(desk, found), found.voucher.digest
        entries[digest] = entry_of(voucher)
        names[digest] = str(voucher.key)
    return entries, names


def _read(desk: Desk, found: Found) -> Voucher:
    content = opened(desk.inquire(found.voucher.digest).documents[0])
    assert isinstance(content, Voucher), "a way begins with its voucher"
    return content
