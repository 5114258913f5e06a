"""SM3 as the hash function of a tree.

The structure of the tree is the same as with SHA-256, prefixes included, and so is
the length of a hash; see `merkle`.

Source: GB/T 32905-2016.
"""

from __future__ import annotations

from functools import cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SM3, Hash


class Sm3Unavailable(Exception):
    """The library that computes hashes was built without SM3; says what to do."""


class _Digest:
    """What `sm3` returns, with the one method that a tree calls."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def digest(self) -> bytes:
        """Return the hash."""
        return self._value


def sm3(content: bytes) -> _Digest:
    """Hash `content`; a `merkle.HashFunction`.

    Raises:
        Sm3Unavailable: See `require_sm3`.
    """
    # A copy of an empty state costs a third less than a new one.
    state = _empty().copy()
    state.update(content)
    return _Digest(state.finalize())


def require_sm3() -> None:
    """Check that SM3 can be computed here.

    Raises:
        Sm3Unavailable: It cannot.
    """
    _empty()


@cache
def _empty() -> Hash:
    try:
        return Hash(SM3())
    except UnsupportedAlgorithm as error:
        raise Sm3Unavailable(
            "SM3 needs an OpenSSL that was built with it; the package `cryptography` "
            "as it is published on PyPI brings one along"
        ) from error
