"""The figures of a form: which fields hold them, and what has to hold among them.

The catalogue names them by their elements; here they are fields, found once for each
form. Sums and signs of ordinary payments are the common case and stay with whoever
walks the rows anyway; what only reports and statements have is judged here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from counterfoil.domain.catalogue import Answer, Balance, SumRule, TypeRow
from counterfoil.domain.rules import payment, statement
from counterfoil.domain.violation import Violation
from counterfoil.wire.national_plan import PLANS, AnyForm, FormPlan, LevelPlan, rows_of

_PACKET: Final = ("CurPackNo", "ChildPackNum")
_PERIOD: Final = ("BeginDate", "EndDate")
_RESULT: Final = ("XCheckResult", "XCheckReason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Names of the fields of one form that hold figures; empty where there is none.

    Attributes:
        main: The main amount.
        each: A row's amount.
        count: The number of rows.
        totals: Fields of the main row that are sums of a field of the rows.
        main_balance: Before, added, taken and left in the main row; or nothing.
        row_balance: The same in a row.
        packet: This packet's number, and how many there are.
        period: First and last day.
        result: Of a statement's answer, its result and the reason; or nothing.
        row_reason: The reason in a row of such an answer.
    """

    main: str
    each: str
    count: str
    totals: tuple[tuple[str, str], ...]
    main_balance: tuple[str, ...]
    row_balance: tuple[str, ...]
    packet: tuple[str, ...]
    period: tuple[str, ...]
    result: tuple[str, ...]
    row_reason: str

    def amount_fen(self, form: AnyForm) -> int:
        """Return the amount of a form: the main row's, or else the rows' together."""
        if self.is_summed:
            return sum(getattr(row, self.each) for row in rows_of(form))
        return getattr(form, self.main) if self.main else 0

    @property
    def is_summed(self) -> bool:
        """Whether the amount is the rows' together, which no field states."""
        return bool(self.each and not self.main)

    def paid_count(self, form: AnyForm) -> int:
        """Return how many rows state an amount: one that was paid nothing does not."""
        if not self.each:
            return 0
        return sum(1 for row in rows_of(form) if getattr(row, self.each) != 0)

    @property
    def is_plain(self) -> bool:
        """Whether nothing has to hold but the sum of the rows and signs."""
        return not (
            self.count
            or self.main_balance
            or self.row_balance
            or self.packet
            or self.period
            or self.result
            or any(pair != (self.main, self.each) for pair in self.totals)
        )


@cache
def figures_of(full_name: str) -> Figures:
    """Return the figures of a voucher's or receipt's form by its message's full name.

    Raises:
        KeyError: The message is no form of the catalogue, or the catalogue names an
            element that the form does not have.
    """
    types = PLANS[full_name]
    row = types.row
    if full_name == row.receipt_form:
        assert types.receipt is not None, "a type with a receipt form has its plan"
        main, each = row.receipt_amount_element, row.receipt_row_amount_element
        return _figures(row, types.receipt, main, each, is_receipt=True)
    main, each = row.amount_element, row.row_amount_element
    return _figures(row, types.form, main, each, is_receipt=False)


def _figures(
    row: TypeRow, plan: FormPlan, main: str, each: str, *, is_receipt: bool
) -> Figures:
    totals = [(main, each)] if row.sum is SumRule.ROWS and main and each else []
    balance = None if is_receipt else row.balance
    answers = is_receipt and row.answer is Answer.STATEMENT_ANSWER
    if not is_receipt:
        totals += [pair for pair in row.totals if pair != (main, each)]
    return Figures(
        main=_field(plan.main, main),
        each=_field(plan.rows, each),
        count="" if is_receipt else _field(plan.main, row.count_element),
        totals=tuple(
            (_field(plan.main, one), _field(plan.rows, other)) for one, other in totals
        ),
        main_balance=_all_of(plan.main, _elements(balance)),
        row_balance=_all_of(plan.rows, _elements(balance)),
        packet=_all_of(plan.main, _PACKET),
        period=_all_of(plan.main, _PERIOD),
        result=_all_of(plan.main, _RESULT) if answers else (),
        row_reason=plan.rows.names.get(_RESULT[1], ""),
    )


def _field(level: LevelPlan, element: str) -> str:
    return level.by_element[element].name if element else ""


def _elements(balance: Balance | None) -> tuple[str, ...]:
    if balance is None:
        return ()
    return balance.before, balance.added, balance.taken, balance.left


def _all_of(level: LevelPlan, elements: Sequence[str]) -> tuple[str, ...]:
    """Return the fields of all these elements, or nothing if one is missing."""
    known: Mapping[str, str] = level.names
    if not all(element in known for element in elements):
        return ()
    return tuple(known[element] for element in elements)


def broken_totals(
    form: AnyForm, rows: Sequence[AnyForm], figures: Figures
) -> Iterator[Violation]:
    """Yield amounts of the main row that are not the sums that they should be.

    And a sum that is the voucher's amount, and no amount that a voucher can have.
    """
    if figures.is_summed and not payment.sum_fits(
        [getattr(row, figures.each) for row in rows]
    ):
        yield Violation(
            path="rows",
            rule="sum.range",
            text="together more than fifteen digits of yuan",
            text_zh="明细金额之和超出范围",
        )
    for main, each in figures.totals:
        amounts = [getattr(row, each) for row in rows]
        if not payment.sum_holds(getattr(form, main), amounts):
            yield Violation(
                path=main,
                rule="sum.rows",
                text="not the sum of the rows",
                text_zh="合计金额与明细金额之和不符",
            )


def broken_figures(
    form: AnyForm, rows: Sequence[AnyForm], figures: Figures
) -> Iterator[Violation]:
    """Yield what does not hold among counts, balances, packets and periods."""
    if figures.count and not statement.count_holds(
        getattr(form, figures.count), len(rows)
    ):
        yield Violation(
            path=figures.count,
            rule="count.rows",
            text="not the number of rows",
            text_zh="总笔数与明细笔数不符",
        )
    yield from _broken_balance(form, figures.main_balance, "")
    for index, row in enumerate(rows):
        yield from _broken_balance(row, figures.row_balance, f"rows[{index}].")
    if figures.packet:
        number, packets = (getattr(form, name) for name in figures.packet)
        if not statement.packet_holds(number, packets):
            yield Violation(
                path=figures.packet[0],
                rule="packet.number",
                text="the statement has no such packet",
                text_zh="本包序号不在子包总数之内",
            )
    if figures.period:
        first, last = (getattr(form, name) for name in figures.period)
        if not statement.period_holds(first, last):
            yield Violation(
                path=figures.period[1],
                rule="period.order",
                text="the period ends before it begins",
                text_zh="终止日期早于起始日期",
            )
    if figures.result:
        yield from _broken_result(form, rows, figures)


def _broken_result(
    form: AnyForm, rows: Sequence[AnyForm], figures: Figures
) -> Iterator[Violation]:
    result, reason = figures.result
    reasons = [getattr(form, reason)]
    if figures.row_reason:
        reasons += [getattr(row, figures.row_reason) for row in rows]
    if not statement.reason_holds(getattr(form, result), reasons):
        yield Violation(
            path=reason,
            rule="result.reason",
            text="a result that does not agree needs a reason",
            text_zh="对账结果不符时须填写原因",
        )


def _broken_balance(
    level: AnyForm, balance: Sequence[str], prefix: str
) -> Iterator[Violation]:
    if not balance:
        return
    before, added, taken, left = (getattr(level, name) for name in balance)
    if not statement.balance_holds(before, added, taken, left):
        yield Violation(
            path=prefix + balance[3],
            rule="balance.left",
            text="does not follow from the balance before, what was added and taken",
            text_zh="余额与上期余额及本期增减不符",
        )
