"""Base64 and decimal as the C2SP texts write them: one spelling for one value.

A second spelling of the same bytes would be a second file with the same meaning.

Source: C2SP signed-note 1.0.0 and tlog-checkpoint 1.0.0, "Conventions": RFC 4648,
section 4; decimals without leading zeroes.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode

from counterfoil.tlog.errors import MalformedNote
from counterfoil.tlog.merkle import HASH_BYTES, SIZE_MAX


def encode_base64(value: bytes) -> str:
    """Return `value` in the standard alphabet, padded, on one line."""
    return b64encode(value).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Return the bytes that `encode_base64` spells as `text`.

    Raises:
        MalformedNote: `text` is not what `encode_base64` would write.
    """
    try:
        value = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedNote("not base64") from error
    # Unused bits of the last character may hide a second spelling.
    if encode_base64(value) != text:
        raise MalformedNote("not canonical base64")
    return value


def decode_hash(text: str) -> bytes:
    """Return a hash written in base64.

    Raises:
        MalformedNote: `text` is not base64 of HASH_BYTES bytes.
    """
    value = decode_base64(text)
    if len(value) != HASH_BYTES:
        raise MalformedNote("not a hash")
    return value


def decode_count(text: str) -> int:
    """Return a size or index written in ASCII decimal.

    Raises:
        MalformedNote: `text` is not a decimal from 0 to SIZE_MAX, or has leading
            zeroes.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(SIZE_MAX))):
        raise MalformedNote("not a decimal")
    value = int(text)
    if str(value) != text or value > SIZE_MAX:
        raise MalformedNote("not a decimal in range without leading zeroes")
    return value
