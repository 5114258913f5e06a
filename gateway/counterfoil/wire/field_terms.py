"""The rules of one field as a term of Python over its value.

What the contract and the national plan say of a field becomes a text. `row_predicate`
and `column_predicate` put such texts together and compile them once, as dataclasses
make their methods: the interpreter walks them without a call for each field or value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor

from buf.validate import validate_pb2
from counterfoil.domain.rules.payment import is_day
from counterfoil.wire.national_plan import GBK_BYTES_MAX, LevelPlan
from counterfoil.wire.national_text import UNWRITABLE

_KNOWN: Final = {
    "string": {"min_len", "max_len", "pattern", "const", "in"},
    "int64": {"gte", "lte"},
}
"""The rules of the contract that terms are made of, by type of field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRules:
    """What a text has to keep.

    Attributes:
        is_required: Whether the field has to be there.
        term: True of a `text` that keeps all rules; it is not empty.
        keeps_empty: Whether an empty text keeps them.
    """

    is_required: bool
    term: str
    keeps_empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountRules:
    """What an amount has to keep.

    Attributes:
        is_required: Whether the field has to be there.
        least: Fen at least.
        most: Fen at most.
    """

    is_required: bool
    least: int
    most: int


def text_rules(
    field: FieldDescriptor, plan: LevelPlan, names: dict[str, Any]
) -> TextRules:
    """Return the rules of a text.

    Args:
        field: The field.
        plan: The plan of its row.
        names: Takes in what the term calls; for all fields of a row.

    Raises:
        AssertionError: It has a rule that no term is made of.
    """
    rules = _rules_of(field, "string")
    names["is_day"], names["unwritable"] = is_day, UNWRITABLE.search
    stated = list(_stated(rules.string, field.name, names))
    empty = {**names, "text": ""}
    return TextRules(
        is_required=rules.required,
        term=" and ".join([*stated, *_planned(field, plan), *_written(rules.string)])
        or "True",
        keeps_empty=all(evaluated(term, empty) for term in stated),
    )


def amount_rules(field: FieldDescriptor) -> AmountRules:
    """Return the rules of an amount.

    Raises:
        AssertionError: It has a rule that no term is made of, or is not bounded.
    """
    rules = _rules_of(field, "int64")
    assert rules.int64.HasField("gte"), f"{field.full_name}: not bounded"
    assert rules.int64.HasField("lte"), f"{field.full_name}: not bounded"
    return AmountRules(
        is_required=rules.required, least=rules.int64.gte, most=rules.int64.lte
    )


def evaluated(expression: str, names: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return what an expression made of the rules of the contract comes to."""
    # Made of the contract of this release, which nobody sends us.
    return eval(expression, names)  # noqa: S307


def _rules_of(field: FieldDescriptor, kind: str) -> validate_pb2.FieldRules:
    rules: validate_pb2.FieldRules = field.GetOptions().Extensions[validate_pb2.field]
    stated = {rule.name for rule, _ in rules.ListFields()}
    inside = {rule.name for rule, _ in getattr(rules, kind).ListFields()}
    assert field.has_presence, f"{field.full_name}: every field of a row is optional"
    assert stated <= {"required", kind}, f"{field.full_name}: {stated}"
    assert inside <= _KNOWN[kind], f"{field.full_name}: {inside}"
    return rules


def _stated(
    rules: validate_pb2.StringRules, name: str, names: dict[str, Any]
) -> Iterator[str]:
    """Yield what the contract demands of a text."""
    if rules.HasField("pattern"):
        names[f"match_{name}"] = re.compile(rules.pattern, re.ASCII).fullmatch
        yield f"match_{name}(text)"
    if rules.HasField("const"):
        yield f"text == {rules.const!r}"
    if getattr(rules, "in"):
        yield f"text in {tuple(getattr(rules, 'in'))!r}"
    if rules.HasField("min_len"):
        yield f"len(text) >= {rules.min_len}"
    if rules.HasField("max_len"):
        yield f"len(text) <= {rules.max_len}"


def _written(rules: validate_pb2.StringRules) -> Iterator[str]:
    """Yield that XML can carry a text of which the contract does not say it."""
    if not (rules.HasField("pattern") or rules.HasField("const")):
        # Nearly all are printable, which is sooner asked.
        yield "(text.isprintable() or not unwritable(text))"


def _planned(field: FieldDescriptor, plan: LevelPlan) -> Iterator[str]:
    """Yield what a national document demands of a text besides."""
    each = plan.by_number.get(field.number)
    if each is not None and each.width:
        # Most are so short that they fit whatever their characters are.
        yield (
            f"(len(text) <= {each.width // GBK_BYTES_MAX}"
            f" or len(text) <= {each.width} and text.isascii()"
            f" or len(text.encode('gb18030')) <= {each.width})"
        )
    if field.name in plan.dates:
        yield "is_day(text)"
