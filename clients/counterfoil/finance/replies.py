"""The treasury's statements of a month or year, answered row by row.

Revenue and expenditure (3511, 3512) are answered by what we found of each row (5511,
5512).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from counterfoil.business.planning import plan
from counterfoil.business.tables import (
    InboxEntry,
)
from counterfoil.finance import accounts
from counterfoil.finance.entries import Title, level_of
from counterfoil.finance.forms import made, next_number
from counterfoil.finance.kinds import (
    EXPENDITURE_REPLY,
    REVENUE_REPLY,
)
from counterfoil.finance.reports import ReportWork
from counterfoil.finance.verdicts import AGREES, Difference, judged, row_result
from counterfoil.office import Form, Voucher


@dataclass(frozen=True, slots=True)
class _Period:
    """The days of a statement, and of its year up to them."""

    first: str
    last: str

    @classmethod
    def of(cls, form: Form) -> _Period:
        return cls(form.text("begin_date"), form.text("end_date"))

    @property
    def new_year(self) -> str:
        return f"{self.last[:4]}0101"


class StatementWork(ReportWork):
    """A statement of a month or year, answered row by row.

    Source: Hubei measures, article 29 (1).
    """

    reply: int = 0
    """Kind of the reply."""

    def differences(self, session: Session, form: Form) -> Iterator[Difference]:
        """Yield the rows that our books do not have so."""
        raise NotImplementedError

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Plan the reply: what the statement says, and what we found."""
        form = voucher.form
        found = list(self.differences(session, form))
        main = dict(judged(found).fields)
        reason = str(main.pop("x_check_reason", ""))
        rows = tuple({**row, **row_result(found, str(row["id"]))} for row in form.rows)
        number = next_number(session, self.reply, voucher.key.fiscal_year)
        reply = made(
            self.office,
            self.reply,
            number,
            entry.day,
            Form({**form.fields, **main}, rows),
        )
        plan(session, reply, entry.day, cause=entry.digest)
        if main["x_check_result"] != AGREES:
            accounts.find_fault(session, entry.reference, reason, entry.day)
        return ()


class RevenueStatementWork(StatementWork):
    """Revenue by subject and level (3511), answered by 5511."""

    reply = REVENUE_REPLY

    def differences(self, session: Session, form: Form) -> Iterator[Difference]:
        """Yield the rows whose revenue of the period or the year is not ours."""
        period = _Period.of(form)
        current = _revenue(session, period.first, period.last)
        year = _revenue(session, period.new_year, period.last)
        stated = {
            (str(row["budget_subject_code"]), level_of(form, row)): row
            for row in form.rows
        }
        for place, row in stated.items():
            ours = (current.get(place, 0), year.get(place, 0))
            theirs = int(row["cur_income_amt_fen"]), int(row["sum_income_amt_fen"])
            if ours != theirs:
                yield Difference(str(row["id"]), f"科目{place[0]}收入与账簿不符")
        yield from _missing(form, (subject for subject, _ in {*year} - {*stated}))


class ExpenditureStatementWork(StatementWork):
    """Expenditure by function (3512), answered by 5512."""

    reply = EXPENDITURE_REPLY

    def differences(self, session: Session, form: Form) -> Iterator[Difference]:
        """Yield the rows whose expenditure of the period or the year is not ours."""
        period = _Period.of(form)
        current = accounts.paid_out(session, since=period.first, until=period.last)
        year = accounts.paid_out(session, since=period.new_year, until=period.last)
        stated = {str(row["exp_func_code"]): row for row in form.rows}
        for function, row in stated.items():
            ours = (current[function], year[function])
            theirs = int(row["cur_pay_amt_fen"]), int(row["sum_pay_amt_fen"])
            if ours != theirs:
                yield Difference(str(row["id"]), f"功能科目{function}支出与账簿不符")
        yield from _missing(form, {*year} - {*stated})


def _missing(form: Form, places: Iterable[str]) -> Iterator[Difference]:
    """Yield what no row says; only a statement of one packet says all."""
    if form.fen("child_pack_num") == 1:
        for place in sorted(set(places)):
            yield Difference("", f"报表缺少科目{place}")


def _revenue(session: Session, since: str, until: str) -> dict[tuple[str, str], int]:
    booked = accounts.by_place(session, Title.REVENUE, since=since, until=until)
    return {place: -fen for place, fen in booked.items()}
