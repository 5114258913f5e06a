"""Memory that a process freed and keeps, because its next batch needs as much again."""

from __future__ import annotations

import ctypes
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
"""What `mallopt` calls them (`malloc.h`)."""

KEPT_BYTES: Final = 64 * 1024 * 1024
"""What may lie freed at the end of the heap."""

_LARGE_BYTES: Final = 32 * 1024 * 1024
"""From here on a block is the system's at once; the most that glibc takes."""


def keep_freed() -> None:
    """Let the C library keep what is freed, instead of giving it back each time.

    A document of 120 KB is read into some hundred pages, which glibc by default hands
    back as soon as the document is done with; the system then has to find and clear as
    many pages for the next. `docs/adr/0010` has the figures. A C library without this
    setting goes on as it does.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
