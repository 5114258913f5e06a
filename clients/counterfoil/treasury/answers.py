"""The answers to what we state: booked, and told where they do not agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from counterfoil.business.days import day_of
from counterfoil.business.tables import InboxEntry, OutboxEntry
from counterfoil.business.works import Issue, Work
from counterfoil.office import Form, Receipt, Step, Voucher
from counterfoil.treasury import alerts
from counterfoil.treasury.books import AGREES, DIFFERS, TEXT_MAX, Statement
from counterfoil.treasury.kinds import NAMES, REPLIES
from counterfoil.treasury.statements import packet_number

_UNSAID: Final = "未说明原因"


class Stated(Issue):
    """What follows on the answers to a report or statement of ours.

    Args:
        clock: Says on which day an answer came.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def receipted(
        self, session: Session, entry: OutboxEntry, voucher: Voucher, receipt: Receipt
    ) -> None:
        """Book the result (对账结果) that a receipt states.

        Source: Hubei measures, article 29 (1) and (3).
        """
        del voucher
        statement = session.get(Statement, (entry.type_code, entry.number))
        if statement is not None:
            conclude(session, statement, entry.answered, differing(receipt.form))

    def given_back(
        self, session: Session, entry: OutboxEntry, voucher: Voucher, step: Step
    ) -> None:
        """Tell people that a report came back; it can be issued again."""
        del voucher
        text = f"凭证{entry.number}被退回：{step.explanation}"
        alerts.note(session, day_of(self._clock()), text)


class Reply(Work):
    """Books the reply to a statement of a month or a year (5511, 5512)."""

    def objections(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Object to a reply to what we never stated to its issuer."""
        if _replied(session, entry, voucher) is None:
            yield f"未发出对账单{voucher.form.text('voucher_check_no')}"

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Book what finance found when it compared.

        Source: Hubei measures, article 29 (1).
        """
        statement = _replied(session, entry, voucher)
        assert statement is not None, "it was objected to"
        conclude(session, statement, entry.day, differing(voucher.form))
        return ()


def differing(form: Form) -> list[str]:
    """Return what an answer says that does not agree, in Chinese; nothing if all does.

    The main part and every row have a result of their own; one 1 is enough.
    """
    found = [
        f"第{row.get('id', '')}行：{row.get('x_check_reason') or _UNSAID}"
        for row in form.rows
        if row.get("x_check_result") == DIFFERS
    ]
    if form.text("x_check_reason"):
        found.insert(0, form.text("x_check_reason"))
    if form.text("x_check_result") == DIFFERS and not found:
        found.append(_UNSAID)
    return found


def conclude(
    session: Session, statement: Statement, day: str, differences: Sequence[str]
) -> None:
    """Book an answer; where it does not agree, tell people.

    Source: Hubei measures, article 34: what does not agree is looked into at once.

    Args:
        session: One transaction.
        statement: What was answered; a later answer stands for an earlier one.
        day: Of the answer, `yyyymmdd`.
        differences: What does not agree.
    """
    statement.result = DIFFERS if differences else AGREES
    statement.note = "；".join(differences)[:TEXT_MAX]
    statement.answered = day
    if differences:
        alerts.note(session, day, f"{described(statement)}不符：{statement.note}")


def described(statement: Statement) -> str:
    """Return what people call a statement of ours."""
    return f"{NAMES[statement.type_code]}{statement.number}"


def _replied(session: Session, entry: InboxEntry, voucher: Voucher) -> Statement | None:
    """Return what a reply answers; None if we stated nothing such to its issuer."""
    number = packet_number(
        voucher.form.text("voucher_check_no"), voucher.form.fen("cur_pack_no")
    )
    statement = session.get(Statement, (REPLIES[entry.type_code], number))
    if statement is None or statement.recipient != entry.issuer:
        return None
    return statement
