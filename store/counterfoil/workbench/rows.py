"""Drafts as rows: the encoding of seals, recipients and keys in columns."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

from counterfoil.domain.draft_seals import DraftSeals
from counterfoil.domain.drafts import DraftRow
from counterfoil.domain.voucher import VoucherKey

_LENGTH: Final = struct.Struct(">I")


def seals_to_bytes(seals: Sequence[bytes]) -> bytes:
    """Join seals, each behind its length in four bytes."""
    return b"".join(_LENGTH.pack(len(seal)) + seal for seal in seals)


def seals_from_bytes(encoded: bytes) -> tuple[bytes, ...]:
    """Split what `seals_to_bytes` joined.

    Raises:
        ValueError: It is truncated.
    """
    seals: list[bytes] = []
    start = 0
    while start < len(encoded):
        body = start + _LENGTH.size
        if body > len(encoded):
            break
        start = body + _LENGTH.unpack_from(encoded, start)[0]
        seals.append(encoded[body:start])
    if start != len(encoded):
        raise ValueError("the seals of a draft are truncated")
    return tuple(seals)


def columns_of(draft: DraftRow, changed_us: int) -> tuple[Any, ...]:
    """Return what stands on a draft, in the order of its table's columns."""
    return (
        draft.party,
        draft.digest,
        draft.key.to_bytes(),
        ",".join(draft.recipients),
        len(draft.seals),
        seals_to_bytes(draft.seals),
        changed_us,
    )


def payload_columns_of(draft: DraftRow) -> tuple[Any, ...]:
    """Return what a draft says, in the order of its table's columns."""
    return draft.party, draft.digest, draft.payload


def seals_of(row: Sequence[Any]) -> DraftSeals:
    """Return what stands on a draft, from a row of the statement `seals`."""
    digest, party, key, seals = row
    return DraftSeals(
        party=party,
        digest=digest,
        type_code=VoucherKey.type_code_in(key),
        seals=seals_from_bytes(seals),
    )


def draft_of(row: Sequence[Any]) -> DraftRow:
    """Return the draft, from a row of `whole` or `whole_by_key`."""
    digest, party, key, seals, recipients, payload = row
    return DraftRow(
        party=party,
        digest=digest,
        key=VoucherKey.from_bytes(key),
        payload=payload,
        seals=seals_from_bytes(seals),
        recipients=tuple(recipients.split(",")) if recipients else (),
    )
