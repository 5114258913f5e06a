"""Batches of payments with both persons' reviews, all made before the clock starts.

Business systems fill in their drafts and persons sign on machines of their own. Here
they would take processor time from the gateways whose rate is to be measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, TypeVar

import grpc
from google.protobuf.message import Message

from counterfoil.desk.v1 import desk_pb2
from counterfoil.office.signing import Person, plan_of, seal_voucher
from counterfoil.office.vouchers import Seal
from counterfoil.sealed.v1 import sealed_pb2

_DESK: Final = "/counterfoil.desk.v1.DeskService/"
_PAYMENT: Final = 5201

Response = TypeVar("Response", bound=Message)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedBatch:
    """One batch on its way over the desk: encoded requests, in their order.

    Attributes:
        digests: Of the vouchers, as the desk must find them.
        write: The `WriteRequest`.
        reviews: A `ReviewRequest` for each person.
        seal: The `SealRequest`, which sends too.
    """

    digests: tuple[bytes, ...]
    write: bytes
    reviews: tuple[bytes, ...]
    seal: bytes

    async def carry(
        self, system: grpc.aio.Channel, persons: Sequence[grpc.aio.Channel]
    ) -> None:
        """Write, review, seal and send.

        Args:
            system: The business system's channel.
            persons: The persons' channels, in the order of their seats.
        """
        written = await _call(system, "Write", self.write, desk_pb2.WriteResponse)
        results = [one.result for one in written.results]
        for person, review in zip(persons, self.reviews, strict=True):
            reviewed = await _call(person, "Review", review, desk_pb2.ReviewResponse)
            results += reviewed.results
        sealed = await _call(system, "Seal", self.seal, desk_pb2.SealResponse)
        results += sealed.results
        for result in results:
            assert result.WhichOneof("result") == "done", result.refusal
        digests = [result.done.digest for result in results]
        assert digests == [*self.digests] * (len(persons) + 2)


def reviewed_batch(
    drafts: Iterable[desk_pb2.Draft], persons: Sequence[Person]
) -> ReviewedBatch:
    """Return drafts as one batch, with the seals of `persons`."""
    drafts = list(drafts)
    payloads = [draft.voucher.SerializeToString(deterministic=True) for draft in drafts]
    digests = tuple(sha256(payload).digest() for payload in payloads)
    beneath: list[list[Seal]] = [[] for _ in drafts]
    now = datetime.now(UTC)
    reviews = []
    for position, person in zip(plan_of(_PAYMENT), persons, strict=False):
        for payload, below in zip(payloads, beneath, strict=True):
            below.append(
                seal_voucher(payload, position, person, stated_time=now, beneath=below)
            )
        seals = [below[-1] for below in beneath]
        reviews.append(_review_request(digests, seals))
    return ReviewedBatch(
        digests=digests,
        write=desk_pb2.WriteRequest(drafts=drafts).SerializeToString(),
        reviews=tuple(reviews),
        seal=desk_pb2.SealRequest(digests=digests, send=True).SerializeToString(),
    )


def _review_request(digests: Iterable[bytes], seals: Iterable[Seal]) -> bytes:
    return desk_pb2.ReviewRequest(
        reviews=[
            desk_pb2.ReviewItem(
                digest=digest,
                seal=sealed_pb2.Seal(
                    statement=seal.statement, signature=seal.signature
                ),
            )
            for digest, seal in zip(digests, seals, strict=True)
        ]
    ).SerializeToString()


async def _call(
    channel: grpc.aio.Channel, method: str, request: bytes, kind: type[Response]
) -> Response:
    """Call a method of the desk with an encoded request."""
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, Response] = channel.unary_unary(
        _DESK + method, response_deserializer=kind.FromString
    )
    return await call(request)
