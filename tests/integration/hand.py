"""A peer's hand: sealed documents made by a party's own keys, delivered at will."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import grpc
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.domain.catalogue import DocumentKind, SealPurpose
from counterfoil.domain.document import Document
from counterfoil.domain.drafts import DraftRow, Unsealed
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.exchange.v1 import exchange_pb2_grpc
from counterfoil.office import Draft, Reference, Voucher, opened_payload
from counterfoil.office.messages import draft_message
from counterfoil.seal.algorithms import signing_key
from counterfoil.seal.sign import Sealer, SealOrder
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.trust_material import TrustAnchor, TrustMaterial
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.wire.sealed import close_sealed
from counterfoil.wire.seals import encode_statement
from counterfoil.wire.workshop import Workshop
from tests.houses import Town
from tests.integration.desks import Issued, personal_seals


@dataclass(slots=True)
class Hand:
    """What a party can make with its own keys, and its gateway's certificate.

    Attributes:
        town: Where the keys are.
        party: Whose hand it is.
    """

    town: Town
    party: str
    sealer: Sealer = field(init=False)
    _workshop: Workshop = field(init=False)

    def __post_init__(self) -> None:
        credential = self.town.ca.credential(self.party, "institution")
        certificate = credential.certificate.public_bytes(Encoding.DER)
        self.sealer = Sealer.of(
            signing_key(credential.load_key()),
            certificate,
            encode_statement,
        )
        self._workshop = Workshop(
            trust=TrustStore(
                TrustMaterial(anchors=(TrustAnchor(self.town.ca.root_der),))
            ),
            sealers={self.party: self.sealer},
        )

    @property
    def certificates(self) -> list[bytes]:
        """Everything that is needed to judge the seals."""
        return [
            self.town.ca.credential(self.party, use, name).certificate.public_bytes(
                Encoding.DER
            )
            for use, name in (
                ("institution", "1"),
                ("person", "first"),
                ("person", "second"),
            )
        ] + [self.town.ca.authority_der]

    def seal(self, vouchers: Iterable[Voucher]) -> list[bytes]:
        """Seal vouchers that need no personal seal."""
        made = self._workshop.submit(
            [draft_message(one).SerializeToString() for one in vouchers],
            self.party,
            _now_us(),
        )
        return [_sealed(one) for one in made]

    def seal_reviewed(self, draft: Draft) -> bytes:
        """Seal a voucher with both reviewers' seals beneath."""
        (row,) = self._workshop.compose(
            [draft_message(draft).SerializeToString()], self.party, _now_us()
        )
        assert isinstance(row, DraftRow), row
        issued = Issued(
            Reference(opened_payload(row.payload).key, row.digest),
            opened_payload(row.payload),
            row.payload,
        )
        seals = personal_seals(self.town, issued, self.party)
        (made,) = self._workshop.seal(
            [
                Unsealed(
                    payload=row.payload,
                    seals=tuple(
                        sealed_pb2.Seal(
                            statement=seal.statement, signature=seal.signature
                        ).SerializeToString()
                        for seal in seals
                    ),
                )
            ],
            _now_us(),
        )
        return _sealed(made)

    def seal_bytes(self, payload: bytes, position: str, purpose: SealPurpose) -> bytes:
        """Seal any bytes as if they were a voucher."""
        order = SealOrder(
            document_kind=DocumentKind.VOUCHER,
            payload_digest=sha256(payload).digest(),
            position=position,
            purpose=purpose,
        )
        seal = self.sealer.seal(order, stated_time_us=_now_us())
        return close_sealed(DocumentKind.VOUCHER, payload, [seal])

    def request(self, documents: Sequence[bytes], batch: int = 1) -> pb.DeliverRequest:
        """Return one batch, with all certificates."""
        return pb.DeliverRequest(
            batch=batch, documents=documents, certificates=self.certificates
        )

    async def deliver(
        self, requests: Iterable[pb.DeliverRequest], *, at: str
    ) -> list[pb.DeliverResponse]:
        """Send batches to a gateway on one stream, and return all answers."""
        sent = list(requests)
        async with self.town.channel(self.party, "gateway", at=at) as channel:
            call = exchange_pb2_grpc.ExchangeServiceStub(channel).Deliver(
                _each(sent), timeout=60
            )
            return [response async for response in call]

    async def deliver_one(
        self, documents: Sequence[bytes], *, at: str
    ) -> pb.DeliverResponse:
        """Send one batch and return its answer."""
        (answer,) = await self.deliver([self.request(documents)], at=at)
        return answer


def outcomes(response: pb.DeliverResponse) -> list[str]:
    """Return `stored`, `known` or the reason for each document."""
    return [
        one.refusal.reason
        if one.HasField("refusal")
        else str(one.WhichOneof("outcome"))
        for one in response.outcomes
    ]


def with_payload(sealed: bytes, payload: bytes) -> bytes:
    """Return a document whose payload was exchanged under its seals."""
    message = sealed_pb2.Sealed.FromString(sealed)
    message.payload = payload
    return message.SerializeToString()


def payload_of(sealed: bytes) -> bytes:
    """Return the payload of a document."""
    return sealed_pb2.Sealed.FromString(sealed).payload


def without_seal(sealed: bytes, index: int) -> bytes:
    """Return a document from which a seal was stripped."""
    message = sealed_pb2.Sealed.FromString(sealed)
    del message.seals[index]
    return message.SerializeToString()


async def call_error(
    call: grpc.aio.Call,
) -> grpc.aio.AioRpcError:
    """Return how a stream that must fail failed."""
    try:
        async for _ in call:  # type: ignore[attr-defined]
            pass
    except grpc.aio.AioRpcError as error:
        return error
    raise AssertionError("the stream did not fail")


async def _each(
    requests: Iterable[pb.DeliverRequest],
) -> AsyncIterator[pb.DeliverRequest]:
    for request in requests:
        yield request


def _sealed(made: object) -> bytes:
    assert isinstance(made, Document), made
    return made.sealed


def _now_us() -> int:
    return time.time_ns() // 1_000
