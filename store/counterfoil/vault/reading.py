"""Reads what the vault holds, and believes none of it before it is hashed again.

LMDB has no page checksums that Python can reach, so every document is compared
with its leaf and every leaf with the tree, each time.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256

from counterfoil.app.ports import (
    LaneItem,
    LogRecord,
    Waiting,
    make_lane_item,
    make_log_record,
)
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.document import Document
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import LeafNotFound, VaultCorrupt
from counterfoil.domain.registration import key_of_registration
from counterfoil.domain.standing import BRINGS_DOCUMENT, Act, Role
from counterfoil.domain.voucher import VoucherKey
from counterfoil.domain.witnessing import WitnessedHead
from counterfoil.tlog.checkpoint import parse_checkpoint
from counterfoil.tlog.merkle import HASH_BYTES, leaf_hash
from counterfoil.tlog.note import parse_note
from counterfoil.tlog.tiles import TILE_HASHES
from counterfoil.vault.engine import Reading
from counterfoil.vault.read_counts import ReadCounts
from counterfoil.vault.recent import Recent
from counterfoil.vault.records import LogRow, Title, book_key, step_key


def row(reading: Reading, index: int) -> LogRow:
    """Return a row of the log whose leaf is the one in the tree.

    Raises:
        LeafNotFound: There is no such leaf.
        VaultCorrupt: The row is missing, damaged or not what the tree says.
    """
    if not 0 <= index < reading.size():
        raise LeafNotFound("no such leaf", leaf=str(index))
    found = reading.row(index)
    if found is None:
        raise VaultCorrupt("a leaf is missing", leaf=str(index))
    tile, at = divmod(index, TILE_HASHES)
    hashes = reading.tile(0, tile)
    if hashes[at * HASH_BYTES : (at + 1) * HASH_BYTES] != leaf_hash(found.leaf):
        raise VaultCorrupt("a leaf is not the one in the tree", leaf=str(index))
    return found


def leaf(reading: Reading, index: int) -> Leaf:
    """Return a leaf that is the one in the tree.

    Raises:
        LeafNotFound: There is no such leaf.
        VaultCorrupt: It is damaged.
    """
    return Leaf.from_bytes(row(reading, index).leaf)


def document(reading: Reading, index: int) -> bytes:
    """Return the sealed bytes under a leaf.

    Raises:
        LeafNotFound: There is no such leaf, or it brought no document.
        VaultCorrupt: The bytes no longer match the leaf.
    """
    return sealed_bytes(reading, index, leaf(reading, index))


def documents(reading: Reading, indices: Iterable[int], bytes_max: int) -> list[bytes]:
    """Return the sealed bytes under the first of these leaves.

    As many as are `bytes_max` together, and at least one.

    Raises:
        LeafNotFound: There is no such leaf, or it brought no document.
        VaultCorrupt: The bytes no longer match the leaf.
    """
    found: list[bytes] = []
    left_bytes = bytes_max
    for index in indices:
        sealed = document(reading, index)
        left_bytes -= len(sealed)
        if found and left_bytes < 0:
            break
        found.append(sealed)
    return found


def sealed_bytes(reading: Reading, index: int, its_leaf: Leaf) -> bytes:
    """Return the sealed bytes that a leaf brought.

    Raises:
        LeafNotFound: It brought none.
        VaultCorrupt: They no longer match.
    """
    if its_leaf.act not in BRINGS_DOCUMENT:
        raise LeafNotFound("the leaf brought no document", leaf=str(index))
    sealed = reading.document(index)
    if sealed is None or sha256(sealed).digest() != its_leaf.version:
        raise VaultCorrupt("a document does not match its leaf", leaf=str(index))
    return sealed


def holds(reading: Reading, document: Document) -> bool:
    """Tell whether the log has a peer's document, with these very seals.

    Raises:
        VaultCorrupt: A record is damaged.
    """
    for role in Role:
        entry = reading.entry(book_key(document.key.to_bytes(), role))
        if entry is None:
            continue
        index: int | None = entry.document
        if document.kind is not DocumentKind.VOUCHER:
            place = (document.kind, document.by, document.digest)
            index = reading.step(step_key(entry.document, *place))
        if index is None:
            continue
        its_leaf = leaf(reading, index)
        if (its_leaf.act, its_leaf.version) == (Act.ARRIVE, document.version):
            return True
    return False


def evidence(reading: Reading, index: int) -> bytes:
    """Return the evidence that a leaf of delivery pins.

    Raises:
        LeafNotFound: The leaf is no delivery, or the peer only said that it knew
            the document.
        VaultCorrupt: The evidence is missing or no longer matches.
    """
    its_leaf = leaf(reading, index)
    if its_leaf.act is not Act.DELIVER or its_leaf.version == sha256(b"").digest():
        raise LeafNotFound("the leaf has no evidence", leaf=str(index))
    found = reading.evidence(index)
    if found is None or sha256(found[1]).digest() != its_leaf.version:
        raise VaultCorrupt("evidence does not match its leaf", leaf=str(index))
    return found[1]


def earlier_proof(reading: Reading, index: int) -> bytes:
    """Return what shows that a document that arrived was sealed earlier.

    Empty if it was judged as of its arrival.
    """
    found = reading.evidence(index)
    return found[1] if found is not None and found[0] == index else b""


def witnessed(reading: Reading, carrier: str, until_us: int) -> WitnessedHead | None:
    """Return the newest head of a peer's log that ours had witnessed by then.

    Raises:
        VaultCorrupt: Leaf, checkpoint or index is damaged.
    """
    index = reading.witnessed(carrier, until_us)
    return None if index is None else witnessed_at(reading, index)


def witnessed_at(reading: Reading, index: int) -> WitnessedHead:
    """Return the head of a peer's log that a leaf witnessed.

    Raises:
        LeafNotFound: There is no such leaf, or it witnessed none.
        VaultCorrupt: It is damaged, or the peer's checkpoint is not the one it names.
    """
    its_leaf = leaf(reading, index)
    if its_leaf.act is not Act.WITNESS:
        raise LeafNotFound("the leaf witnessed no head", leaf=str(index))
    found = reading.evidence(index)
    try:
        return witnessed_head(index, its_leaf, b"" if found is None else found[1])
    except ValueError as error:
        raise VaultCorrupt(
            "a head that was witnessed does not match its leaf", leaf=str(index)
        ) from error


def witnessed_head(index: int, its_leaf: Leaf, note: bytes) -> WitnessedHead:
    """Return the head that a leaf `WITNESS` names, by the checkpoint kept with it.

    Raises:
        ValueError: The leaf names another checkpoint, or another root.
    """
    if sha256(note).digest() != its_leaf.version:
        msg = "the leaf names another checkpoint"
        raise ValueError(msg)
    head = parse_checkpoint(parse_note(note).text).head
    if head.root != its_leaf.document:
        msg = "the checkpoint has another root than its leaf"
        raise ValueError(msg)
    return WitnessedHead(
        leaf=index,
        time_us=its_leaf.time_us,
        size=head.size,
        root=head.root,
        note=note,
    )


def certificate(reading: Reading, digest: bytes) -> bytes | None:
    """Return a certificate.

    Raises:
        VaultCorrupt: It no longer matches its digest.
    """
    der = reading.certificate(digest)
    if der is not None and sha256(der).digest() != digest:
        raise VaultCorrupt("a certificate does not match its digest")
    return der


def title(reading: Reading, opened: int) -> Title:
    """Return what the log's keeper knows of the voucher that a leaf opened.

    Raises:
        VaultCorrupt: The leaf opened none.
    """
    found = reading.row(opened)
    if found is None or found.title is None:
        raise VaultCorrupt("a leaf that opened a voucher is missing", leaf=str(opened))
    return found.title


def recent_row(reading: Reading, recent: Recent, index: int) -> tuple[LogRow, Leaf]:
    """Return a row and its leaf, from memory if they are recent.

    Raises:
        LeafNotFound: There is no such leaf.
        VaultCorrupt: It is missing, damaged or not what the tree says.
    """
    found = recent.row(index)
    if found is not None:
        return found
    stored = row(reading, index)
    return stored, Leaf.from_bytes(stored.leaf)


def recent_document(
    reading: Reading, recent: Recent, index: int, its_leaf: Leaf
) -> bytes:
    """Return the sealed bytes that a leaf brought, from memory if they are recent.

    Raises:
        LeafNotFound: It brought none.
        VaultCorrupt: They no longer match.
    """
    found = recent.document(index)
    return sealed_bytes(reading, index, its_leaf) if found is None else found


def lane(
    reading: Reading, recent: Recent, carrier: str, after: int, limit: int
) -> list[LaneItem]:
    """Return what waits in a lane.

    Raises:
        VaultCorrupt: A document does not match its leaf.
    """
    items = []
    for sequence, waits in reading.lane(carrier, after, limit):
        _, entered = recent_row(reading, recent, waits.document)
        items.append(
            make_lane_item(
                sequence=sequence,
                sealed=recent_document(reading, recent, waits.document, entered),
                leaf=entered,
                recipients=waits.recipients,
                not_before_us=waits.not_before_us,
                index=waits.document,
            )
        )
    return items


def waiting(  # noqa: PLR0913 -- what, whose, from where, and how often before
    reading: Reading,
    recent: Recent,
    party: str,
    *,
    after: int,
    limit: int,
    bytes_max: int | None,
    counts: ReadCounts,
) -> list[Waiting]:
    """Return what waits to be read by a party: so many bytes, or one document.

    Raises:
        VaultCorrupt: A document does not match its leaf.
    """
    items: list[Waiting] = []
    size = 0
    for index in reading.inbox(party, after, limit):
        arrived, its_leaf = recent_row(reading, recent, index)
        key = recent_title(reading, recent, arrived.opened).key
        sealed = recent_document(reading, recent, index, its_leaf)
        size += len(sealed)
        if items and bytes_max is not None and size > bytes_max:
            break
        items.append(
            Waiting(
                leaf_index=index,
                leaf=its_leaf,
                key=_key(key),
                sealed=sealed,
                times_read=counts.of(party, index),
            )
        )
    return items


def recent_title(reading: Reading, recent: Recent, opened: int) -> Title:
    """Return what is known of a voucher, from memory if it is recent.

    Raises:
        VaultCorrupt: The leaf opened none.
    """
    found = recent.row(opened)
    if found is not None and found[0].title is not None:
        return found[0].title
    return title(reading, opened)


_key = lru_cache(maxsize=16_384)(VoucherKey.from_bytes)
"""Keys recur with every act about a voucher."""


def records(
    reading: Reading, recent: Recent, first: int, limit: int
) -> list[LogRecord]:
    """Return acts in the order of the log.

    Raises:
        VaultCorrupt: A leaf is not the one in the tree.
    """
    found = []
    for index in range(max(first, 0), min(first + limit, reading.size())):
        act, its_leaf = recent_row(reading, recent, index)
        if its_leaf.kind is DocumentKind.REGISTRATION:
            found.append(_registration_record(index, its_leaf))
            continue
        its_title = act.title or recent_title(reading, recent, act.opened)
        names = its_title.recipients
        found.append(
            make_log_record(
                index=index,
                leaf=its_leaf,
                key=_key(its_title.key),
                amount_fen=its_title.amount_fen,
                count=its_title.count,
                role=its_title.role,
                changes=tuple([(names[at], standing) for at, standing in act.changes]),
            )
        )
    return found


def _registration_record(index: int, its_leaf: Leaf) -> LogRecord:
    """Return an act about a registration, which moves no voucher."""
    return make_log_record(
        index=index,
        leaf=its_leaf,
        key=key_of_registration(its_leaf.by, ""),
        amount_fen=0,
        count=0,
        role=Role.ISSUER,
        changes=(),
    )
