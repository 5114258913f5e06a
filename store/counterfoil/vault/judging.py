"""What judging a document needs, whichever way it came."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from counterfoil.app.ports import Entry, Passage, make_entry, make_passage
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Outcome, Recorded, make_recorded
from counterfoil.domain.document import Document
from counterfoil.domain.leaf import Leaf, make_leaf
from counterfoil.domain.refusals import (
    Corrupt,
    CounterfoilError,
    IssueOutOfOrder,
    ReceiptExists,
    VaultCorrupt,
)
from counterfoil.domain.standing import VOID, Act, Role, Standing, advance
from counterfoil.vault.records import Changes, leaf_version, step_key
from counterfoil.vault.transaction import Transaction

T = TypeVar("T")


def judged(
    rule: Callable[[Transaction, T], Outcome], tx: Transaction, subject: T
) -> Outcome:
    """Return what `rule` decides: a record or the refusal that it raised.

    Raises:
        Corrupt: What is stored cannot be judged by.
    """
    try:
        return rule(tx, subject)
    except Corrupt:
        raise
    except CounterfoilError as refusal:
        return refusal


def require_issue_order(tx: Transaction, document: Document, role: Role) -> None:
    """Check that a voucher follows the issue before, which must be void on this side.

    Raises:
        IssueOutOfOrder: It does not.
    """
    key = document.key
    if key.issue == 1:
        if document.replaces:
            raise IssueOutOfOrder("issue 1 replaces nothing", key=str(key))
        return
    before = tx.entry(replace(key, issue=key.issue - 1), role)
    if (
        before is None
        or before.digest != document.replaces
        or any(passage.standing not in VOID for passage in before.passages)
    ):
        raise IssueOutOfOrder(
            "the issue before is not void, not here, or another one", key=str(key)
        )


def require_one_receipt(document: Document, passage: Passage) -> None:
    """Check that the passage has no other receipt.

    Raises:
        ReceiptExists: It has.
    """
    if (
        document.kind is DocumentKind.RECEIPT
        and passage.receipt
        and passage.receipt != document.digest
    ):
        raise ReceiptExists("the voucher has a receipt", key=str(document.key))


def moves_of(
    role: Role, entry: Entry, concerned: Iterable[int], act: Act, kind: DocumentKind
) -> Changes:
    """Return which of the concerned passages an act moves, and where to.

    Raises:
        ActingBegun: It would take back what a recipient may be doing.
        NotInState: One of the standings does not allow the act.
    """
    moves = []
    for position in concerned:
        standing = advance(role, entry.passages[position].standing, act, kind)
        if standing is not None:
            moves.append((position, standing))
    return tuple(moves)


@lru_cache(maxsize=1024)
def all_to(standing: Standing, count: int) -> Changes:
    """Return the changes by which all of a voucher's passages come to stand alike."""
    return tuple([(at, standing) for at in range(count)])


def moved(
    entry: Entry,
    moves: Changes,
    leaf: int,
    *,
    receipt: bytes | None = None,
    reason: str | None = None,
) -> Entry:
    """Return the entry after `moves`, which `leaf` records.

    Args:
        entry: The entry before.
        moves: What changes.
        leaf: Log index of the act.
        receipt: Digest of the receipt that came with it; None keeps what is there.
        reason: Why the peer refused; None keeps what is there.
    """
    passages = list(entry.passages)
    for position, standing in moves:
        before = passages[position]
        passages[position] = make_passage(
            recipient=before.recipient,
            standing=standing,
            leaf=leaf,
            receipt=before.receipt if receipt is None else receipt,
            refused_reason=before.refused_reason if reason is None else reason,
        )
    return make_entry(
        role=entry.role,
        digest=entry.digest,
        document=entry.document,
        amount_fen=entry.amount_fen,
        count=entry.count,
        passages=tuple(passages),
    )


def position_of(entry: Entry, recipient: str) -> int | None:
    """Return where the passage to `recipient` stands, None if there is none."""
    for position, passage in enumerate(entry.passages):
        if passage.recipient == recipient:
            return position
    return None


def leaf_at(tx: Transaction, index: int) -> Leaf:
    """Return a leaf that an index of ours names.

    Raises:
        VaultCorrupt: It is not there.
    """
    row = tx.row(index)
    if row is None:
        raise VaultCorrupt("an index names a leaf that is not there", leaf=str(index))
    return Leaf.from_bytes(row.leaf)


def known(tx: Transaction, index: int, standing: Standing) -> Recorded:
    """Return the answer to what was recorded before as leaf `index`."""
    return make_recorded(
        leaf=index, standing=standing, time_us=leaf_at(tx, index).time_us, new=False
    )


def document_leaf(
    tx: Transaction, act: Act, document: Document, recipients: str = ""
) -> Leaf:
    """Return the leaf for an act on a document that came with its bytes."""
    return make_leaf(
        act=act,
        kind=document.kind,
        time_us=tx.time_us,
        subject=document.subject,
        document=document.digest,
        version=document.version,
        by=document.by,
        recipients=recipients,
    )


def voucher_leaf(
    tx: Transaction, act: Act, entry: Entry, by: str, recipients: str = ""
) -> Leaf:
    """Return the leaf for an act on a voucher that the vault holds."""
    return make_leaf(
        act=act,
        kind=DocumentKind.VOUCHER,
        time_us=tx.time_us,
        subject=entry.digest,
        document=entry.digest,
        version=_version(tx, entry.document),
        by=by,
        recipients=recipients,
    )


def _version(tx: Transaction, index: int) -> bytes:
    """Return the version that the leaf `index` states."""
    row = tx.row(index)
    if row is None:
        raise VaultCorrupt("an index names a leaf that is not there", leaf=str(index))
    return leaf_version(row.leaf)


def key_of_step(opened: int, document: Document) -> bytes:
    """Return the key under which a document about a voucher is found again."""
    return step_key(opened, document.kind, document.by, document.digest)
