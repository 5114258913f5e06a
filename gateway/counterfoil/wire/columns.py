"""A document's rows by columns: the values of each field, whatever row they stand in.

protobuf merges what a reader expects once and finds several times: the fields of the
messages are put together, and lists become longer (its encoding guide, "Last One
Wins"). So whoever reads a form by a contract in which there is one row, and each text
of it is a list, is handed the texts of all its rows by protobuf's own core. To read 500
rows one by one takes four times as long, and most of that is asking for fields that no
row has.

Which row a text stood in is lost. A list as long as there are rows has a text of
each, if the document was read whole: then no field of a row comes twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache
from typing import Any, Final, TypeAlias

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import Message

from counterfoil.domain.value import value
from counterfoil.wire.national_plan import AnyForm

Turned: TypeAlias = Any
"""A document, a form or its rows read by columns. Its class is made of the contract,
so mypy cannot know its fields."""

_FORMS: Final = "counterfoil.form.v1"
_FIELD: Final = descriptor_pb2.FieldDescriptorProto


@value
class Columns:
    """The rows of one form, by columns.

    Attributes:
        full: The fields that every row has.
        texts_in: By field the different texts in it; not of a field that no row has.
        amounts_in: By field its amounts in fen, 0 where there is none; likewise.
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


def columns_of(rows: list[AnyForm], turned: Turned) -> Columns:
    """Return the columns of a form's rows.

    Args:
        rows: The rows.
        turned: The same by columns.
    """
    full, texts, amounts = set(), {}, {}
    for field, found in turned.ListFields():
        name = field.name
        if field.type == _FIELD.TYPE_BYTES:
            texts[name] = list(map(bytes.decode, set(found)))
            is_full = len(found) == len(rows)
        else:
            # A list of numbers could be written in two ways, a number only in one.
            amounts[name] = [getattr(row, name) for row in rows]
            is_full = 0 not in amounts[name] or all(row.HasField(name) for row in rows)
        if is_full:
            full.add(name)
    return Columns(full=frozenset(full), texts_in=texts, amounts_in=amounts)


def turn(kind: type[Message], encoded: bytes) -> Turned:
    """Return a document read by columns.

    What `kind` knows is known here too, and nothing else is: a field that is unknown
    in a row is unknown in the one row that this document has.

    Args:
        kind: The document's class.
        encoded: Its bytes, of which `kind` could be parsed.
    """
    return _turned(kind.DESCRIPTOR.full_name).FromString(encoded)


@cache
def _turned(full_name: str) -> type[Message]:
    """Return the class that reads a message by columns."""
    pool = descriptor_pool.DescriptorPool()
    document = descriptor_pool.Default().FindMessageTypeByName(full_name)
    for file in dict.fromkeys(_with_imports(document.file)):
        contract = descriptor_pb2.FileDescriptorProto()
        file.CopyToProto(contract)
        if file.package == _FORMS:
            _turn_forms(contract)
        pool.Add(contract)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(full_name))


def _with_imports(file: FileDescriptor) -> Iterator[FileDescriptor]:
    """Yield all that a file imports, and then the file."""
    for imported in file.dependencies:
        yield from _with_imports(imported)
    yield file


def _turn_forms(contract: descriptor_pb2.FileDescriptorProto) -> None:
    """Make one of what a form has several of, and lists of its texts."""
    rows = set()
    for message in contract.message_type:
        for field in message.field:
            if field.type == field.TYPE_MESSAGE:
                field.label = field.LABEL_OPTIONAL
                rows.add(field.type_name.rpartition(".")[2])
    for message in contract.message_type:
        if message.name in rows:
            _turn_row(message)


def _turn_row(message: descriptor_pb2.DescriptorProto) -> None:
    """Make lists of a row's texts, and leave numbers as they are."""
    del message.oneof_decl[:]
    for field in message.field:
        if field.type == field.TYPE_STRING:
            # Equal bytes are equal texts, and bytes are made and compared sooner.
            field.type = field.TYPE_BYTES
            field.label = field.LABEL_REPEATED
            field.ClearField("proto3_optional")
            field.ClearField("oneof_index")
        else:
            # Whether it is there is told by a "oneof" with nothing else in it.
            field.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{field.name}")
