"""Drafts as rows: the encoding of seals, recipients and keys in columns."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

from counterfoil.domain.drafts import DraftRow, DraftSeals
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


def columns_of(draft: DraftRow, changed_us: int) -> dict[str, Any]:
    """Return what stands on a draft as values by column."""
    return {
        "party": draft.party,
        "digest": draft.digest,
        "key": draft.key.to_bytes(),
        "recipients": ",".join(draft.recipients),
        "seal_count": len(draft.seals),
        "seals": seals_to_bytes(draft.seals),
        "changed_us": changed_us,
    }


def payload_columns_of(draft: DraftRow) -> dict[str, Any]:
    """Return what a draft says as values by column."""
    return {"party": draft.party, "digest": draft.digest, "payload": draft.payload}


def seals_of(row: Sequence[Any]) -> DraftSeals:
    """Return what stands on a draft, from a row of the statement `SEALS`."""
    digest, party, key, seals = row
    return DraftSeals(
        party=party,
        digest=digest,
        type_code=VoucherKey.from_bytes(key).type_code,
        seals=seals_from_bytes(seals),
    )


def draft_of(row: Sequence[Any]) -> DraftRow:
    """Return the draft, from a row of `WHOLE` or `WHOLE_BY_KEY`."""
    digest, party, key, seals, recipients, payload = row
    return DraftRow(
        party=party,
        digest=digest,
        key=VoucherKey.from_bytes(key),
        payload=payload,
        seals=seals_from_bytes(seals),
        recipients=tuple(recipients.split(",")) if recipients else (),
    )
