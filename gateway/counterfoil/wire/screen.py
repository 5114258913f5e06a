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
from counterfoil.domain.catalogue import SignRule, SumRule, TypeRow
from counterfoil.domain.rules import payment
from counterfoil.wire.national_plan import (
    PLANS,
    ROWS,
    AnyForm,
    LevelPlan,
    form_plan,
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
        amount: Name of the field of the main amount.
        row_amount: Name of the field of a row's amount.
        is_receipt: Whether it is a receipt's form.
        row: What the catalogue says of its type.
    """

    main: RowTest
    rows: RowTest
    extra: RowTest
    rows_min: int
    amount: str
    row_amount: str
    is_receipt: bool
    row: TypeRow

    def passes(self, form: AnyForm) -> bool:
        rows: list[AnyForm] = list(form.rows)
        return (
            len(rows) >= self.rows_min
            and bool(self.main(form))
            and all(map(self.rows, rows))
            and all(map(self.extra, form.extra))
            and (self.is_receipt or self._orders(form, rows))
            and self._adds_up(form, rows)
        )

    def _orders(self, form: AnyForm, rows: list[AnyForm]) -> bool:
        """Signs, and rows that name their main row."""
        sign, each = self.row.row_sign, self.row_amount
        if not payment.sign_holds(getattr(form, self.amount), self.row.sign):
            return False
        if sign is not SignRule.ANY and not all(
            payment.sign_holds(getattr(row, each), sign) for row in rows
        ):
            return False
        names = form.id, form.voucher_no
        return not self.row.rows_name_main or all(
            (row.voucher_bill_id, row.voucher_bill_no) == names for row in rows
        )

    def _adds_up(self, form: AnyForm, rows: list[AnyForm]) -> bool:
        """The main amount is the sum of the rows; no row comes twice."""
        if len({row.id for row in rows}) < len(rows):
            return False
        # A receipt may say it all in the main row.
        if self.row.sum is not SumRule.ROWS or (self.is_receipt and not rows):
            return True
        amounts = [getattr(row, self.row_amount) for row in rows]
        return payment.sum_holds(getattr(form, self.amount), amounts)


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
    element = ("X" if is_receipt else "") + row.amount_element
    pool = descriptor_pool.Default()
    main = pool.FindMessageTypeByName(full_name)
    rows = main.fields_by_name[ROWS]
    rules = rows.GetOptions().Extensions[validate_pb2.field]
    extra = main.fields_by_name[_EXTRA]
    assert rows.message_type is not None, "rows are messages"
    assert extra.message_type is not None, "extra elements are messages"
    return _Screen(
        main=row_test(main, plan.main),
        rows=row_test(rows.message_type, plan.rows),
        extra=row_test(extra.message_type, LevelPlan(())),
        rows_min=rules.repeated.min_items,
        amount=plan.main.by_element[element].name,
        row_amount=plan.rows.by_element[element].name,
        is_receipt=is_receipt,
        row=row,
    )
