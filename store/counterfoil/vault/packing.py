"""How records are written down: fixed layouts, each with a check sum.

The check sum covers the key as well, so a record that was moved to another key is
as visible as one with a flipped bit. It guards against accidents; what somebody
wrote on purpose is found by `verify`, which derives everything from the log.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from zlib import crc32

from counterfoil.app.ports import Entry, Passage
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import VaultCorrupt
from counterfoil.domain.standing import Role, Standing
from counterfoil.vault.records import BUCKETS, INDEX, Bucket, LaneRow, LogRow, Title

_CHECK: Final = struct.Struct(">I")
_ROW: Final = struct.Struct(">QBHB")
_TITLE: Final = struct.Struct(">BqIHB")
_ENTRY: Final = struct.Struct(">B32sQqIB")
_PASSAGE: Final = struct.Struct(">BQBBH")
_LANE: Final = struct.Struct(">QQBQ32s32sHBB")
_KINDS: Final = {int(kind): kind for kind in DocumentKind}
_ROLES: Final = {int(role): role for role in Role}
_STANDINGS: Final = {int(standing): standing for standing in Standing}
"""Looked up: calling an enum takes ten times as long."""
_BUCKET: Final = struct.Struct(">Q32s")
_AMOUNT: Final = struct.Struct(">q")


def seal(key: bytes, body: bytes) -> bytes:
    """Return `body` behind a check sum over key and body."""
    return _CHECK.pack(crc32(body, crc32(key))) + body


def unseal(key: bytes, record: bytes) -> bytes:
    """Return the body of a record.

    Raises:
        VaultCorrupt: The check sum is wrong.
    """
    body = record[_CHECK.size :]
    if len(record) < _CHECK.size or _CHECK.pack(crc32(body, crc32(key))) != record[:4]:
        raise VaultCorrupt("a record does not match its check sum", key=key.hex())
    return body


def pack_rows(first: int, rows: Iterable[LogRow]) -> list[tuple[bytes, bytes]]:
    """Encode rows of the log from index `first` on, with their keys."""
    return [(INDEX.pack(at), pack_row(at, row)) for at, row in enumerate(rows, first)]


def pack_row(index: int, row: LogRow) -> bytes:
    """Encode a row of the log."""
    carriers = _joined(row.carriers)
    titled = row.title is not None
    head = _ROW.pack(row.opened, len(row.changes), len(carriers), titled)
    title = b"" if row.title is None else _pack_title(row.title)
    notes = (head, _pack_changes(row.changes), carriers, title, row.leaf)
    return seal(INDEX.pack(index), b"".join(notes))


def _pack_title(title: Title) -> bytes:
    recipients = _joined(title.recipients)
    numbers = (title.role, title.amount_fen, title.count, len(recipients))
    return _TITLE.pack(*numbers, len(title.key)) + recipients + title.key


def unpack_row(index: int, record: bytes) -> LogRow:
    """Decode a row of the log.

    Raises:
        VaultCorrupt: It is not what was stored under `index`.
    """
    body = unseal(INDEX.pack(index), record)
    opened, change_count, carriers_bytes, titled = _ROW.unpack_from(body)
    at = _ROW.size
    changes = tuple(
        (body[at + 2 * n], _STANDINGS[body[at + 2 * n + 1]])
        for n in range(change_count)
    )
    at += 2 * change_count
    carriers = _names(body[at : at + carriers_bytes])
    at += carriers_bytes
    title = None
    if titled:
        role, amount_fen, count, names_bytes, key_bytes = _TITLE.unpack_from(body, at)
        at += _TITLE.size
        recipients = _names(body[at : at + names_bytes])
        at += names_bytes
        title = Title(
            key=body[at : at + key_bytes],
            role=_ROLES[role],
            amount_fen=amount_fen,
            count=count,
            recipients=recipients,
        )
        at += key_bytes
    return LogRow(
        leaf=body[at:], opened=opened, changes=changes, carriers=carriers, title=title
    )


def pack_entry(key: bytes, entry: Entry) -> bytes:
    """Encode an entry of the book of keys."""
    parts = [
        _ENTRY.pack(
            entry.role,
            entry.digest,
            entry.document,
            entry.amount_fen,
            entry.count,
            len(entry.passages),
        )
    ]
    for passage in entry.passages:
        name, reason = passage.recipient.encode(), passage.refused_reason.encode()
        parts.append(
            _PASSAGE.pack(
                passage.standing,
                passage.leaf,
                len(name),
                len(passage.receipt),
                len(reason),
            )
        )
        parts += (name, passage.receipt, reason)
    return seal(key, b"".join(parts))


def unpack_entry(key: bytes, record: bytes) -> Entry:
    """Decode an entry of the book of keys.

    Raises:
        VaultCorrupt: It is not what was stored under `key`.
    """
    body = unseal(key, record)
    role, digest, document, amount_fen, count, number = _ENTRY.unpack_from(body)
    at = _ENTRY.size
    passages = []
    for _ in range(number):
        standing, leaf, name_bytes, receipt_bytes, reason_bytes = _PASSAGE.unpack_from(
            body, at
        )
        name_end = at + _PASSAGE.size + name_bytes
        receipt_end = name_end + receipt_bytes
        passages.append(
            Passage(
                recipient=body[at + _PASSAGE.size : name_end].decode(),
                standing=_STANDINGS[standing],
                leaf=leaf,
                receipt=body[name_end:receipt_end],
                refused_reason=body[receipt_end : receipt_end + reason_bytes].decode(),
            )
        )
        at = receipt_end + reason_bytes
    return Entry(
        role=_ROLES[role],
        digest=digest,
        document=document,
        amount_fen=amount_fen,
        count=count,
        passages=tuple(passages),
    )


def pack_lane(key: bytes, row: LaneRow) -> bytes:
    """Encode a row of a lane."""
    names, by = _joined(row.recipients), row.by.encode()
    head = _LANE.pack(
        row.document,
        row.opened,
        row.kind,
        row.not_before_us,
        row.digest,
        row.subject,
        len(names),
        len(by),
        len(row.key),
    )
    return seal(key, b"".join((head, names, by, row.key)))


def unpack_lane(key: bytes, record: bytes) -> LaneRow:
    """Decode a row of a lane.

    Raises:
        VaultCorrupt: It is not what was stored under `key`.
    """
    body = unseal(key, record)
    (
        document,
        opened,
        kind,
        not_before_us,
        digest,
        subject,
        names_bytes,
        by_bytes,
        key_bytes,
    ) = _LANE.unpack_from(body)
    names_end = _LANE.size + names_bytes
    by_end = names_end + by_bytes
    return LaneRow(
        document=document,
        opened=opened,
        kind=_KINDS[kind],
        digest=digest,
        subject=subject,
        key=body[by_end : by_end + key_bytes],
        by=body[names_end:by_end].decode(),
        recipients=_names(body[_LANE.size : names_end]),
        not_before_us=not_before_us,
    )


def pack_bucket(key: bytes, bucket: Bucket) -> bytes:
    """Encode a bucket."""
    total = bucket.total.to_bytes(32, "big")
    return seal(key, _BUCKET.pack(bucket.count, total))


def unpack_bucket(key: bytes, record: bytes) -> Bucket:
    """Decode a bucket.

    Raises:
        VaultCorrupt: It is not what was stored under `key`.
    """
    count, total = _BUCKET.unpack(unseal(key, record))
    return Bucket(count, int.from_bytes(total, "big"))


def pack_reference(key: bytes, amount_fen: int) -> bytes:
    """Encode the amount that a voucher states with a name."""
    return seal(key, _AMOUNT.pack(amount_fen))


def unpack_reference(key: bytes, record: bytes) -> int:
    """Decode the amount that a voucher states with a name.

    Raises:
        VaultCorrupt: It is not what was stored under `key`.
    """
    amount_fen: int = _AMOUNT.unpack(unseal(key, record))[0]
    return amount_fen


def name_key(name: str, number: int) -> bytes:
    """Return the key of row `number` of the lane, inbox or buckets of `name`."""
    return b"%b\0%b" % (name.encode(), INDEX.pack(number))


def split_name_key(key: bytes) -> tuple[str, int]:
    """Return what `name_key` put together."""
    return key[:-9].decode(), INDEX.unpack(key[-8:])[0]


# The same few parties and changes stand in row after row, so they are remembered.


@lru_cache(maxsize=1024)
def _pack_changes(changes: tuple[tuple[int, Standing], ...]) -> bytes:
    return bytes([number for change in changes for number in change])


@lru_cache(maxsize=1024)
def _joined(names: tuple[str, ...]) -> bytes:
    return ",".join(names).encode()


@lru_cache(maxsize=1024)
def _names(joined: bytes) -> tuple[str, ...]:
    return tuple(joined.decode().split(",")) if joined else ()


assert BUCKETS <= 1 << 12
