"""Python's collector of cycles, settled for a process that runs for months."""

from __future__ import annotations

import gc
from typing import Final

_YOUNG: Final = 50_000
_MIDDLE_EVERY: Final = 20
_OLD_EVERY: Final = 50


def settle() -> None:
    """Leave what is loaded alone for good, and look for cycles less often.

    A batch makes tens of thousands of small values without a cycle among them; by
    default Python would walk them after every 700. `docs/adr/0005` has the figures.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE_EVERY, _OLD_EVERY)
