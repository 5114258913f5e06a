"""What a business system tells of its acting, and what it takes off its list."""

from __future__ import annotations

from counterfoil.app.ports import Entry
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Outcome, Perform, Read, Recorded
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import LeafNotFound, NotInState, VoucherNotFound
from counterfoil.domain.standing import Act, Role, Standing
from counterfoil.domain.voucher import VoucherKey
from counterfoil.vault.judging import (
    known,
    leaf_at,
    moved,
    moves_of,
    position_of,
    voucher_leaf,
)
from counterfoil.vault.records import LogRow
from counterfoil.vault.transaction import Transaction


def perform(tx: Transaction, deed: Perform) -> Outcome:
    """Record that a recipient begins or ends its act (办理).

    Raises:
        VoucherNotFound: It is not in the books with this digest for `recipient`.
        NotInState: The standing does not allow it; a second begin never is, so
            that no second payment starts.
    """
    entry = tx.entry(deed.key, Role.RECIPIENT)
    position = None if entry is None else position_of(entry, deed.recipient)
    if entry is None or position is None or entry.digest != deed.digest:
        raise VoucherNotFound("no such voucher for the party", key=str(deed.key))
    passage = entry.passages[position]
    moves = moves_of(Role.RECIPIENT, entry, (position,), deed.act, DocumentKind.VOUCHER)
    if not moves:
        if deed.act is not Act.BEGIN and leaf_at(tx, passage.leaf).act is deed.act:
            return known(tx, passage.leaf, passage.standing)
        raise NotInState(
            "the standing does not allow it",
            state=passage.standing.name,
            act=deed.act.name,
        )
    leaf = voucher_leaf(tx, deed.act, entry, deed.recipient, deed.recipient)
    index = tx.append(leaf, opened=entry.document, changes=moves)
    tx.put_entry(deed.key, moved(entry, moves, index))
    return Recorded(leaf=index, standing=moves[0][1], time_us=tx.time_us)


def read(tx: Transaction, deed: Read) -> tuple[Outcome, ...]:
    """Take documents off a party's list; nothing of it stands in the log.

    A voucher stays on the list until it is accepted, rejected or returned.
    """
    return tuple(_read_one(tx, deed.party, index) for index in deed.leaves)


def _read_one(tx: Transaction, party: str, index: int) -> Outcome:
    row = tx.row(index) if index >= 0 else None
    entry = None if row is None else _entry_of(tx, row)
    if row is None or not _concerns(tx, row, party):
        return LeafNotFound("no such document for the party", leaf=str(index))
    leaf = Leaf.from_bytes(row.leaf)
    if leaf.act is not Act.ARRIVE:
        return LeafNotFound("no document arrived there", leaf=str(index))
    standing = _standing(entry, party)
    new = tx.waits(party, index)
    if new and leaf.kind is DocumentKind.VOUCHER:
        return NotInState(
            "a voucher is accepted, rejected or returned, not read",
            state=standing.name,
            act="READ",
        )
    tx.take_off(party, index)
    return Recorded(leaf=index, standing=standing, time_us=leaf.time_us, new=new)


def _entry_of(tx: Transaction, row: LogRow) -> Entry | None:
    opening = tx.row(row.opened)
    if opening is None or opening.title is None:
        return None
    return tx.entry(opening.title.key, opening.title.role)


def _concerns(tx: Transaction, row: LogRow, party: str) -> bool:
    """Return whether the act is about a voucher that `party` issued or received."""
    opening = tx.row(row.opened)
    if opening is None or opening.title is None:
        return False
    title = opening.title
    if title.role is Role.ISSUER:
        return VoucherKey.from_bytes(title.key).issuer == party
    return party in title.recipients


def _standing(entry: Entry | None, party: str) -> Standing:
    if entry is None:
        return Standing.DRAFT
    position = position_of(entry, party)
    return entry.passages[position or 0].standing
