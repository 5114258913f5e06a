"""Receipts that are copied to who never held their voucher (抄送)."""

from __future__ import annotations

from counterfoil.app.ports import Entry
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Outcome, make_recorded
from counterfoil.domain.document import Document
from counterfoil.domain.refusals import ReferenceMissing, VoucherKeyReused
from counterfoil.domain.standing import Role, Standing
from counterfoil.vault.arrival import Arrival, append_step, open_book
from counterfoil.vault.judging import key_of_step, known
from counterfoil.vault.transaction import Transaction


def is_copy(arrival: Arrival) -> bool:
    """Return whether it is a receipt whose voucher none of us issued."""
    document = arrival.document
    is_receipt = document.kind is DocumentKind.RECEIPT
    return is_receipt and document.key.issuer not in arrival.hosted


def arrive_copy(tx: Transaction, arrival: Arrival) -> Outcome:
    """Take in a receipt that was copied to us with its original inside (抄送).

    It moves nothing: whoever received the voucher too stands where it stood.
    """
    document = arrival.document
    require_original(document)
    entries = _entries_of_copy(tx, arrival)
    for entry in entries:
        before = tx.step(key_of_step(entry.document, document))
        if before is not None:
            return known(tx, before, entry.passages[0].standing)
    if not entries:
        index = open_book(tx, arrival, Standing.RECEIPTED, Role.COPY)
        return make_recorded(
            leaf=index, standing=Standing.RECEIPTED, time_us=tx.time_us
        )
    readers = [passage.recipient for passage in entries[0].passages]
    index = append_step(tx, arrival, entries[0], (), readers)
    standing = entries[0].passages[0].standing
    return make_recorded(leaf=index, standing=standing, time_us=tx.time_us)


def require_original(document: Document) -> None:
    """Check that whoever gets a copy can judge it.

    Raises:
        ReferenceMissing: The original is not inside.
    """
    if not document.encloses:
        raise ReferenceMissing("a copy without its original", key=str(document.key))


def copy_beside_issuer(tx: Transaction, arrival: Arrival) -> None:
    """Give a receipt that arrived for the issuer to those who get a copy of it too."""
    readers = arrival.copied_to()
    if not readers:
        return
    entries = _entries_of_copy(tx, arrival)
    if entries:
        append_step(tx, arrival, entries[0], (), sorted(readers))
    else:
        open_book(tx, arrival, Standing.RECEIPTED, Role.COPY)


def _entries_of_copy(tx: Transaction, arrival: Arrival) -> list[Entry]:
    """Return the entries under which those whom the copy is for know its voucher.

    A copy may come before the voucher itself: then both entries are there. Who
    received the voucher may be hosted here beside whom the copy is for, who has no
    part in that entry.

    Raises:
        VoucherKeyReused: The key is another voucher's.
    """
    document = arrival.document
    both = [tx.entry(document.key, role) for role in (Role.RECIPIENT, Role.COPY)]
    entries = [entry for entry in both if entry is not None]
    if any(entry.digest != document.subject for entry in entries):
        raise VoucherKeyReused("the key is used", key=str(document.key))
    readers = arrival.copied_to()
    return [
        entry
        for entry in entries
        if readers.issubset(passage.recipient for passage in entry.passages)
    ]
