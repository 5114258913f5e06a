"""The field rules of one kind of row as tests of its columns, compiled once.

Of a field that no row has nothing is looked at, and of the others each value once,
however many rows have it. The terms are those of `row_predicate`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from counterfoil.wire.columns import Columns
from counterfoil.wire.field_terms import amount_rules, evaluated, text_rules
from counterfoil.wire.national_plan import LevelPlan

_Test = Callable[[Collection[Any]], object]
"""Returns something true if all values of a field keep its rules."""


@dataclass(frozen=True, slots=True)
class ColumnPredicate:
    """What the columns of one kind of row have to keep.

    Attributes:
        required: The fields that every row has to have.
        texts: What each text has to keep.
        amounts: What each amount has to keep.
    """

    required: frozenset[str]
    texts: dict[str, _Test]
    amounts: dict[str, _Test]

    def passes(self, columns: Columns) -> bool:
        """Tell whether all rows plainly keep the rules of their fields."""
        return (
            self.required <= columns.full
            and all(self.texts[name](each) for name, each in columns.texts_in.items())
            and all(
                self.amounts[name](each) for name, each in columns.amounts_in.items()
            )
        )


def column_predicate(descriptor: Descriptor, plan: LevelPlan) -> ColumnPredicate:
    """Return the test of the columns of rows.

    Raises:
        AssertionError: The contract has a rule that no test is made of, or rows of
            this kind have rows of their own.
    """
    names: dict[str, Any] = {}
    required, texts, amounts = set(), {}, {}
    for field in descriptor.fields:
        if field.type == FieldDescriptor.TYPE_STRING:
            text = text_rules(field, plan, names)
            is_required = text.is_required
            texts[field.name] = evaluated(
                f"lambda texts: all([{text.term} if text else {text.keeps_empty}"
                " for text in texts])",
                names,
            )
        else:
            amount = amount_rules(field)
            is_required = amount.is_required
            amounts[field.name] = evaluated(
                f"lambda fens: {amount.least} <= min(fens)"
                f" and max(fens) <= {amount.most}",
                names,
            )
        if is_required:
            required.add(field.name)
    return ColumnPredicate(frozenset(required), texts, amounts)
