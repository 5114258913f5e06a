"""The balance sheet of the day: which numbers of which parties must be equal.

Pure: from what each party's books tell (`accounts`) to a sheet of lines. A line is a
number of the day that two or more parties know, each from its own books; a party may
know it directly, or as a sum of what it knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

Accounts = Mapping[str, Mapping[str, int]]
"""What the books of each party tell: amounts in fen and counts, by name."""


@dataclass(frozen=True, slots=True)
class Term:
    """One number in one party's books.

    Attributes:
        party: Whose.
        name: What the books call it.
        sign: 1, or -1 where it is taken off.
    """

    party: str
    name: str
    sign: int = 1


@dataclass(frozen=True, slots=True)
class Side:
    """One way to know a number: the sum of its terms.

    Attributes:
        who: Who knows it so, for people.
        terms: What is added up.
    """

    who: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A number of the day that must be the same on every side.

    Attributes:
        title: What it is.
        source: Where the measures ask for it.
        sides: Who knows it.
        is_money: Whether it is an amount in fen, not a count.
    """

    title: str
    source: str
    sides: tuple[Side, ...]
    is_money: bool = True


UNTOLD: Final = None
"""A side whose books do not tell one of its terms."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the sheet with what every side says.

    Attributes:
        line: The line.
        values: One for each side; `UNTOLD` where the books are silent.
    """

    line: Line
    values: tuple[int | None, ...]

    @property
    def agrees(self) -> bool:
        """Whether every side says the same number."""
        return UNTOLD not in self.values and len(set(self.values)) == 1

    def __str__(self) -> str:
        each = (
            f"{side.who} {'says nothing' if value is UNTOLD else value}"
            for side, value in zip(self.line.sides, self.values, strict=True)
        )
        return f"{self.line.title}: {', '.join(each)}"


def sheet(lines: Iterable[Line], accounts: Accounts) -> list[Entry]:
    """Return every line with what its sides say."""
    return [
        Entry(line, tuple(_value(side, accounts) for side in line.sides))
        for line in lines
    ]


def _value(side: Side, accounts: Accounts) -> int | None:
    total = 0
    for term in side.terms:
        told = accounts.get(term.party, {}).get(term.name)
        if told is None:
            return UNTOLD
        total += term.sign * told
    return total
