"""Messages whose bytes say what we read in them, and nothing besides."""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

AnyMessage = TypeVar("AnyMessage", bound=Message)


def parse_whole(kind: type[AnyMessage], encoded: bytes, *, what: str) -> AnyMessage:
    """Parse a message all of whose bytes are understood.

    A field that this release does not know could change what a voucher means, and a
    field that comes twice means to one reader what it does not to another. Both show
    in the size: what is left of the message would be encoded in fewer bytes.

    Args:
        kind: The message's class.
        encoded: Its bytes.
        what: What people call it, for the refusal.

    Raises:
        ValueError: The bytes are no such message, or say more than is understood.
    """
    try:
        message = kind.FromString(encoded)
    except DecodeError as error:
        msg = f"not a {what}"
        raise ValueError(msg) from error
    message.DiscardUnknownFields()
    if message.ByteSize() != len(encoded):
        msg = f"the {what} says more than is understood"
        raise ValueError(msg)
    return message
