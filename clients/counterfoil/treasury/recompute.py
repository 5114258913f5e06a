"""The books against the vault: what stands there is read again and compared.

The gateway keeps no accounts. Single account and quota follow from the vouchers that
were acted on, so the vault, which is the truth, can tell whether our books were
changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import select

from counterfoil.office import Desk, Standing, Voucher, opened
from counterfoil.treasury.accounts import key_of
from counterfoil.treasury.books import Books, Posting, QuotaChange
from counterfoil.treasury.entries import Entry, entry_of, yuan
from counterfoil.treasury.kinds import BOOKED

_DONE: Final = (Standing.ACTED, Standing.RECEIPTED)
"""Where a voucher stands in our vault once it was acted on."""


def recompute(desk: Desk, books: Books, party: str) -> Iterator[str]:
    """Yield where books and vault differ, in Chinese; nothing if they agree.

    Call it at rest: what is under way may be in the one and not yet in the other.

    Args:
        desk: The desk at our own gateway.
        books: Our books.
        party: Our party code.

    Raises:
        OfficeError: The gateway refused, or cannot be reached.
    """
    ours = booked(books)
    theirs, names = in_vault(desk, party)
    for digest in sorted({*ours, *theirs}):
        name = names.get(digest, digest.hex()[:16])
        if digest not in theirs:
            yield f"凭证{name}已记账，凭证库中未办理"
        elif digest not in ours:
            yield f"凭证{name}已办理，未记账"
        elif ours[digest] != theirs[digest]:
            yield (
                f"凭证{name}记账{yuan(ours[digest].account_fen)}元、"
                f"额度{yuan(sum(ours[digest].quota.values()))}元，凭证库为"
                f"{yuan(theirs[digest].account_fen)}元、"
                f"{yuan(sum(theirs[digest].quota.values()))}元"
            )


def booked(books: Books) -> dict[bytes, Entry]:
    """Return what the books say that each voucher changed, by its digest."""
    entries: dict[bytes, Entry] = {}
    with books.reading() as session:
        for posting in session.scalars(select(Posting)):
            account = entries.setdefault(posting.digest, Entry({}, {})).account
            name = posting.function
            account[name] = account.get(name, 0) + posting.amount_fen
        for change in session.scalars(select(QuotaChange)):
            quota = entries.setdefault(change.digest, Entry({}, {})).quota
            key = key_of(change)
            quota[key] = quota.get(key, 0) + change.amount_fen
    return entries


def in_vault(desk: Desk, party: str) -> tuple[dict[bytes, Entry], dict[bytes, str]]:
    """Return what the vouchers in the vault change, and their names, by digest."""
    entries: dict[bytes, Entry] = {}
    names: dict[bytes, str] = {}
    for found in desk.search(types=sorted(BOOKED), standings=_DONE):
        if found.recipient != party:
            continue
        digest = found.voucher.digest
        content = opened(desk.inquire(digest).documents[0])
        assert isinstance(content, Voucher), "a way begins with its voucher"
        entries[digest] = entry_of(content)
        names[digest] = str(content.key)
    return entries, names
