"""Many rows read by columns: the values of each field, whatever row they stand in.

protobuf merges what a reader expects once and finds several times: the fields of the
messages are put together, and lists become longer (its encoding guide, "Last One
Wins"). So whoever reads a form by a contract in which there is one row, and each field
of it is a list, is handed the columns of all its rows by protobuf's own core. To read
500 rows one by one takes four times as long, and most of that is asking for fields that
no row has.

Which row a value stood in is lost. No field of a row comes twice (a message cannot hold
it twice), so a list that is as long as there are rows has one of each.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from counterfoil.domain.value import value
from counterfoil.wire.national_plan import ROWS, AnyForm

_FIELD: Final = descriptor_pb2.FieldDescriptorProto


@value
class Columns:
    """The rows of one form, by columns.

    Attributes:
        full: The fields that every row has.
        texts_in: By field the different texts in it; not of a field that no row has.
        amounts_in: By field its amounts in fen; likewise.
    """

    full: frozenset[str]
    texts_in: dict[str, list[str]]
    amounts_in: dict[str, list[int]]

    def texts(self, name: str) -> Collection[str]:
        """Return the different texts of a field."""
        return self.texts_in.get(name, ())

    def amounts(self, name: str) -> Collection[int]:
        """Return the amounts of a field in fen, in the order of the rows."""
        return self.amounts_in.get(name, ())


def columns_of(form: AnyForm) -> Columns:
    """Return the rows of a form by columns.

    Args:
        form: A form whose kind has rows.
    """
    turned: AnyForm = _turned(form.DESCRIPTOR.full_name).FromString(
        form.SerializeToString()
    )
    rows = len(form.rows)
    full, texts, amounts = set(), {}, {}
    for field, values in turned.rows.ListFields():
        if len(values) == rows:
            full.add(field.name)
        if field.type == _FIELD.TYPE_BYTES:
            texts[field.name] = list(map(bytes.decode, set(values)))
        else:
            amounts[field.name] = values[:]
    return Columns(full=frozenset(full), texts_in=texts, amounts_in=amounts)


@cache
def _turned(full_name: str) -> type[Message]:
    """Return the class that reads the rows of a form as one row of lists."""
    form = descriptor_pool.Default().FindMessageTypeByName(full_name)
    rows = form.fields_by_name[ROWS]
    assert rows.message_type is not None, "rows are messages"
    file = descriptor_pb2.FileDescriptorProto(
        name=f"columns/{full_name}", package="columns", syntax="proto3"
    )
    lists = file.message_type.add(name="Rows")
    for field in rows.message_type.fields:
        # Equal bytes are equal texts, and bytes are made and compared sooner.
        is_text = field.type == _FIELD.TYPE_STRING
        lists.field.add(
            name=field.name,
            number=field.number,
            label=_FIELD.LABEL_REPEATED,
            type=_FIELD.TYPE_BYTES if is_text else field.type,
        )
    file.message_type.add(name="Form").field.add(
        name=ROWS,
        number=rows.number,
        label=_FIELD.LABEL_OPTIONAL,
        type=_FIELD.TYPE_MESSAGE,
        type_name=".columns.Rows",
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("columns.Form"))
