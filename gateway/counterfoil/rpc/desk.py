"""The desk service: what an institution's systems and people ask of its gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Any, Final, TypeVar

from google.protobuf.message import Message

from counterfoil.app.acts import PerformActs
from counterfoil.app.cancel_seals import CancelSeals
from counterfoil.app.inquire import InquireVoucher
from counterfoil.app.national import WriteNational
from counterfoil.app.read import ReadArrivals, WatchVouchers
from counterfoil.app.receipts import IssueReceipts, ReceiptDraft
from counterfoil.app.review import ReviewDrafts
from counterfoil.app.seal_drafts import SealDrafts
from counterfoil.app.sealed import GiveSealed
from counterfoil.app.search import SearchVouchers
from counterfoil.app.send import SendVouchers
from counterfoil.app.steps import Step, TakeSteps
from counterfoil.app.submit import SubmitVouchers
from counterfoil.app.works import Certificates
from counterfoil.app.write import WriteDrafts
from counterfoil.desk.v1 import desk_pb2 as pb
from counterfoil.desk.v1 import desk_pb2_grpc
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import FormRefused
from counterfoil.domain.standing import Act
from counterfoil.domain.violation import Violation
from counterfoil.rpc.answers import (
    arrival,
    change,
    found,
    national_result,
    next_page_token,
    query_of,
    sealed_result,
    way_response,
)
from counterfoil.rpc.callers import CALLER, Context
from counterfoil.rpc.draining import Draining
from counterfoil.rpc.limits import Limits, check_request
from counterfoil.rpc.results import (
    draft_result,
    encoded_with_results,
    result,
    results,
    with_results,
    write_result,
)
from counterfoil.rpc.uncut import UncutReview, UncutSubmit, UncutWrite, reviews_of
from counterfoil.rpc.windows import answered_in_order
from counterfoil.wire.keys import key_from_message, reference_from_message

Response = TypeVar("Response", bound=Message)

_ENDS: Final = {
    pb.ACT_OUTCOME_DONE: Act.END_DONE,
    pb.ACT_OUTCOME_NOT_DONE: Act.END_NOT_DONE,
    pb.ACT_OUTCOME_UNKNOWN: Act.END_UNKNOWN,
}
_ENCODINGS: Final = {
    pb.NATIONAL_ENCODING_UNSPECIFIED: "",
    pb.NATIONAL_ENCODING_GBK: "GBK",
    pb.NATIONAL_ENCODING_GB18030: "GB18030",
}
_READ_BATCH: Final = 100
"""Documents in one message of `Read` unless the caller says otherwise."""


@dataclass(frozen=True, kw_only=True)
class DeskServicer(desk_pb2_grpc.DeskServiceServicer):
    """Translates calls into use cases; the documentation of each is in `proto/`."""

    write: WriteDrafts
    review: ReviewDrafts
    seal: SealDrafts
    cancel_seals: CancelSeals
    send: SendVouchers
    submit: SubmitVouchers
    read: ReadArrivals
    steps: TakeSteps
    acts: PerformActs
    receipts: IssueReceipts
    sealed: GiveSealed
    national: WriteNational
    inquire: InquireVoucher
    search: SearchVouchers
    watch: WatchVouchers
    certificates: Certificates
    limits: Limits
    draining: Draining
    window_batches: int = 4

    async def Write(  # type: ignore[override]
        self, request: UncutWrite, context: Context
    ) -> bytes:
        """Check and encode drafts, and put them on the workbench.

        Returns:
            The encoded `WriteResponse`.
        """
        self._check_drafts(request.drafts)
        rows = await self.write(list(request.drafts), caller=CALLER.get())
        return encoded_with_results(pb.WriteResponse, map(write_result, rows))

    async def Review(  # type: ignore[override]
        self, request: UncutReview, context: Context
    ) -> pb.ReviewResponse:
        """Add persons' seals to drafts."""
        self.limits.check_count(request.reviews)
        drafts = await self.review(
            reviews_of(request),
            caller=CALLER.get(),
            certificates=list(request.certificates),
        )
        return with_results(pb.ReviewResponse, map(draft_result, drafts))

    async def Seal(self, request: pb.SealRequest, context: Context) -> pb.SealResponse:
        """Seal drafts; they enter the vault."""
        self._check(request, request.digests)
        outcomes = await self.seal(
            list(request.digests), send=request.send, caller=CALLER.get()
        )
        return with_results(pb.SealResponse, starmap(result, outcomes))

    async def CancelSeal(
        self, request: pb.CancelSealRequest, context: Context
    ) -> pb.CancelSealResponse:
        """Withdraw topmost seals."""
        self._check(request, request.items)
        rows = await self.cancel_seals(
            [(item.digest, item.position) for item in request.items],
            caller=CALLER.get(),
        )
        return with_results(pb.CancelSealResponse, map(draft_result, rows))

    async def Send(self, request: pb.SendRequest, context: Context) -> pb.SendResponse:
        """Put vouchers into their lanes."""
        self._check(request, request.vouchers)
        references = [reference_from_message(voucher) for voucher in request.vouchers]
        outcomes = await self.send(references, caller=CALLER.get())
        digests = [digest for _, digest in references]
        return with_results(pb.SendResponse, results(digests, outcomes))

    def Submit(  # type: ignore[override]
        self,
        request_iterator: AsyncIterator[UncutSubmit],
        context: Context,
    ) -> AsyncIterator[pb.SubmitResponse]:
        """Write, seal and send batch by batch, a few of them at a time.

        Batches under way together have no order among themselves.
        """
        caller = CALLER.get()

        async def answer(request: UncutSubmit) -> pb.SubmitResponse:
            self._check_drafts(request.drafts)
            outcomes = await self.submit(list(request.drafts), caller=caller)
            response = with_results(pb.SubmitResponse, starmap(result, outcomes))
            response.batch = request.batch
            return response

        return answered_in_order(
            self.draining.until(aiter(request_iterator)),
            answer,
            window=self.window_batches,
        )

    async def Read(
        self, request: pb.ReadRequest, context: Context
    ) -> AsyncIterator[pb.ReadResponse]:
        """Stream what waits for the caller's party."""
        check_request(request)
        batches = self.read(
            caller=CALLER.get(),
            types=frozenset(request.types),
            batch_max=request.batch_max or _READ_BATCH,
            bytes_max=self.limits.batch_bytes_max,
            follow=request.follow,
        )
        async for batch in self.draining.until(batches):
            yield pb.ReadResponse(arrivals=[arrival(waiting) for waiting in batch])

    async def Acknowledge(
        self, request: pb.AcknowledgeRequest, context: Context
    ) -> pb.AcknowledgeResponse:
        """Take receipts and steps off the list."""
        self._check(request, request.leaves)
        await self.read.acknowledge(tuple(request.leaves), caller=CALLER.get())
        return pb.AcknowledgeResponse()

    async def Accept(
        self, request: pb.AcceptRequest, context: Context
    ) -> pb.AcceptResponse:
        """Take vouchers over."""
        return await self._step(pb.AcceptResponse, DocumentKind.ACCEPTANCE, request)

    async def Reject(
        self, request: pb.RejectRequest, context: Context
    ) -> pb.RejectResponse:
        """Refuse vouchers for the business system."""
        return await self._step(pb.RejectResponse, DocumentKind.REJECTION, request)

    async def RequestReturn(
        self, request: pb.RequestReturnRequest, context: Context
    ) -> pb.RequestReturnResponse:
        """Ask recipients to return vouchers."""
        return await self._step(
            pb.RequestReturnResponse, DocumentKind.RETURN_REQUEST, request
        )

    async def Return(
        self, request: pb.ReturnRequest, context: Context
    ) -> pb.ReturnResponse:
        """Return vouchers to their issuer."""
        return await self._step(pb.ReturnResponse, DocumentKind.RETURN, request)

    async def Discard(
        self, request: pb.DiscardRequest, context: Context
    ) -> pb.DiscardResponse:
        """Withdraw vouchers of the caller."""
        return await self._step(pb.DiscardResponse, DocumentKind.DISCARD, request)

    async def BeginActing(
        self, request: pb.BeginActingRequest, context: Context
    ) -> pb.BeginActingResponse:
        """Record that the caller is about to act."""
        self._check(request, request.items)
        acts = [
            (Act.BEGIN, *reference_from_message(item.voucher)) for item in request.items
        ]
        outcomes = await self.acts(acts, caller=CALLER.get())
        digests = [digest for _, _, digest in acts]
        return with_results(pb.BeginActingResponse, results(digests, outcomes))

    async def EndActing(
        self, request: pb.EndActingRequest, context: Context
    ) -> pb.EndActingResponse:
        """Record the outcomes of acts."""
        self._check(request, request.items)
        acts = [
            (_ENDS[item.outcome], *reference_from_message(item.voucher))
            for item in request.items
        ]
        outcomes = await self.acts(acts, caller=CALLER.get())
        digests = [digest for _, _, digest in acts]
        return with_results(pb.EndActingResponse, results(digests, outcomes))

    async def IssueReceipt(
        self, request: pb.IssueReceiptRequest, context: Context
    ) -> pb.IssueReceiptResponse:
        """Seal and send receipts."""
        self._check_drafts(request.receipts)
        receipts = [
            ReceiptDraft(
                key=key,
                digest=digest,
                receipt=receipt.SerializeToString(),
                copies=tuple(receipt.recipients),
            )
            for receipt in request.receipts
            for key, digest in [reference_from_message(receipt.voucher)]
        ]
        outcomes = await self.receipts(receipts, caller=CALLER.get())
        digests = [draft.digest for draft in receipts]
        return with_results(pb.IssueReceiptResponse, results(digests, outcomes))

    async def Inquire(
        self, request: pb.InquireRequest, context: Context
    ) -> pb.InquireResponse:
        """Tell the whole way of one voucher."""
        check_request(request)
        voucher = (
            key_from_message(request.key)
            if request.WhichOneof("voucher") == "key"
            else request.digest
        )
        way = await self.inquire(voucher, caller=CALLER.get(), sm3=request.sm3)
        return way_response(way, self.certificates)

    async def GetSealed(
        self, request: pb.GetSealedRequest, context: Context
    ) -> AsyncIterator[pb.GetSealedResponse]:
        """Give vouchers as they were sealed."""
        self._check(request, request.vouchers)
        batches = self.sealed(
            [reference_from_message(voucher) for voucher in request.vouchers],
            bytes_max=self.limits.batch_bytes_max,
            caller=CALLER.get(),
        )
        async for batch in batches:
            yield pb.GetSealedResponse(results=map(sealed_result, batch))

    async def GetNational(
        self, request: pb.GetNationalRequest, context: Context
    ) -> pb.GetNationalResponse:
        """Write vouchers as national documents."""
        self._check(request, request.vouchers)
        documents = await self.national(
            [reference_from_message(voucher) for voucher in request.vouchers],
            encoding=_ENCODINGS[request.encoding],
            bytes_max=self.limits.batch_bytes_max,
            caller=CALLER.get(),
        )
        return pb.GetNationalResponse(results=map(national_result, documents))

    async def Search(
        self, request: pb.SearchRequest, context: Context
    ) -> pb.SearchResponse:
        """Find vouchers in the ledger."""
        check_request(request)
        query = query_of(request, desk=CALLER.get().party)
        rows = await self.search(query)
        return pb.SearchResponse(
            found=[found(row) for row in rows],
            next_page_token=next_page_token(query, rows),
        )

    async def Watch(
        self, request: pb.WatchRequest, context: Context
    ) -> AsyncIterator[pb.WatchResponse]:
        """Stream changes of standing."""
        after = request.after if request.HasField("after") else None
        changes = self.watch(
            caller=CALLER.get(), after=after, from_start=request.from_start
        )
        async for records in self.draining.until(changes):
            yield pb.WatchResponse(
                changes=[one for record in records for one in change(record)]
            )

    async def _step(
        self,
        response: type[Response],
        kind: DocumentKind,
        request: Any,  # noqa: ANN401 -- five requests of one shape
    ) -> Response:
        self._check(request, request.items)
        steps = [
            Step(key=key, digest=digest, explanation=item.explanation)
            for item in request.items
            for key, digest in [reference_from_message(item.voucher)]
        ]
        outcomes = await self.steps(kind, steps, caller=CALLER.get())
        return with_results(response, results([one.digest for one in steps], outcomes))

    def _check(self, request: Any, items: Sequence[object]) -> None:  # noqa: ANN401
        self.limits.check_count(items)
        check_request(request)

    def _check_drafts(self, drafts: Sequence[object]) -> None:
        """Check a request whose items are checked by the works, off this loop."""
        self.limits.check_count(drafts)
        if not drafts:
            raise FormRefused(
                "the request has no items",
                [
                    Violation(
                        path="",
                        rule="repeated.min_items",
                        text="at least one item is required",
                        text_zh="至少一项",
                    )
                ],
            )
