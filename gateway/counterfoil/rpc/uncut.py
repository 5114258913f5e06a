"""Requests whose drafts and seals stay the bytes they came as.

Both are parsed where they are checked, in a worker process. To parse them on the event
loop too, only to encode them again for the worker, takes longer than all else that the
desk does with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import grpc
from google.protobuf.message import DecodeError

from counterfoil.desk.v1 import desk_pb2 as pb
from counterfoil.domain.refusals import MalformedPayload
from counterfoil.domain.voucher import DIGEST_BYTES
from counterfoil.rpc.limits import check_request
from counterfoil.seal.certificates import CERTIFICATE_BYTES_MAX
from counterfoil.wire.uncut import uncut

_ITEM: Final = uncut(pb.ReviewItem)
_SHOWN_MAX: Final = 8
"""Most certificates of a `ReviewRequest`."""


class UncutWrite(Protocol):
    """A `WriteRequest` whose drafts are bytes."""

    drafts: Sequence[bytes]


class UncutSubmit(Protocol):
    """A `SubmitRequest` whose drafts are bytes."""

    batch: int
    drafts: Sequence[bytes]


class UncutReview(Protocol):
    """A `ReviewRequest` whose reviews are bytes."""

    reviews: Sequence[bytes]
    certificates: Sequence[bytes]

    def SerializeToString(self) -> bytes:
        """Return the request as it came."""


def reviews_of(request: UncutReview) -> list[tuple[bytes, bytes]]:
    """Return digest and encoded seal of each review.

    Raises:
        MalformedPayload: One of the reviews is none.
        FormRefused: The request breaks a rule that its proto states.
    """
    try:
        items = list(map(_ITEM.FromString, request.reviews))
    except DecodeError as error:
        raise MalformedPayload("not a review", field="reviews") from error
    reviews = [(item.digest, item.seal) for item in items]
    # What plainly keeps the rules of `ReviewRequest` need not be walked through.
    shown = request.certificates
    if (
        not reviews
        or not all(len(digest) == DIGEST_BYTES and seal for digest, seal in reviews)
        or len(shown) > _SHOWN_MAX
        or not all(0 < len(one) <= CERTIFICATE_BYTES_MAX for one in shown)
    ):
        check_request(_whole(request))
    return reviews


def _whole(request: UncutReview) -> pb.ReviewRequest:
    """Return a request with its seals read.

    Raises:
        MalformedPayload: One of them is none.
    """
    try:
        return pb.ReviewRequest.FromString(request.SerializeToString())
    except DecodeError as error:
        raise MalformedPayload("not a seal", field="reviews") from error


def uncut_handlers(write: Any, review: Any, submit: Any) -> dict[str, Any]:  # noqa: ANN401 -- as gRPC types a method
    """Return what serves the methods of the desk that take drafts or seals."""
    return {
        "Write": grpc.unary_unary_rpc_method_handler(
            write,
            request_deserializer=uncut(pb.WriteRequest).FromString,
            # It is encoded already.
            response_serializer=None,
        ),
        "Review": grpc.unary_unary_rpc_method_handler(
            review,
            request_deserializer=uncut(pb.ReviewRequest).FromString,
            response_serializer=pb.ReviewResponse.SerializeToString,
        ),
        "Submit": grpc.stream_stream_rpc_method_handler(
            submit,
            request_deserializer=uncut(pb.SubmitRequest).FromString,
            response_serializer=pb.SubmitResponse.SerializeToString,
        ),
    }
