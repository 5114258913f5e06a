"""The field rules of one kind of row as one expression of Python, compiled once.

A row keeps its rules if all terms are true (`field_terms.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from counterfoil.wire.field_terms import amount_rules, evaluated, text_rules
from counterfoil.wire.national_plan import LevelPlan

RowPredicate = Callable[[Message], object]
"""Returns something true if a row plainly keeps the rules of its fields."""

_WHEN_EMPTY: Final = {
    # Whether the field is required, and whether an empty text keeps its rules.
    (True, True): "((text := row.{name}) or row.HasField('{name}'))",
    (True, False): "(text := row.{name})",
    (False, True): "(not (text := row.{name}) or {term})",
    (False, False): "({term} if (text := row.{name}) else not row.HasField('{name}'))",
}


def row_predicate(descriptor: Descriptor, plan: LevelPlan) -> RowPredicate:
    """Return the test of a row's texts and amounts, but of no row inside it.

    Raises:
        AssertionError: The contract has a rule that no term is made of.
    """
    names: dict[str, Any] = {}
    terms = []
    for field in descriptor.fields:
        if field.type == FieldDescriptor.TYPE_STRING:
            terms.append(_text(field, plan, names))
        elif field.type == FieldDescriptor.TYPE_INT64:
            terms.append(_amount(field))
        else:
            assert field.is_repeated, f"{field.full_name}: no text, no amount"
    test: RowPredicate = evaluated(f"lambda row: {' and '.join(terms) or True}", names)
    return test


def _text(field: FieldDescriptor, plan: LevelPlan, names: dict[str, Any]) -> str:
    rules = text_rules(field, plan, names)
    there = _WHEN_EMPTY[rules.is_required, rules.keeps_empty]
    there = there.format(name=field.name, term=rules.term)
    return f"{there} and {rules.term}" if rules.is_required else there


def _amount(field: FieldDescriptor) -> str:
    rules = amount_rules(field)
    term = f"{rules.least} <= (fen := row.{field.name}) <= {rules.most}"
    there = f"(fen or row.HasField('{field.name}'))"
    return f"{term} and {there}" if rules.is_required else term
