"""Exact amounts of renminbi."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

FEN_MAX: Final = 10**17 - 1
"""Fifteen digits of yuan and two decimals, the widest amount a voucher states."""

_YUAN: Final = re.compile(r"(-?)([0-9]{1,15})\.([0-9]{2})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Amount:
    """An exact amount of renminbi.

    Attributes:
        fen: The amount in fen, 1/100 yuan; -FEN_MAX to FEN_MAX. Negative for
            refunds. Which signs a voucher may carry is a rule of its type.

    Raises:
        ValueError: `fen` is out of range.
    """

    fen: int

    def __post_init__(self) -> None:
        if abs(self.fen) > FEN_MAX:
            msg = f"fen must be within 10**17 - 1 of zero, got {self.fen}"
            raise ValueError(msg)

    @classmethod
    def from_yuan(cls, text: str) -> Amount:
        """Parse an amount as vouchers print it: `12.50`, in yuan.

        Raises:
            ValueError: The text is not one to fifteen digits, a point and two
                digits, with an optional minus sign.
        """
        match = _YUAN.fullmatch(text)
        if match is None:
            msg = f"not an amount in yuan: {text!r}"
            raise ValueError(msg)
        sign, yuan, fen = match.groups()
        return cls(int(f"{sign}{yuan}{fen}"))

    def to_yuan(self) -> str:
        """Print the amount as vouchers do: `12.50`, in yuan."""
        yuan, fen = divmod(abs(self.fen), 100)
        return f"{'-' if self.fen < 0 else ''}{yuan}.{fen:02}"
