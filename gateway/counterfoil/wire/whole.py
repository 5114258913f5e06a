"""Messages whose bytes say what we read in them, and nothing besides.

A field that this release does not know could change what a voucher means, and a field
that comes twice means to one reader what it does not to another. Both show in the size:
what is left of the message would be encoded in fewer bytes.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from counterfoil.domain.value import value
from counterfoil.wire.columns import Turned, turn

AnyMessage = TypeVar("AnyMessage", bound=Message)

LARGE_BYTES: Final = 2_048
"""Documents of this size are read by columns too; the rows of smaller ones are looked
at sooner one by one."""


@value
class Paper(Generic[AnyMessage]):
    """A document with a form, all of whose bytes are understood.

    Attributes:
        message: What it says.
        turned: The same by columns; None if it is small.
    """

    message: AnyMessage
    turned: Turned | None

    @classmethod
    def of(cls, message: AnyMessage) -> Paper[AnyMessage]:
        """Return a document that was composed here."""
        encoded = message.SerializeToString()
        is_large = len(encoded) >= LARGE_BYTES
        return cls(
            message=message, turned=turn(type(message), encoded) if is_large else None
        )


def parse_whole(kind: type[AnyMessage], encoded: bytes, *, what: str) -> AnyMessage:
    """Parse a message all of whose bytes are understood.

    Args:
        kind: The message's class.
        encoded: Its bytes.
        what: What people call it, for the refusal.

    Raises:
        ValueError: The bytes are no such message, or say more than is understood.
    """
    message = _parsed(kind, encoded, what)
    message.DiscardUnknownFields()
    if message.ByteSize() != len(encoded):
        raise _says_more(what)
    return message


def parse_paper(
    kind: type[AnyMessage], encoded: bytes, *, what: str
) -> Paper[AnyMessage]:
    """Parse a document with a form, all of whose bytes are understood.

    Raises:
        ValueError: The bytes are no such document, or say more than is understood.
    """
    if len(encoded) < LARGE_BYTES:
        return Paper(message=parse_whole(kind, encoded, what=what), turned=None)
    message = _parsed(kind, encoded, what)
    turned = turn(kind, encoded)
    # Instead of going through 500 rows for what nobody knows: here they are one.
    if _has_unknown(turned) or message.ByteSize() != len(encoded):
        raise _says_more(what)
    return Paper(message=message, turned=turned)


def _parsed(kind: type[AnyMessage], encoded: bytes, what: str) -> AnyMessage:
    try:
        return kind.FromString(encoded)
    except DecodeError as error:
        msg = f"not a {what}"
        raise ValueError(msg) from error


def _has_unknown(message: Message) -> bool:
    """Tell whether a message, or one inside it, has fields that nobody knows."""
    return len(UnknownFieldSet(message)) > 0 or any(
        _has_unknown(inside)
        for field, inside in message.ListFields()
        if field.message_type is not None
    )


def _says_more(what: str) -> ValueError:
    msg = f"the {what} says more than is understood"
    return ValueError(msg)
