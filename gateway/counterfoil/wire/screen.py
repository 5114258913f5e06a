"""A quick yes: nearly every form is in order, and that is soon seen.

`rules.check_form` has to say where each broken rule is; for a payment of 500 rows
it takes as long as a hundred seals. The screen has the same rules, compiled, and
says no more than yes or no. Its yes means that `check_form` would find nothing. Its
no means nothing at all, and the form is checked in full.
`tests/property/test_screen.py` holds it to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from google.protobuf import descriptor_pool
from google.protobuf.message import Message

from buf.validate import validate_pb2
from counterfoil.domain.catalogue import SignRule, TypeRow
from counterfoil.domain.rules import dates, payment
from counterfoil.wire.figures import Figures, broken_figures, figures_of
from counterfoil.wire.naming import broken_names
from counterfoil.wire.national_plan import (
    PLANS,
    ROW_ID,
    ROWS,
    AnyForm,
    LevelPlan,
    form_plan,
    rows_of,
)
from counterfoil.wire.row_test import RowTest, row_test

_EXTRA: Final = "extra"
"""Name of the field that holds what no other field of a form knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Screen:
    """What one kind of form has to keep.

    Attributes:
        main: The fields of the main row.
        rows: Those of the rows.
        extra: Those of extra elements.
        rows_min: How many rows there must be.
        figures: The fields that hold figures.
        has_ids: Whether rows have an id.
        has_names: Whether it names other vouchers.
        is_receipt: Whether it is a receipt's form.
        row: What the catalogue says of its type.
    """

    main: RowTest
    rows: RowTest
    extra: RowTest
    rows_min: int
    figures: Figures
    has_ids: bool
    has_names: bool
    is_receipt: bool
    row: TypeRow

    def passes(self, form: AnyForm) -> bool:
        rows = rows_of(form)
        return (
            len(rows) >= self.rows_min
            and bool(self.main(form))
            and all(map(self.rows, rows))
            and all(map(self.extra, form.extra))
            and (self.is_receipt or self._orders(form, rows))
            and self._adds_up(form, rows)
            and not (self.has_names and any(broken_names(form)))
        )

    def _orders(self, form: AnyForm, rows: list[AnyForm]) -> bool:
        """Its year, signs, and rows that name their main row."""
        if not dates.is_of_year(form.vou_date, form.st_year):
            return False
        sign, main, each = self.row.row_sign, self.figures.main, self.figures.each
        if main and not payment.sign_holds(getattr(form, main), self.row.sign):
            return False
        if (
            each
            and sign is not SignRule.ANY
            and not all(payment.sign_holds(getattr(row, each), sign) for row in rows)
        ):
            return False
        if not self.row.rows_name_main:
            return True
        names = form.id, form.voucher_no
        return all((row.voucher_bill_id, row.voucher_bill_no) == names for row in rows)

    def _adds_up(self, form: AnyForm, rows: list[AnyForm]) -> bool:
        """Sums and other figures hold; no row comes twice."""
        if self.has_ids and len({row.id for row in rows}) < len(rows):
            return False
        # A receipt may say it all in the main row.
        totals = self.figures.totals if rows or not self.is_receipt else ()
        return all(
            payment.sum_holds(getattr(form, main), [getattr(row, each) for row in rows])
            for main, each in totals
        ) and (
            self.figures.is_plain
            or next(broken_figures(form, rows, self.figures), None) is None
        )


def passes(form: Message) -> bool:
    """Tell whether a form plainly keeps every rule of its type.

    Args:
        form: A message of `counterfoil.form.v1` that the catalogue names.

    Returns:
        True: `check_form` would find nothing. False: it has to look.

    Raises:
        KeyError: The message is no form of the catalogue.
    """
    return _screen(form.DESCRIPTOR.full_name).passes(form)


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
        main=row_test(main, plan.main),
        rows=row_test(row_type, plan.rows) if row_type else bool,  # of no row
        extra=row_test(extra.message_type, LevelPlan(())),
        rows_min=rules.repeated.min_items if rules else 0,
        figures=figures_of(full_name),
        has_ids=ROW_ID in plan.rows.names.values(),
        has_names=bool(row.references) and not is_receipt,
        is_receipt=is_receipt,
        row=row,
    )
