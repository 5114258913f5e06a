"""Plants one fault into a day that is over, for the final check to find."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine, delete, select

from counterfoil.app.ports import Entry
from counterfoil.bank.tables import Entry as BankEntry
from counterfoil.business.books import SqlBooks
from counterfoil.business.tables import OutboxEntry, OutboxState
from counterfoil.day.cast import (
    ABC,
    FINANCE,
    SPECIAL_ACCOUNT,
    SPECIAL_BANK,
    TREASURY,
)
from counterfoil.day.stage import Stage
from counterfoil.domain.standing import Standing
from counterfoil.finance.kinds import PAYMENT
from counterfoil.finance.tables import Receipted
from counterfoil.ledger.tables import STANDINGS, VOUCHERS
from counterfoil.treasury.books import Incoming, QuotaChange
from counterfoil.treasury.kinds import LISTED
from counterfoil.vault.lmdb_engine import LmdbEngine
from counterfoil.vault.packing import pack_entry, unpack_entry

BANK_STATEMENT: Final = 105521
"""Finance's monthly statement to an agent bank (对账单)."""
OLD_COPY: Final = "old-copy"
"""Folder with a copy of a vault from the middle of the day."""

VAULT_FILE: Final = "vault.lmdb"
"""The one file that an embedded vault is."""


def bit_flip(stage: Stage) -> None:
    """Flip one bit of a document in the bank's vault."""
    with LmdbEngine(_vault(stage, ABC.code)) as engine:
        txn, tables = engine.begin()
        with txn:
            with txn.cursor(tables.documents) as cursor:
                assert cursor.first(), "the vault has documents"
                key, document = map(bytes, cursor.item())
            middle = len(document) // 2
            flipped = bytes((document[middle] ^ 1,))
            changed = document[:middle] + flipped + document[middle + 1 :]
            txn.put(key, changed, db=tables.documents)


def truncation(stage: Stage) -> None:
    """Cut off the last third of the bank's vault file."""
    file = _vault(stage, ABC.code) / VAULT_FILE
    length = file.stat().st_size
    with file.open("r+b") as stream:
        stream.truncate(length - length // 3)


def old_copy(stage: Stage) -> None:
    """Put a copy from the middle of the day in place of the bank's vault."""
    folder = _vault(stage, ABC.code)
    shutil.rmtree(folder)
    shutil.copytree(stage.directory / OLD_COPY, folder)


def swapped_state(stage: Stage) -> None:
    """Exchange where two vouchers stand in finance's vault, check sums and all."""
    with LmdbEngine(_vault(stage, FINANCE.code)) as engine:
        txn, tables = engine.begin()
        with txn:
            found: dict[Standing, tuple[bytes, Entry]] = {}
            with txn.cursor(tables.keys) as cursor:
                for key, record in cursor:
                    entry = unpack_entry(bytes(key), bytes(record))
                    found.setdefault(entry.passages[0].standing, (bytes(key), entry))
            (one_key, one), (other_key, other) = list(found.values())[:2]
            txn.put(one_key, _standing_like(one_key, one, other), db=tables.keys)
            txn.put(other_key, _standing_like(other_key, other, one), db=tables.keys)


def missing_ledger_row(stage: Stage) -> None:
    """Delete the standing of one of finance's vouchers from the bank's ledger."""
    engine = create_engine(f"sqlite:///{stage.state(ABC.code) / 'ledger.sqlite'}")
    with engine.begin() as connection:
        voucher = connection.scalar(
            select(VOUCHERS.c.id)
            .join(STANDINGS, STANDINGS.c.voucher == VOUCHERS.c.id)
            .where(VOUCHERS.c.issuer == FINANCE.code)
            .order_by(VOUCHERS.c.id)
        )
        connection.execute(delete(STANDINGS).where(STANDINGS.c.voucher == voucher))
    engine.dispose()


def lost_receipt(stage: Stage) -> None:
    """Take one receipt of a payment out of finance's own register."""
    books = SqlBooks(stage.books(FINANCE.code))
    with books.writing() as session:
        receipt = session.scalars(
            select(Receipted).where(Receipted.type_code == PAYMENT)
        ).first()
        assert receipt is not None, "receipts have come"
        session.delete(receipt)
    books.close()


def lost_list(stage: Stage) -> None:
    """Take one list (清单) out of the treasury's own books."""
    books = SqlBooks(stage.books(TREASURY.code))
    with books.writing() as session:
        one = session.scalars(
            select(Incoming).where(Incoming.type_code.in_(LISTED))
        ).first()
        assert one is not None, "lists have come"
        session.delete(one)
    books.close()


def changed_quota(stage: Stage) -> None:
    """Let a bank have one fen more of clearing quota in the treasury's own books."""
    books = SqlBooks(stage.books(TREASURY.code))
    with books.writing() as session:
        change = session.scalars(select(QuotaChange)).first()
        assert change is not None, "quota was granted"
        change.amount_fen += 1
    books.close()


def special_fen(stage: Stage) -> None:
    """Let the special account's bank have paid one fen more, in its own books."""
    books = SqlBooks(stage.books(SPECIAL_BANK.code))
    with books.writing() as session:
        entry = session.scalars(
            select(BankEntry).where(BankEntry.account == SPECIAL_ACCOUNT)
        ).first()
        assert entry is not None, "the special account has paid"
        entry.amount_fen -= 1
    books.close()


def wrong_answer(stage: Stage) -> None:
    """Let finance's own books say that a bank's statement does not agree."""
    books = SqlBooks(stage.books(FINANCE.code))
    with books.writing() as session:
        statement = session.scalars(
            select(OutboxEntry).where(OutboxEntry.type_code == BANK_STATEMENT)
        ).first()
        assert statement is not None, "statements were sent"
        statement.state = OutboxState.DIFFERS
    books.close()


def unanswered(stage: Stage) -> None:
    """Take the answer to a statement to a bank out of finance's own books."""
    books = SqlBooks(stage.books(FINANCE.code))
    with books.writing() as session:
        statement = session.scalars(
            select(OutboxEntry).where(OutboxEntry.type_code == BANK_STATEMENT)
        ).first()
        assert statement is not None, "statements were sent"
        statement.state = OutboxState.ACCEPTED
    books.close()


FAULTS: Final[dict[str, Callable[[Stage], None]]] = {
    "bit-flip": bit_flip,
    "truncation": truncation,
    "old-copy": old_copy,
    "swapped-state": swapped_state,
    "missing-ledger-row": missing_ledger_row,
    "lost-receipt": lost_receipt,
    "lost-list": lost_list,
    "changed-quota": changed_quota,
    "special-fen": special_fen,
    "wrong-answer": wrong_answer,
    "unanswered": unanswered,
}
"""Every fault that can be planted, by name."""


def keep_old_copy(stage: Stage) -> None:
    """Copy the bank's vault as it is now; its gateway must not be running."""
    shutil.copytree(_vault(stage, ABC.code), stage.directory / OLD_COPY)


def _vault(stage: Stage, party: str) -> Path:
    return stage.state(party) / "vault"


def _standing_like(key: bytes, entry: Entry, other: Entry) -> bytes:
    """Return an entry that claims to stand where another one does."""
    passage = dataclasses.replace(
        entry.passages[0], standing=other.passages[0].standing
    )
    return pack_entry(key, dataclasses.replace(entry, passages=(passage,)))
