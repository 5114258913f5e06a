"""The bytes that a signature covers.

Source: DSSE protocol 1.0.0, section "Signature Definition".
"""

from __future__ import annotations

from typing import Final

SEAL_TYPE: Final = "application/vnd.counterfoil.seal.v1"
"""Type of a statement that is signed alone."""

BATCH_TYPE: Final = "application/vnd.counterfoil.seal-batch.v1"
"""Type of root and size of a batch of statements that is signed as one."""


def encode_for_signing(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding PAE(type, body).

    The lengths are part of it, so no two different pairs encode alike. They count
    bytes, not characters.
    """
    type_bytes = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(type_bytes), type_bytes, len(payload), payload)
