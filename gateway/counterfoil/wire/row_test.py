"""The field rules of one kind of row as one expression of Python, compiled once.

Dataclasses make their methods in the same way. What the contract and the national
plan say of each field becomes a term, and a row keeps its rules if all terms are
true: the interpreter walks them without a call for each field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from buf.validate import validate_pb2
from counterfoil.domain.rules.payment import is_day
from counterfoil.wire.national_plan import GBK_BYTES_MAX, LevelPlan

RowTest = Callable[[Message], object]
"""Returns something true if a row plainly keeps the rules of its fields."""

_KNOWN: Final = {
    "string": {"min_len", "max_len", "pattern", "const", "in"},
    "int64": {"gte", "lte"},
}
"""The rules of the contract that terms are made of, by type of field."""
_WHEN_EMPTY: Final = {
    # Whether the field is required, and whether an empty text keeps its rules.
    (True, True): "((text := row.{name}) or row.HasField('{name}'))",
    (True, False): "(text := row.{name})",
    (False, True): "(not (text := row.{name}) or {tests})",
    (False, False): "({tests} if (text := row.{name}) else not row.HasField('{name}'))",
}


def row_test(descriptor: Descriptor, plan: LevelPlan) -> RowTest:
    """Return the test of a row's texts and amounts, but of no row inside it.

    Raises:
        AssertionError: The contract has a rule that no term is made of.
    """
    names: dict[str, Any] = {"is_day": is_day}
    terms = []
    for field in descriptor.fields:
        if field.type == FieldDescriptor.TYPE_STRING:
            terms.append(_text(field, plan, names))
        elif field.type == FieldDescriptor.TYPE_INT64:
            terms.append(_amount(field))
        else:
            assert field.is_repeated, f"{field.full_name}: no text, no amount"
    # Made of the contract of this release, which nobody sends us.
    test: RowTest = eval(f"lambda row: {' and '.join(terms) or True}", names)  # noqa: S307
    return test


def _rules_of(field: FieldDescriptor, kind: str) -> validate_pb2.FieldRules:
    rules: validate_pb2.FieldRules = field.GetOptions().Extensions[validate_pb2.field]
    stated = {rule.name for rule, _ in rules.ListFields()}
    inside = {rule.name for rule, _ in getattr(rules, kind).ListFields()}
    assert field.has_presence, f"{field.full_name}: every field of a row is optional"
    assert stated <= {"required", kind}, f"{field.full_name}: {stated}"
    assert inside <= _KNOWN[kind], f"{field.full_name}: {inside}"
    return rules


def _text(field: FieldDescriptor, plan: LevelPlan, names: dict[str, Any]) -> str:
    rules = _rules_of(field, "string")
    stated = list(_stated(rules.string, field.name, names))
    tests = " and ".join([*stated, *_planned(field, plan)]) or "True"
    empty = {**names, "text": ""}
    keeps = all(eval(test, empty) for test in stated)  # noqa: S307 -- as above
    there = _WHEN_EMPTY[rules.required, keeps].format(name=field.name, tests=tests)
    return f"{there} and {tests}" if rules.required else there


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


def _amount(field: FieldDescriptor) -> str:
    rules = _rules_of(field, "int64")
    assert rules.int64.HasField("gte"), f"{field.full_name}: not bounded"
    assert rules.int64.HasField("lte"), f"{field.full_name}: not bounded"
    term = f"{rules.int64.gte} <= (fen := row.{field.name}) <= {rules.int64.lte}"
    return (
        f"{term} and (fen or row.HasField('{field.name}'))" if rules.required else term
    )
