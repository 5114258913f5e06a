"""The ledger against the vault: what stands there is read again and compared.

The gateway keeps no accounts. The ledger follows from the vouchers that were receipted
or accepted, so the vault, which is the truth, can tell whether our books were changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import select

from counterfoil.business.books import SqlBooks
from counterfoil.business.money import to_yuan
from counterfoil.finance.entries import BOOKED, Entry, Line, entry_of
from counterfoil.finance.kinds import REFUND, REVENUE_REPORT
from counterfoil.finance.tables import Posting
from counterfoil.office import Desk, Standing, Voucher, enclosed, opened

_OURS: Final = sorted(BOOKED - {REFUND, REVENUE_REPORT})
"""Kinds that we issue: posted once their receipt agrees, which closes them."""


def recompute(desk: Desk, books: SqlBooks, party: str) -> Iterator[str]:
    """Yield where ledger and vault differ, in Chinese; nothing if they agree.

    Call it at rest: what is under way may be in the one and not yet in the other.

    Args:
        desk: The desk at our own gateway.
        books: Our books.
        party: Our party code.

    Raises:
        OfficeError: The gateway refused, or cannot be reached.
    """
    ours = posted(books)
    theirs = {
        digest: voucher
        for digest, voucher in in_vault(desk, party)
        if entry_of(voucher)  # a report of a day without revenue changes nothing
    }
    for digest in sorted({*ours, *theirs}):
        voucher = theirs.get(digest)
        if voucher is None:
            yield f"凭证{digest.hex()[:16]}已记账，凭证库中未办结"
        elif digest not in ours:
            yield f"凭证{voucher.key}已办结，未记账"
        elif ours[digest] != entry_of(voucher):
            booked, stated = _debits(ours[digest]), _debits(entry_of(voucher))
            yield (
                f"凭证{voucher.key}记账{to_yuan(booked)}元，"
                f"凭证库为{to_yuan(stated)}元，或科目、单位不同"
            )


def posted(books: SqlBooks) -> dict[bytes, Entry]:
    """Return what the ledger says that each voucher changed, by its digest."""
    entries: dict[bytes, dict[Line, int]] = {}
    with books.reading() as session:
        for one in session.scalars(select(Posting)):
            entry = entries.setdefault(one.digest, {})
            entry[Line(one.title, one.subject, one.unit)] = one.amount_fen
    return dict(entries)


def in_vault(desk: Desk, party: str) -> Iterator[tuple[bytes, Voucher]]:
    """Yield the vouchers in the vault that the ledger has to have.

    Ours that a receipt has closed; revenue that we accepted; refunds of which we have
    the copy of the receipt.
    """
    asked = (
        (_OURS, Standing.CLOSED),
        ([REVENUE_REPORT], Standing.ACCEPTED),
        ([REFUND], Standing.RECEIPTED),
    )
    for kinds, standing in asked:
        for found in desk.search(types=kinds, standings=[standing]):
            digest = found.voucher.digest
            if kinds is _OURS and found.voucher.key.issuer != party:
                continue
            yield digest, _original(desk.inquire(digest).documents)


def _original(documents: tuple[bytes, ...]) -> Voucher:
    """Return the voucher among the documents about it, or inside a receipt."""
    for document in documents:
        content = opened(document)
        original = content if isinstance(content, Voucher) else enclosed(document)
        if original is not None:
            return original
    msg = "the vault has a way without its voucher"
    raise ValueError(msg)


def _debits(entry: Entry) -> int:
    return sum(fen for fen in entry.values() if fen > 0)
