"""Income of the single account (预算收入): entered by hand, from a file, or invented.

In life it comes from the tax offices and the banks by the treasury's own network; here
it is simulated, so that there is revenue to report.
"""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Final

from sqlalchemy.orm import Session

from counterfoil.business.days import read_day
from counterfoil.business.money import to_fen
from counterfoil.treasury import closing
from counterfoil.treasury.books import Income
from counterfoil.treasury.subjects import LEVELS, REVENUE

_NUMBER: Final = re.compile(r"[!-~]{1,42}")
_SUBJECT: Final = re.compile(r"[0-9]{3,30}", re.ASCII)
COLUMNS: Final = ("number", "day", "level", "subject", "amount")
"""Of a file of income, in its first line; the amount is in yuan, `1234.50`."""

_FEN_MIN, _FEN_MAX = 10_000, 500_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """One entry of income.

    Attributes:
        number: Of the entry (流水号), 1 to 42 printable ASCII characters.
        day: On which it came in, `yyyymmdd` in China.
        level: Level of the budget (预算级次), one digit.
        subject: Subject of the budget (收入分类科目).
        amount_fen: More than zero.
    """

    number: str
    day: str
    level: str
    subject: str
    amount_fen: int


def objections(entry: Entered, today: str) -> Iterator[str]:
    """Yield why an entry cannot be booked; nothing if it can."""
    if not _NUMBER.fullmatch(entry.number):
        yield "the number is not of 1 to 42 printable characters"
    if entry.level not in LEVELS:
        yield f"there is no level {entry.level!r} of the budget"
    if not _SUBJECT.fullmatch(entry.subject):
        yield f"{entry.subject!r} is no subject of the budget"
    if entry.amount_fen <= 0:
        yield "the amount is not more than zero"
    if entry.day > today:
        yield f"{entry.day} has not come yet"


def enter(session: Session, entries: Sequence[Entered], today: str) -> list[Income]:
    """Book income; what was entered before is not booked again.

    Income of a day that was reported goes onto the next open day, with the reason.

    Args:
        session: One transaction: all of it is booked, or none.
        entries: What came in.
        today: In China, `yyyymmdd`.

    Returns:
        What was not in the books yet.

    Raises:
        ValueError: An entry cannot be booked, or its number is another's.
    """
    new: list[Income] = []
    for entry in entries:
        for objection in objections(entry, today):
            msg = f"income {entry.number}: {objection}"
            raise ValueError(msg)
        known = session.get(Income, entry.number)
        if known is None:
            new.append(_booked(session, entry))
        elif _entered(known) != entry:
            msg = f"income {entry.number}: the number is another's"
            raise ValueError(msg)
    return new


def read_income(text: str) -> list[Entered]:
    """Return the entries of a file (CSV): its first line names `COLUMNS`.

    Raises:
        ValueError: It is not such a file; the message names the line.
    """
    reader = csv.DictReader(StringIO(text))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        msg = f"the first line is not {','.join(COLUMNS)}"
        raise ValueError(msg)
    entries = []
    for row in reader:
        try:
            entries.append(
                Entered(
                    number=row["number"],
                    day=_day(row["day"]),
                    level=row["level"],
                    subject=row["subject"],
                    amount_fen=to_fen(row["amount"]),
                )
            )
        except (TypeError, ValueError) as error:
            msg = f"line {reader.line_num}: {error}"
            raise ValueError(msg) from error
    return entries


def invented(seed: int, day: str, count: int) -> list[Entered]:
    """Return income of a day, invented; the same for the same seed, day and count."""
    chance = random.Random(f"{seed}/{day}")  # noqa: S311 -- a simulation
    return [
        Entered(
            number=f"SR{day}-{seed}-{place:04}",
            day=day,
            level=chance.choice(sorted(LEVELS)),
            subject=chance.choice(sorted(REVENUE)),
            amount_fen=chance.randint(_FEN_MIN, _FEN_MAX),
        )
        for place in range(1, count + 1)
    ]


def _day(text: str) -> str:
    read_day(text)
    return text


def _booked(session: Session, entry: Entered) -> Income:
    day = closing.open_day(session, entry.day)
    income = Income(
        number=entry.number,
        level=entry.level,
        subject=entry.subject,
        amount_fen=entry.amount_fen,
        came=entry.day,
        day=day,
        reason=closing.reason(entry.day, day),
    )
    session.add(income)
    session.flush()  # the same number twice in one file is found
    return income


def _entered(income: Income) -> Entered:
    return Entered(
        number=income.number,
        day=income.came,
        level=income.level,
        subject=income.subject,
        amount_fen=income.amount_fen,
    )
