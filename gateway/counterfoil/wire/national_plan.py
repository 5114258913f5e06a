"""How each form maps to elements, compiled once from the contract's field options."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from operator import attrgetter
from typing import Any, Final, TypeAlias

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

import counterfoil.form.v1
from counterfoil.catalogue.v1 import options_pb2
from counterfoil.domain.catalogue import TypeRow
from counterfoil.wire.catalogue import CATALOGUE

# Every form is loaded, so that a new voucher type needs no line of code here.
for _module in pkgutil.iter_modules(counterfoil.form.v1.__path__):
    if _module.name.endswith("_pb2"):
        import_module(f"counterfoil.form.v1.{_module.name}")

AMOUNT: Final = int(options_pb2.ELEMENT_FORMAT_AMOUNT)
NUMBER: Final = int(options_pb2.ELEMENT_FORMAT_NUMBER)
DATE: Final = int(options_pb2.ELEMENT_FORMAT_DATE)

AnyForm: TypeAlias = Any
"""A form, or a row of one. Its class comes out of the catalogue, so mypy cannot
know its fields."""

ROWS: Final = "rows"
"""Name of the field that holds a form's rows."""

ROW_ID: Final = "id"
"""Name of the field that names a row; rows of some kinds have none."""


def rows_of(form: AnyForm | None) -> list[AnyForm]:
    """Return the rows of a form; none where its kind has none."""
    return list(getattr(form, ROWS, ()))


GBK_BYTES_MAX: Final = 4
"""Bytes that one character takes at most, outside GBK too (GB18030)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldPlan:
    """One field and its element.

    Attributes:
        name: The field's name.
        number: The field's number.
        element: The element's name.
        zh: What people call it.
        format: How the element's text is written.
        width: Width in bytes of GBK; 0: none.
        receipt_field: Whether the recipient fills it in.
        rank: Where it stands among its brothers.
    """

    name: str
    number: int
    element: str
    zh: str
    format: int
    width: int
    receipt_field: bool
    rank: int


@dataclass(frozen=True, slots=True)
class LevelPlan:
    """The fields of one message: a main row or a detail row.

    Attributes:
        fields: In document order.
        by_element: The same by element.
        by_number: The same by field number.
        in_order: Whether field numbers rise in document order.
        bounded: The fields whose width is bounded.
        texts: Returns their texts, in this order.
        short: How many characters always fit, in this order.
        dates: Names of the fields that hold a day.
        names: Field name by element.
        parsed: The fields that are not text.
        tags: By field number: both tags, and the format where it is not text, else 0.
    """

    fields: tuple[FieldPlan, ...]
    by_element: dict[str, FieldPlan] = field(init=False)
    by_number: dict[int, FieldPlan] = field(init=False)
    in_order: bool = field(init=False)
    bounded: tuple[FieldPlan, ...] = field(init=False)
    texts: Callable[[Message], tuple[str, ...]] = field(init=False)
    short: tuple[int, ...] = field(init=False)
    dates: tuple[str, ...] = field(init=False)
    names: dict[str, str] = field(init=False)
    parsed: tuple[FieldPlan, ...] = field(init=False)
    tags: dict[int, tuple[str, str, int]] = field(init=False)

    def __post_init__(self) -> None:
        fields = self.fields
        numbers = [each.number for each in fields]
        bounded = tuple(each for each in fields if each.width)
        parsed = tuple(each for each in fields if each.format in (AMOUNT, NUMBER))
        derived = {
            "by_element": {each.element: each for each in fields},
            "by_number": {each.number: each for each in fields},
            "in_order": numbers == sorted(numbers),
            "bounded": bounded,
            "texts": _texts([each.name for each in bounded]),
            "short": tuple(each.width // GBK_BYTES_MAX for each in bounded),
            "dates": tuple(each.name for each in fields if each.format == DATE),
            "names": {each.element: each.name for each in fields},
            "parsed": parsed,
            "tags": {
                each.number: (
                    f"<{each.element}>",
                    f"</{each.element}>",
                    each.format if each in parsed else 0,
                )
                for each in fields
            },
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)
        assert len(self.by_element) == len(fields), "an element stands for one field"


def _texts(names: Sequence[str]) -> Callable[[Message], tuple[str, ...]]:
    """Return what reads these fields of a message in one call."""
    match names:
        case []:
            return lambda _: ()
        case [name]:
            # For one name `attrgetter` returns no tuple.
            return lambda message: (getattr(message, name),)
        case _:
            return attrgetter(*names)


@dataclass(frozen=True, slots=True)
class FormPlan:
    """A form: its main row and its rows.

    Attributes:
        message: The form's class.
        main: The main row.
        rows: The rows; without fields where the form has none.
    """

    message: type[Message]
    main: LevelPlan
    rows: LevelPlan


@dataclass(frozen=True, slots=True)
class TypePlan:
    """A voucher type: its form and its receipt's.

    Attributes:
        row: What the catalogue says.
        form: The voucher's form.
        receipt: The receipt's; None where the type has no receipts.
    """

    row: TypeRow
    form: FormPlan
    receipt: FormPlan | None


def _level(descriptor: Descriptor) -> LevelPlan:
    return LevelPlan(
        tuple(
            _field(each, rank)
            for rank, each in enumerate(descriptor.fields)
            if each.GetOptions().HasExtension(options_pb2.element)
        )
    )


def _field(each: FieldDescriptor, rank: int) -> FieldPlan:
    element = each.GetOptions().Extensions[options_pb2.element]
    return FieldPlan(
        name=each.name,
        number=each.number,
        element=element.name,
        zh=element.zh,
        format=element.format,
        width=element.max_gbk_bytes,
        receipt_field=element.receipt_field,
        rank=rank,
    )


@cache
def form_plan(full_name: str) -> FormPlan:
    """Return the plan of a form by its message's full name.

    Raises:
        KeyError: There is no such message.
    """
    descriptor = descriptor_pool.Default().FindMessageTypeByName(full_name)
    rows = descriptor.fields_by_name.get(ROWS)
    row_type = None if rows is None else rows.message_type
    return FormPlan(
        message=message_factory.GetMessageClass(descriptor),
        main=_level(descriptor),
        rows=LevelPlan(()) if row_type is None else _level(row_type),
    )


@cache
def type_plan(wire_code: str) -> TypePlan:
    """Return the plan of a voucher type by its code in national documents.

    Raises:
        KeyError: The catalogue has no such type.
    """
    row = CATALOGUE.row_on_wire(wire_code)
    return TypePlan(
        row=row,
        form=form_plan(row.form),
        receipt=form_plan(row.receipt_form) if row.receipt_form else None,
    )


PLANS: Final = {
    row.form: type_plan(row.wire_code) for row in CATALOGUE.rows.values()
} | {
    row.receipt_form: type_plan(row.wire_code)
    for row in CATALOGUE.rows.values()
    if row.receipt_form
}
"""Every type's plan by the full names of its messages; a contract that names a
message that is not there does not start."""
