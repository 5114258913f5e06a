"""Requests whose drafts stay the bytes they came as.

A draft is parsed where it is checked, in a worker process. To parse it on the event
loop too, only to encode it again for the worker, takes longer than all else that the
desk does with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from counterfoil.desk.v1 import desk_pb2 as pb


class UncutWrite(Protocol):
    """A `WriteRequest` whose drafts are bytes."""

    drafts: Sequence[bytes]


class UncutSubmit(Protocol):
    """A `SubmitRequest` whose drafts are bytes."""

    batch: int
    drafts: Sequence[bytes]


def uncut_handlers(write: Any, submit: Any) -> dict[str, Any]:  # noqa: ANN401 -- as gRPC types a method
    """Return what serves the methods of the desk that take drafts, by method."""
    return {
        "Write": grpc.unary_unary_rpc_method_handler(
            write,
            request_deserializer=_uncut(pb.WriteRequest).FromString,
            response_serializer=pb.WriteResponse.SerializeToString,
        ),
        "Submit": grpc.stream_stream_rpc_method_handler(
            submit,
            request_deserializer=_uncut(pb.SubmitRequest).FromString,
            response_serializer=pb.SubmitResponse.SerializeToString,
        ),
    }


def _uncut(request: type[Message]) -> type[Message]:
    """Return the class of the same message with bytes in place of messages.

    On the wire a message inside another is its bytes, with their length before them.
    """
    described = request.DESCRIPTOR
    file = descriptor_pb2.FileDescriptorProto(
        name=f"uncut/{described.full_name}", package="uncut", syntax="proto3"
    )
    uncut = file.message_type.add()
    described.CopyToProto(uncut)
    for field in uncut.field:
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
