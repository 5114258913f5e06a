"""Income that was entered wrongly is corrected by entries that name it (更正).

What was wrong stays as it is, and so does the report that told it. It is taken back by
an entry of the opposite sign and entered rightly by another, both on an open day; the
report of that day (3401) tells finance, whose ledger follows.

Source: Hubei measures, articles 31 and 34: whoever made the error corrects it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.outcomes import NOTE_MAX
from counterfoil.treasury import closing
from counterfoil.treasury.books import Income, IncomeCorrection
from counterfoil.treasury.incomes import Entered, objections

_NUMBER_MAX: Final = 40
"""Characters of a number that two more still fit behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """What an entry should have said; what is None, it said rightly.

    Attributes:
        level: Level of the budget (预算级次).
        subject: Subject of the budget (收入分类科目).
        amount_fen: More than zero.
    """

    level: str | None = None
    subject: str | None = None
    amount_fen: int | None = None


def correct(
    session: Session, number: str, right: Right | None, reason: str, today: str
) -> list[Income]:
    """Take an entry of income back, and enter it rightly.

    Args:
        session: One transaction.
        number: Of the wrong entry.
        right: What it should have said; None if nothing had come in.
        reason: Why, for people.
        today: Day in China, `yyyymmdd`; if it is closed, the next open one is booked.

    Returns:
        The entries that correct it: the one that takes it back first.

    Raises:
        ValueError: There is no such entry, it was corrected before or takes another
            back, what is said to be right cannot be, or is what was said.
    """
    wrong = _to_be_corrected(session, number)
    if not reason.strip():
        msg = "须说明更正原因"
        raise ValueError(msg)
    back = _booked(session, wrong, f"{number}-1", -wrong.amount_fen, reason, today)
    made = [back]
    if right is not None:
        made.append(_entered_rightly(session, wrong, right, reason, today))
    session.add(
        IncomeCorrection(
            number=number,
            reversal=back.number,
            right=made[1].number if right is not None else "",
            reason=reason[:NOTE_MAX],
            day=today,
        )
    )
    return made


def _to_be_corrected(session: Session, number: str) -> Income:
    wrong = session.get(Income, number)
    if wrong is None:
        msg = f"没有收入{number}"
        raise ValueError(msg)
    if session.get(IncomeCorrection, number) is not None:
        msg = f"收入{number}已更正"
        raise ValueError(msg)
    takes_back = select(IncomeCorrection).where(IncomeCorrection.reversal == number)
    if session.scalar(takes_back) is not None:
        msg = f"{number}是更正分录，不能再更正"
        raise ValueError(msg)
    if len(number) > _NUMBER_MAX:
        msg = f"流水号{number}超过{_NUMBER_MAX}位，应另行录入更正"
        raise ValueError(msg)
    return wrong


def _entered_rightly(
    session: Session, wrong: Income, right: Right, reason: str, today: str
) -> Income:
    entry = Entered(
        number=f"{wrong.number}-2",
        day=today,
        level=right.level or wrong.level,
        subject=right.subject or wrong.subject,
        amount_fen=wrong.amount_fen if right.amount_fen is None else right.amount_fen,
    )
    for objection in objections(entry, today):
        msg = f"income {entry.number}: {objection}"
        raise ValueError(msg)
    said = (wrong.level, wrong.subject, wrong.amount_fen)
    if said == (entry.level, entry.subject, entry.amount_fen):
        msg = f"更正后与收入{wrong.number}相同"
        raise ValueError(msg)
    made = _booked(session, wrong, entry.number, entry.amount_fen, reason, today)
    made.level, made.subject = entry.level, entry.subject
    return made


def _booked(  # noqa: PLR0913, PLR0917 -- an entry, whole
    session: Session, wrong: Income, number: str, fen: int, reason: str, today: str
) -> Income:
    """Enter what corrects an entry; its level and subject unless they are changed."""
    if session.get(Income, number) is not None:
        msg = f"流水号{number}已使用"
        raise ValueError(msg)
    day = closing.open_day(session, today)
    notes = (f"更正{wrong.number}：{reason}", closing.reason(today, day))
    made = Income(
        number=number,
        level=wrong.level,
        subject=wrong.subject,
        amount_fen=fen,
        came=today,
        day=day,
        reason="；".join(filter(None, notes))[:NOTE_MAX],
    )
    session.add(made)
    return made
