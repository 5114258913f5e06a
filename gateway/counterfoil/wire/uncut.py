"""Messages whose inner messages stay the bytes they came as."""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message


@cache
def uncut(kind: type[Message]) -> type[Any]:
    """Return the class of the same message with bytes in place of messages.

    On the wire a message inside another is its bytes, with their length before them.
    """
    described = kind.DESCRIPTOR
    file = descriptor_pb2.FileDescriptorProto(
        name=f"uncut/{described.full_name}", package="uncut", syntax="proto3"
    )
    copy = file.message_type.add()
    described.CopyToProto(copy)
    for field in copy.field:
        # Rules that nobody would check here.
        field.ClearField("options")
        if field.type == field.TYPE_MESSAGE:
            field.type = field.TYPE_BYTES
            field.ClearField("type_name")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName(f"uncut.{described.name}")
    )
