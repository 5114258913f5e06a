"""The little of DER that it takes: elements in a row, and putting one together.

What is taken apart here was parsed by `cryptography` before, so these functions find
places, they do not judge. All the same they refuse what does not fit its length.

Source: ITU-T X.690, section 8.1 and 10.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
SEQUENCE: Final = 0x30
VERSION: Final = 0xA0
"""Tag of a certificate's version: context-specific 0, constructed."""

_LONG: Final = 0x80
_LENGTH_BYTES_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class Element:
    """One element.

    Attributes:
        tag: Its tag; all of ours fit one byte.
        encoded: The whole of it.
        content: What is inside.
    """

    tag: int
    encoded: bytes
    content: bytes


def elements(encoded: bytes) -> list[Element]:
    """Return the elements that stand in a row.

    Raises:
        ValueError: One is cut off, or its length is not written in the one way.
    """
    found, at = [], 0
    while at < len(encoded):
        start, length = _length(encoded, at + 1)
        end = start + length
        if end > len(encoded):
            raise ValueError("an element is cut off")
        found.append(Element(encoded[at], encoded[at:end], encoded[start:end]))
        at = end
    return found


def inside(encoded: bytes, tag: int = SEQUENCE) -> bytes:
    """Return the content of the one element that `encoded` is.

    Raises:
        ValueError: It is not one element of that tag.
    """
    found = elements(encoded)
    if len(found) != 1 or found[0].tag != tag:
        raise ValueError("another element is expected")
    return found[0].content


def element(tag: int, content: bytes) -> bytes:
    """Return an element of that tag with that content."""
    size = len(content)
    if size < _LONG:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG | len(length))) + length + content


def _length(encoded: bytes, at: int) -> tuple[int, int]:
    """Return where the content of an element starts, and how long it is."""
    if at >= len(encoded):
        raise ValueError("an element is cut off")
    first = encoded[at]
    if first < _LONG:
        return at + 1, first
    count = first - _LONG
    digits = encoded[at + 1 : at + 1 + count]
    length = int.from_bytes(digits, "big")
    if not 0 < count <= _LENGTH_BYTES_MAX or len(digits) < count:
        raise ValueError("a length cannot be read")
    if length < _LONG or not digits[0]:
        raise ValueError("a length is not written in its shortest form")
    return at + 1 + count, length
