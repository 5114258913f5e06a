"""What sealed documents say: opened once, though several steps ask for it in turn.

A voucher is checked, booked and answered soon after it came, each time by what it says.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from counterfoil.office import Receipt, Step, Voucher, opened

Content = Voucher | Receipt | Step
"""What a sealed document says."""

KEPT: Final = 1024
"""How many that were opened last are kept: what is under way."""
KEPT_BYTES_MAX: Final = 8192
"""Of what is larger only the last few are kept: all together stays below some 60 MB."""
KEPT_LARGE: Final = 8
"""How many large ones are kept; of a clearing's, what is compared with each other."""
LARGE_BYTES_MAX: Final = 131_072
"""What is larger still is opened each time."""


def content_of(sealed: bytes) -> Content:
    """Return what a sealed document says; nobody may change it.

    Raises:
        Defect: The bytes are not what the contract promises.
    """
    if len(sealed) > LARGE_BYTES_MAX:
        return opened(sealed)
    return _kept(sealed) if len(sealed) <= KEPT_BYTES_MAX else _kept_large(sealed)


@lru_cache(KEPT)
def _kept(sealed: bytes) -> Content:
    return opened(sealed)


@lru_cache(KEPT_LARGE)
def _kept_large(sealed: bytes) -> Content:
    return opened(sealed)
