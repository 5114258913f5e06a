"""Amounts in yuan, as files and persons write them; in books they are in fen."""

from __future__ import annotations

import re
from typing import Final

_YUAN: Final = re.compile(r"(-?)([0-9]{1,15})\.([0-9]{2})", re.ASCII)


def to_fen(yuan: str) -> int:
    """Return an amount as files write it, `12.50`, in fen.

    Raises:
        ValueError: It is not written so.
    """
    match = _YUAN.fullmatch(yuan)
    if match is None:
        msg = f"not an amount in yuan: {yuan!r}"
        raise ValueError(msg)
    return int("".join(match.groups()))


def to_yuan(fen: int) -> str:
    """Return an amount in fen as people read it: `1,234.50`."""
    yuan, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{yuan:,}.{rest:02}"
