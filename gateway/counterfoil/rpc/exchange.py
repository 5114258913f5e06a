"""The exchange service: what a peer's gateway asks of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final

from counterfoil.app.batches import attempt, good, refill
from counterfoil.app.ports import Vault
from counterfoil.app.progress import TellProgress
from counterfoil.app.prove import ProveLog
from counterfoil.app.receive import ReceiveDocuments
from counterfoil.domain.deeds import Recorded
from counterfoil.domain.refusals import CounterfoilError, MalformedPayload
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.exchange.v1 import exchange_pb2_grpc
from counterfoil.rpc.callers import CALLER, Context
from counterfoil.rpc.draining import Draining
from counterfoil.rpc.limits import Limits, check_request
from counterfoil.rpc.windows import answered_in_order
from counterfoil.tlog.trees import LogTree
from counterfoil.wire.certificates import ShownCertificates
from counterfoil.wire.deliveries import earlier_from_messages
from counterfoil.wire.keys import reference_from_message, timestamp_from_us
from counterfoil.wire.refusals import refusal_to_message, shorten

_TREES: Final = {
    pb.LOG_TREE_UNSPECIFIED: LogTree.SHA256,
    pb.LOG_TREE_SHA256: LogTree.SHA256,
    pb.LOG_TREE_SM3: LogTree.SM3,
}
_STORED: Final = pb.Outcome(stored=pb.Stored())


@dataclass(frozen=True, kw_only=True)
class ExchangeServicer(exchange_pb2_grpc.ExchangeServiceServicer):
    """Translates calls into use cases; the documentation of each is in `proto/`.

    Attributes:
        receive: Puts batches into the vault.
        tell: Tells where vouchers stand.
        prove: Proves what the log holds.
        vault: For checkpoints.
        limits: Bounds of a batch.
        draining: Whether the gateway is about to stop.
        window_batches: Batches of one stream that are worked on at a time.
    """

    receive: ReceiveDocuments
    tell: TellProgress
    prove: ProveLog
    vault: Vault
    limits: Limits
    draining: Draining
    window_batches: int = 4

    def Deliver(
        self,
        request_iterator: AsyncIterator[pb.DeliverRequest],
        context: Context,
    ) -> AsyncIterator[pb.DeliverResponse]:
        """Answer the batches in order, working on a few of them at a time."""
        carrier = CALLER.get().party
        shown, told = ShownCertificates(), ShownCertificates()

        def begin(
            request: pb.DeliverRequest,
        ) -> Coroutine[Any, Any, pb.DeliverResponse]:
            self.limits.check_certificates(list(request.certificates))
            self.limits.check_answers(list(request.revocation_answers))
            self.limits.check_earlier(request.earlier_proofs)
            certificates = shown.add(request.certificates)
            answers = told.add(request.revocation_answers)
            return self._deliver(request, certificates, answers, carrier)

        return answered_in_order(
            self.draining.until(aiter(request_iterator)),
            begin,
            window=self.window_batches,
        )

    async def _deliver(
        self,
        request: pb.DeliverRequest,
        certificates: list[bytes],
        answers: list[bytes],
        carrier: str,
    ) -> pb.DeliverResponse:
        documents = list(request.documents)
        # By hand, not by protovalidate: it would walk the bytes of every document
        # on the event loop. The bounds are those of the proto.
        self.limits.check_documents(documents)
        fitting = attempt(self.limits.check_document, documents)
        shown = earlier_from_messages(request.earlier_proofs)
        if len(good(fitting)) < len(fitting):
            # Whose places are no longer those of the batch; they are asked for again.
            shown = {}
        committed = await self.receive(
            good(fitting),
            certificates,
            carrier=carrier,
            answers=answers,
            shown=shown,
        )
        outcomes = refill(fitting, committed.outcomes)
        return pb.DeliverResponse(
            batch=request.batch,
            checkpoint=committed.checkpoint,
            arrival_time=timestamp_from_us(committed.time_us),
            first_leaf=committed.first_leaf,
            new_count=committed.new_count,
            range_proof=committed.range_proof,
            outcomes=_outcomes(outcomes),
        )

    async def GetProgress(
        self, request: pb.GetProgressRequest, context: Context
    ) -> pb.GetProgressResponse:
        """Answer one standing per voucher, in the order asked."""
        check_request(request)
        passages = self.tell(
            [reference_from_message(voucher) for voucher in request.vouchers],
            carrier=CALLER.get().party,
        )
        return pb.GetProgressResponse(
            progress=[
                pb.VoucherProgress()
                if passage is None
                else pb.VoucherProgress(
                    known=True, standing=int(passage.standing), leaf=passage.leaf
                )
                for passage in passages
            ]
        )

    async def GetCheckpoint(
        self, request: pb.GetCheckpointRequest, context: Context
    ) -> pb.GetCheckpointResponse:
        """Answer with the newest signed checkpoint of a tree."""
        check_request(request)
        checkpoint = self.vault.checkpoint(_TREES[request.tree])
        return pb.GetCheckpointResponse(checkpoint=checkpoint)

    async def GetProof(
        self, request: pb.GetProofRequest, context: Context
    ) -> pb.GetProofResponse:
        """Answer with an inclusion or consistency proof."""
        check_request(request)
        tree, size = _TREES[request.tree], request.tree_size
        match request.WhichOneof("subject"):
            case "leaf":
                carrier = CALLER.get().party
                proof = self.prove.leaf(
                    request.leaf, size=size, carrier=carrier, tree=tree
                )
            case "older_size":
                proof = self.prove.consistency(request.older_size, size=size, tree=tree)
            case _:
                raise MalformedPayload(
                    "the request names nothing to prove", field="subject"
                )
        return pb.GetProofResponse(
            hashes=proof.hashes,
            checkpoint=proof.checkpoint,
            leaf=proof.leaf.to_bytes() if proof.leaf is not None else b"",
            settled_size=proof.settled_size,
        )


def _outcomes(outcomes: Iterable[Recorded | CounterfoilError]) -> list[pb.Outcome]:
    told = [_outcome(outcome) for outcome in outcomes]
    shorten([one.refusal for one in told if one.HasField("refusal")])
    return told


def _outcome(outcome: Recorded | CounterfoilError) -> pb.Outcome:
    if isinstance(outcome, CounterfoilError):
        return pb.Outcome(refusal=refusal_to_message(outcome))
    if outcome.new:
        return _STORED
    return pb.Outcome(
        known=pb.Known(
            leaf=outcome.leaf, arrival_time=timestamp_from_us(outcome.time_us)
        )
    )
