"""Clearing quota (清算额度) as we know it: what finance told us, and what was cleared.

The treasury keeps the quota. We hold a copy of every notice and the receipts of our
own applications, and set both side by side each month.

Source: Hubei measures, articles 27 (1) and 29 (3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.bank.kinds import APPLICATION, REFUND_APPLICATION
from counterfoil.bank.tables import Entry, QuotaChange
from counterfoil.business.codes import PaymentWay
from counterfoil.business.planning import draft_of
from counterfoil.business.tables import OutboxEntry, OutboxState
from counterfoil.office import Form


@dataclass(frozen=True, slots=True, order=True)
class QuotaKey:
    """Whose quota it is.

    Attributes:
        way: Way of payment.
        unit: Top-level unit (一级预算单位); empty where a notice names none.
        function: Function (支出功能分类科目).
        fund: Nature of the funds (资金性质); empty where none is named.
    """

    way: PaymentWay
    unit: str
    function: str
    fund: str = ""


@dataclass(slots=True)
class QuotaLine:
    """What one quota was, became and is; amounts in fen.

    Attributes:
        unit_name: Name of the unit, if anybody told it.
        function_name: Name of the function, if anybody told it.
        before_fen: What was left before the period.
        added_fen: What notices added in it.
        cleared_fen: What was cleared in it, less what was refunded.
    """

    unit_name: str = ""
    function_name: str = ""
    before_fen: int = 0
    added_fen: int = 0
    cleared_fen: int = 0

    @property
    def left_fen(self) -> int:
        """What is left after the period."""
        return self.before_fen + self.added_fen - self.cleared_fen


@dataclass(frozen=True, slots=True)
class _Change:
    key: QuotaKey
    names: tuple[str, str]
    day: str
    added_fen: int = 0
    cleared_fen: int = 0


def quota_lines(
    session: Session, adm_div: str, fiscal_year: int, first: str, last: str
) -> dict[QuotaKey, QuotaLine]:
    """Return every quota of a year with its changes from a first to a last day."""
    lines: dict[QuotaKey, QuotaLine] = {}
    for change in (
        *_told(session, adm_div, fiscal_year),
        *_used(session, adm_div, fiscal_year),
    ):
        if change.day > last:
            continue
        line = lines.setdefault(change.key, QuotaLine())
        line.unit_name = line.unit_name or change.names[0]
        line.function_name = line.function_name or change.names[1]
        if change.day < first:
            line.before_fen += change.added_fen - change.cleared_fen
        else:
            line.added_fen += change.added_fen
            line.cleared_fen += change.cleared_fen
    return dict(sorted(lines.items()))


def _told(session: Session, adm_div: str, fiscal_year: int) -> Iterator[_Change]:
    """Yield what finance's notices changed."""
    for one in session.scalars(
        select(QuotaChange).filter_by(adm_div=adm_div, fiscal_year=fiscal_year)
    ):
        yield _Change(
            QuotaKey(PaymentWay(one.way), one.unit, one.function, one.fund),
            (one.unit_name, one.function_name),
            one.day,
            added_fen=one.amount_fen,
        )


def _used(session: Session, adm_div: str, fiscal_year: int) -> Iterator[_Change]:
    """Yield what applications used, and refunds gave back, once receipted."""
    for entry in session.scalars(
        select(OutboxEntry).where(
            OutboxEntry.type_code.in_({APPLICATION, REFUND_APPLICATION}),
            OutboxEntry.state.in_((OutboxState.RECEIPTED, OutboxState.SETTLED)),
            OutboxEntry.adm_div == adm_div,
            OutboxEntry.fiscal_year == fiscal_year,
        )
    ):
        day = session.scalar(
            select(Entry.day).where(Entry.digest == entry.digest).limit(1)
        )
        if day is None:
            continue  # people settled that nothing was done
        form = draft_of(entry).form
        way = PaymentWay(form.text("pay_type_code"))
        fund = form.text("fund_type_code")
        for row in map(Form, form.rows):
            yield _Change(
                QuotaKey(
                    way, row.text("sup_dep_code"), row.text("exp_func_code"), fund
                ),
                (row.text("sup_dep_name"), row.text("exp_func_name")),
                day,
                cleared_fen=row.fen("pay_amt_fen"),
            )
