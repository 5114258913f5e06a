"""A quick yes: nearly every form is in order, and that is soon seen.

`rules.check_form` has to say where each broken rule is; for a payment of 500 rows
it takes as long as a hundred seals. The screen has the same rules, compiled, and
says no more than yes or no. Its yes means that `check_form` would find nothing. Its
no means nothing at all, and the form is checked in full.
`tests/property/test_screen.py` holds it to that.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Final

from google.protobuf import descriptor_pool
from google.protobuf.message import Message

from buf.validate import validate_pb2
from counterfoil.domain.catalogue import SignRule, TypeRow
from counterfoil.domain.rules import dates, payment
from counterfoil.domain.value import value
from counterfoil.wire.column_predicate import ColumnPredicate, column_predicate
from counterfoil.wire.columns import Columns, Turned, columns_of
from counterfoil.wire.figures import Figures, broken_figures, figures_of
from counterfoil.wire.naming import broken_names
from counterfoil.wire.national_extra import broken_extras
from counterfoil.wire.national_plan import (
    PLANS,
    ROW_ID,
    ROWS,
    AnyForm,
    LevelPlan,
    form_plan,
    rows_of,
)
from counterfoil.wire.row_predicate import RowPredicate, row_predicate

_EXTRA: Final = "extra"
"""Name of the field that holds what no other field of a form knows."""


@value
class _Listed:
    """A few rows, asked one by one as `Columns` are asked for all of them."""

    rows: list[AnyForm]

    def texts(self, name: str) -> Collection[str]:
        return {getattr(row, name) for row in self.rows}

    def amounts(self, name: str) -> Collection[int]:
        return [getattr(row, name) for row in self.rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Screen:
    """What one kind of form has to keep.

    Attributes:
        main: The fields of the main row.
        row: Those of a row.
        columns: The same, of all rows at once; None where the form has no rows.
        extra: Those of extra elements.
        rows_min: How many rows there must be.
        figures: The fields that hold figures.
        has_ids: Whether rows have an id.
        has_names: Whether it names other vouchers.
        is_receipt: Whether it is a receipt's form.
        type: What the catalogue says of its type.
    """

    main: RowPredicate
    row: RowPredicate
    columns: ColumnPredicate | None
    extra: RowPredicate
    rows_min: int
    figures: Figures
    has_ids: bool
    has_names: bool
    is_receipt: bool
    type: TypeRow

    def passes(self, form: AnyForm, turned: Turned | None) -> bool:
        rows = rows_of(form)
        return (
            len(rows) >= self.rows_min
            and bool(self.main(form))
            and all(map(self.extra, form.extra))
            and not any(
                broken_extras(form.extra, None if self.is_receipt else len(rows))
            )
            and self._rows_pass(form, rows, turned)
            and (
                self.figures.is_plain
                or next(broken_figures(form, rows, self.figures), None) is None
            )
            and not (self.has_names and any(broken_names(form)))
        )

    def _rows_pass(
        self, form: AnyForm, rows: list[AnyForm], turned: Turned | None
    ) -> bool:
        """Each row keeps its rules, and all together do."""
        if self.columns is None or turned is None:
            listed = _Listed(rows=rows)
            return all(map(self.row, rows)) and self._agree(form, listed, len(rows))
        columns = columns_of(rows, turned.rows)
        return self.columns.passes(columns) and self._agree(form, columns, len(rows))

    def _agree(self, form: AnyForm, rows: _Listed | Columns, count: int) -> bool:
        """No row comes twice, sums are right, and a voucher's order is kept."""
        if self.has_ids and len(rows.texts(ROW_ID)) < count:
            return False
        # A receipt may say it all in the main row.
        totals = self.figures.totals if count or not self.is_receipt else ()
        each = self.figures.each
        if self.figures.is_summed and not payment.sum_fits(rows.amounts(each)):
            return False
        return all(
            payment.sum_holds(getattr(form, main), rows.amounts(each))
            for main, each in totals
        ) and (self.is_receipt or self._orders(form, rows))

    def _orders(self, form: AnyForm, rows: _Listed | Columns) -> bool:
        """Its year, signs, and rows that name their main row."""
        if not dates.is_of_year(form.vou_date, form.st_year):
            return False
        main, each = self.figures.main, self.figures.each
        if main and not payment.sign_holds(getattr(form, main), self.type.sign):
            return False
        sign = self.type.row_sign
        if each and sign is not SignRule.ANY:
            amounts = set(rows.amounts(each))
            if not all(payment.sign_holds(fen, sign) for fen in amounts):
                return False
        return not self.type.rows_name_main or (
            {form.id}.issuperset(rows.texts("voucher_bill_id"))
            and {form.voucher_no}.issuperset(rows.texts("voucher_bill_no"))
        )


def passes(form: Message, turned: Turned | None = None) -> bool:
    """Tell whether a form plainly keeps every rule of its type.

    Args:
        form: A message of `counterfoil.form.v1` that the catalogue names.
        turned: The same by columns, which spares reading many rows one by one.

    Returns:
        True: `check_form` would find nothing. False: it has to look.

    Raises:
        KeyError: The message is no form of the catalogue.
    """
    return _screen(form.DESCRIPTOR.full_name).passes(form, turned)


@cache
def _screen(full_name: str) -> _Screen:
    row, plan = PLANS[full_name].row, form_plan(full_name)
    is_receipt = full_name == row.receipt_form
    pool = descriptor_pool.Default()
    main = pool.FindMessageTypeByName(full_name)
    extra = main.fields_by_name[_EXTRA]
    assert extra.message_type is not None, "extra elements are messages"
    rows = main.fields_by_name.get(ROWS)
    row_type = None if rows is None else rows.message_type
    rules = None if rows is None else rows.GetOptions().Extensions[validate_pb2.field]
    return _Screen(
        main=row_predicate(main, plan.main),
        row=row_predicate(row_type, plan.rows) if row_type else bool,  # of no row
        columns=column_predicate(row_type, plan.rows) if row_type else None,
        extra=row_predicate(extra.message_type, LevelPlan(())),
        rows_min=rules.repeated.min_items if rules else 0,
        figures=figures_of(full_name),
        has_ids=ROW_ID in plan.rows.names.values(),
        has_names=bool(row.references) and not is_receipt,
        is_receipt=is_receipt,
        type=row,
    )
