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
"""What is larger is opened each time: all that is kept stays below some 50 MB."""


def content_of(sealed: bytes) -> Content:
    """Return what a sealed document says; nobody may change it.

    Raises:
        Defect: The bytes are not what the contract promises.
    """
    return opened(sealed) if len(sealed) > KEPT_BYTES_MAX else _kept(sealed)


@lru_cache(maxsize=KEPT)
def _kept(sealed: bytes) -> Content:
    return opened(sealed)
