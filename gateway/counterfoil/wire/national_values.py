"""Element texts that are not just text: amounts and numbers."""

from __future__ import annotations

import re
from typing import Final

from counterfoil.domain.money import Amount

_NUMBER: Final = re.compile(r"0|-?[1-9][0-9]{0,17}", re.ASCII)


def parse_amount(text: str) -> int:
    """Return the fen of `12.50`, yuan with two decimals.

    Only the one spelling that `print_amount` makes is taken, so that nothing is
    lost when the document is written again.

    Raises:
        ValueError: It is not an amount, or spelt otherwise.
    """
    amount = Amount.from_yuan(text)
    if amount.to_yuan() != text:
        msg = "not the one spelling of this amount"
        raise ValueError(msg)
    return amount.fen


def print_amount(fen: int) -> str:
    """Return the amount as documents state it: `12.50`.

    Raises:
        ValueError: It has more than fifteen digits of yuan.
    """
    return Amount(fen).to_yuan()


def parse_number(text: str) -> int:
    """Return the integer that the text states, in its one spelling.

    Raises:
        ValueError: It is not an integer, or spelt otherwise.
    """
    if _NUMBER.fullmatch(text) is None:
        msg = "not a decimal integer"
        raise ValueError(msg)
    return int(text)
