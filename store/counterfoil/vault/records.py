"""What the vault keeps beside documents and leaves."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.standing import SENDS, Act, Role, Standing
from counterfoil.domain.value import maker

# The classes below are not frozen: one or more is made for every leaf, and a frozen
# one takes three times as long to make. Nobody changes one after it was made.

INDEX: Final = struct.Struct(">Q")
"""A log index as a key: big-endian, so that keys rise with the log."""


@dataclass(slots=True, kw_only=True)
class Title:
    """What the log's keeper knows of a voucher for good.

    Attributes:
        key: `VoucherKey.to_bytes`.
        role: Which side this vault keeps.
        amount_fen: Main amount.
        count: Rows.
        recipients: Those of the voucher (issuer's side), or those hosted here.
    """

    key: bytes
    role: Role
    amount_fen: int
    count: int
    recipients: tuple[str, ...]


make_title: Final = maker(Title)


Changes: TypeAlias = tuple[tuple[int, Standing], ...]
"""Positions among a voucher's passages, and the standings that they move to."""


@dataclass(slots=True, kw_only=True)
class LogRow:
    """A leaf, and what the ledger and reconciliation must know of the act.

    Attributes:
        leaf: The published encoding.
        opened: Index of the leaf that opened the voucher, where its title stands.
        changes: Position among the title's recipients and standing afterwards,
            for each recipient whose standing changed.
        carriers: Peers whose bucket sums this act changed.
        title: Set on the leaf that opened the voucher, and nowhere else.
    """

    leaf: bytes
    opened: int
    changes: Changes = ()
    carriers: tuple[str, ...] = ()
    title: Title | None = None


make_log_row: Final = maker(LogRow)


@dataclass(slots=True, kw_only=True)
class LaneRow:
    """A document that waits in a lane; its sequence is the leaf that put it there.

    Attributes:
        document: Log index where its bytes stand.
        opened: Log index that opened the voucher concerned.
        kind: What it is.
        digest: Its digest.
        subject: Digest of the voucher concerned.
        key: Key of the voucher concerned, `VoucherKey.to_bytes`.
        by: The party that issued it.
        recipients: The recipients that the lane leads to.
        not_before_us: When it may be tried again; 0 if it was not set aside.
    """

    document: int
    opened: int
    kind: DocumentKind
    digest: bytes
    subject: bytes
    key: bytes
    by: str
    recipients: tuple[str, ...]
    not_before_us: int = 0


make_lane_row: Final = maker(LaneRow)


@dataclass(slots=True)
class Bucket:
    """Documents exchanged with a peer whose digests begin alike, summed up.

    Attributes:
        count: How many.
        total: The sum of their digests, modulo 2**256.
    """

    count: int = 0
    total: int = 0

    def add(self, digest: bytes, sign: int = 1) -> Bucket:
        """Return the bucket with one more document, or with one less."""
        total = self.total + sign * int.from_bytes(digest, "big")
        return Bucket(self.count + sign, total % _TOTALS)


_NAME_PARTS: Final = 4
"""Division, year, type and number."""

BUCKETS: Final = 4096
"""Buckets per peer."""

_TOTALS: Final = 2**256


def bucket_of(digest: bytes) -> int:
    """Return the number of a digest's bucket: its first twelve bits."""
    return digest[0] << 4 | digest[1] >> 4


def lanes_fit(leaf: Leaf, carriers: Sequence[str]) -> bool:
    """Return whether an act may have put its voucher into these lanes.

    To enter is not to send, and nothing is sent without a lane.
    """
    if leaf.act in SENDS:
        return bool(carriers)
    enters = leaf.act is Act.ENTER and leaf.kind is DocumentKind.VOUCHER
    return not (enters and carriers)


def book_key(key: bytes, role: Role) -> bytes:
    """Return the key under which one side of a voucher stands in the book of keys.

    A vault that hosts issuer and recipient keeps both, side by side.

    Args:
        key: `VoucherKey.to_bytes`.
        role: Which side.
    """
    return b"%b%c" % (key, role)


def split_book_key(encoded: bytes) -> tuple[bytes, Role]:
    """Return what `book_key` put together."""
    return encoded[:-1], Role(encoded[-1])


def common_name(adm_div: str, fiscal_year: int, type_code: int, number: str) -> bytes:
    """Return how book keys begin of all vouchers that other vouchers so name.

    Those of one name differ by their issuers, issues and sides.
    """
    return f"{adm_div}\0{fiscal_year}\0{type_code}\0{number}\0".encode()


def common_name_of(key: bytes) -> bytes:
    """Return the common name that a book key, or a voucher key, begins with."""
    return b"\0".join([*key.split(b"\0", _NAME_PARTS)[:_NAME_PARTS], b""])


def reference_key(name: bytes, opened: int) -> bytes:
    """Return the key under which stands that a voucher names another one.

    Args:
        name: The common name of what is named.
        opened: Log index that opened the voucher that names it.
    """
    return b"%b%b" % (name, INDEX.pack(opened))


def split_reference_key(key: bytes) -> tuple[bytes, int]:
    """Return what `reference_key` put together."""
    return key[: -INDEX.size], INDEX.unpack(key[-INDEX.size :])[0]


def step_key(opened: int, kind: DocumentKind, by: str, digest: bytes) -> bytes:
    """Return the key under which a step about a voucher is found again.

    It begins with the log index that opened the voucher, so that keys rise with
    the log; nothing is ever looked up by a digest alone.
    """
    return b"%b%c%b\0%b" % (INDEX.pack(opened), kind, by.encode(), digest)


_SUBJECT: Final = slice(11, 43)  # of a leaf's published encoding, see `domain.leaf`
_VERSION: Final = slice(75, 107)


def leaf_subject(leaf: bytes) -> bytes:
    """Return the digest of the voucher that an encoded leaf is about."""
    return leaf[_SUBJECT]


def leaf_version(leaf: bytes) -> bytes:
    """Return the version that an encoded leaf states."""
    return leaf[_VERSION]
