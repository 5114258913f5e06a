"""Requests whose drafts stay the bytes they came as.

A draft is parsed where it is checked, in a worker process. To parse it on the event
loop too, only to encode it again for the worker, takes longer than all else that the
desk does with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import grpc

from counterfoil.desk.v1 import desk_pb2 as pb
from counterfoil.wire.uncut import uncut


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
            request_deserializer=uncut(pb.WriteRequest).FromString,
            response_serializer=pb.WriteResponse.SerializeToString,
        ),
        "Submit": grpc.stream_stream_rpc_method_handler(
            submit,
            request_deserializer=uncut(pb.SubmitRequest).FromString,
            response_serializer=pb.SubmitResponse.SerializeToString,
        ),
    }
