"""The ledger against the vault: what stands there is read again and compared.

The gateway keeps no accounts. The ledger follows from the vouchers that were receipted
or accepted, so the vault, which is the truth, can tell whether our books were changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import select

from counterfoil.business import settlements
from counterfoil.business.books import SqlBooks
from counterfoil.business.money import to_yuan
from counterfoil.business.recomputing import differences, issued_by, vouchers_kept
from counterfoil.finance.entries import BOOKED, Entry, Line, entry_of
from counterfoil.finance.kinds import REFUND, REVENUE_REPORT
from counterfoil.finance.settlements import unlike_vault
from counterfoil.finance.tables import Posting
from counterfoil.office import Desk, Reference, Standing

_OURS: Final = BOOKED - {REFUND, REVENUE_REPORT}
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
    with books.reading() as session:
        apart = settlements.settled(session)
    for one in differences(ours, in_vault(desk, party), but=apart):
        if one.kept is None:
            yield f"凭证{one.name}已记账，凭证库中未办结"
        elif one.booked is None:
            yield f"凭证{one.name}已办结，未记账"
        else:
            yield (
                f"凭证{one.name}记账{to_yuan(_debits(one.booked))}元，"
                f"凭证库为{to_yuan(_debits(one.kept))}元，或科目、单位不同"
            )
    yield from unlike_vault(desk, books, ours)


def posted(books: SqlBooks) -> dict[bytes, Entry]:
    """Return what the ledger says that each voucher changed, by its digest."""
    entries: dict[bytes, dict[Line, int]] = {}
    rows = select(
        Posting.digest, Posting.title, Posting.subject, Posting.unit, Posting.amount_fen
    )
    with books.reading() as session:
        for digest, title, subject, unit, fen in session.execute(rows):
            entries.setdefault(digest, {})[Line(title, subject, unit)] = fen
    return dict(entries)


def in_vault(desk: Desk, party: str) -> Iterator[tuple[Reference, Entry]]:
    """Yield the vouchers in the vault that the ledger has to have, and what each makes.

    Ours that a receipt has closed; revenue that we accepted; refunds of which we have
    the copy of the receipt. A report of a day without revenue makes nothing.
    """
    asked = (
        (_OURS, Standing.CLOSED, issued_by(party)),
        ({REVENUE_REPORT}, Standing.ACCEPTED, None),
        ({REFUND}, Standing.RECEIPTED, None),
    )
    for types, standing, wanted in asked:
        for reference, voucher in vouchers_kept(
            desk, types=types, standings=[standing], wanted=wanted
        ):
            if entry := entry_of(voucher):
                yield reference, entry


def _debits(entry: Entry) -> int:
    return sum(fen for fen in entry.values() if fen > 0)
