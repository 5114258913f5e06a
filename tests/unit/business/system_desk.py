"""A desk in memory at which a system both issues and takes vouchers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator

from counterfoil.desk.v1 import desk_pb2, standing_pb2
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.domain.standing import Act, Role, Standing, advance
from counterfoil.office import Receipt, Reference, Voucher
from counterfoil.office.messages import (
    draft_message,
    key_of,
    receipt_message,
    reference_message,
)
from counterfoil.sealed.v1 import sealed_pb2, voucher_pb2
from counterfoil.wire.compose import compose_draft
from counterfoil.wire.refusals import refusal_to_message
from tests.unit.bank.recipient_desk import RecipientDesk
from tests.unit.finance.issuer_desk import Desked, IssuerDesk
from tests.unit.office.loopback import Loopback

_STANDING_AFTER = {
    DocumentKind.ACCEPTANCE: Standing.ACCEPTED,
    DocumentKind.REJECTION: Standing.REJECTED,
    DocumentKind.RETURN: Standing.RETURNED,
}


class SystemDesk(RecipientDesk):
    """The recipient's desk, with an issuer's desk beside it.

    Args:
        loopback: Serves it.
        party: Whose desk it is.

    Attributes:
        singly: Whether everything that is read comes in a message of its own.
    """

    def __init__(self, loopback: Loopback, party: str) -> None:
        self.issued = IssuerDesk(loopback, party)
        super().__init__(loopback)
        self.party = party
        self._repeated: list[desk_pb2.Arrival] = []
        self.singly = False
        self._refusals: defaultdict[bytes, list[CounterfoilError]] = defaultdict(list)
        self._not_issued: defaultdict[str, list[CounterfoilError]] = defaultdict(list)
        self.returns_asked: dict[bytes, str] = {}
        self.heard: dict[bytes, dict[str, Standing]] = {}
        self.voided: dict[bytes, str] = {}
        self._write, self._seal = loopback.unary["Write"], loopback.unary["Seal"]
        self._cancel = loopback.unary["CancelSeal"]
        self._discard = loopback.unary["Discard"]
        loopback.unary.update(
            RequestReturn=self._ask_return,
            Inquire=self._inquire,
            Discard=self._void,
            Write=self._write_each,
            Seal=self._seal_each,
            CancelSeal=self._cancel_each,
        )

    def refuse(self, digest: bytes, *refusals: CounterfoilError) -> None:
        """Refuse the next acts on a voucher that came."""
        self._refusals[digest] += refusals

    def refuse_to_issue(
        self, at: str, number: str, *refusals: CounterfoilError
    ) -> None:
        """Refuse a voucher of ours at `write`, `cancel`, `seal` or `submit`."""
        self._not_issued[f"{at} {number}"] += refusals

    def reference(self, number: str, issue: int = 1) -> Reference:
        """Return a voucher of ours that was written."""
        digest = self.issued.digest(number, issue)
        return Reference(key_of(self.issued.voucher(digest).key), digest)

    def step(
        self,
        kind: DocumentKind,
        voucher: Reference,
        explanation: str,
        by: str = "420000-001",
    ) -> None:
        """Let a recipient's step about a voucher of ours arrive."""
        step = voucher_pb2.Step(
            voucher=reference_message(voucher), by=by, explanation=explanation
        )
        self._hear(voucher.digest, by, _STANDING_AFTER[kind])
        self._note(kind, step.SerializeToString(), voucher.key, voucher.digest)

    def receipt(self, receipt: Receipt, original: Voucher | None = None) -> None:
        """Let a receipt arrive; with the original inside it is another's (抄送)."""
        payload = receipt_message(receipt).SerializeToString()
        reference = receipt.voucher
        self._hear(reference.digest, receipt.by, Standing.CLOSED)
        self._note(DocumentKind.RECEIPT, payload, reference.key, reference.digest)
        if original is not None:
            self._enclose(draft_message(original).voucher.SerializeToString())

    def again(self) -> None:
        """Let everything that arrived be read once more, as after a lost line."""
        self._repeated = list(self._arrived)

    async def _read(self, _request: object, _context: object) -> AsyncIterator[bytes]:
        """Show what waits: neither answered nor acknowledged."""
        waiting = [
            one
            for one in self._arrived
            if one.leaf not in self.acknowledged
            and self.standings.get(one.digest, Standing.ARRIVED) is Standing.ARRIVED
        ]
        shown, self._repeated = [*waiting, *self._repeated], []
        for some in [[one] for one in shown] if self.singly else [shown]:
            yield desk_pb2.ReadResponse(arrivals=some).SerializeToString()

    def _enclose(self, payload: bytes) -> None:
        sealed = sealed_pb2.Sealed.FromString(self._arrived[-1].sealed)
        enclosure = sealed_pb2.Sealed(payload=payload)
        enclosure.kind = 1  # type: ignore[assignment]
        sealed.enclosures.append(enclosure.SerializeToString())
        self._arrived[-1].sealed = sealed.SerializeToString()

    async def _submit(
        self, requests: AsyncIterator[bytes], _context: object
    ) -> AsyncIterator[bytes]:
        async for encoded in requests:
            request = desk_pb2.SubmitRequest.FromString(encoded)
            results = [self._submitted(draft) for draft in request.drafts]
            yield desk_pb2.SubmitResponse(
                batch=request.batch, results=results
            ).SerializeToString()

    def _write_each(self, encoded: bytes) -> bytes:
        response = desk_pb2.WriteResponse()
        for draft in desk_pb2.WriteRequest.FromString(encoded).drafts:
            refused = self._refused("write", draft.voucher.key.number)
            if refused is not None:
                response.results.add(result=refused)
                continue
            one = self._write(desk_pb2.WriteRequest(drafts=[draft]).SerializeToString())
            response.MergeFromString(one)
        return response.SerializeToString()

    def _seal_each(self, encoded: bytes) -> bytes:
        request = desk_pb2.SealRequest.FromString(encoded)
        response = desk_pb2.SealResponse()
        for digest in request.digests:
            refused = self._refused("seal", self._number(digest))
            if refused is not None:
                response.results.append(refused)
                continue
            alone = desk_pb2.SealRequest(digests=[digest], send=request.send)
            response.MergeFromString(self._seal(alone.SerializeToString()))
        return response.SerializeToString()

    def _cancel_each(self, encoded: bytes) -> bytes:
        response = desk_pb2.CancelSealResponse()
        for item in desk_pb2.CancelSealRequest.FromString(encoded).items:
            refused = self._refused("cancel", self._number(item.digest))
            if refused is not None:
                response.results.append(refused)
                continue
            alone = desk_pb2.CancelSealRequest(items=[item])
            response.MergeFromString(self._cancel(alone.SerializeToString()))
        return response.SerializeToString()

    def _number(self, digest: bytes) -> str:
        return self.issued.vouchers[digest].key.number

    def _refused(self, at: str, number: str) -> desk_pb2.Result | None:
        refusals = self._not_issued[f"{at} {number}"]
        if not refusals:
            return None
        return desk_pb2.Result(refusal=refusal_to_message(refusals.pop(0)))

    def _submitted(self, draft: desk_pb2.Draft) -> desk_pb2.Result:
        refused = self._refused("submit", draft.voucher.key.number)
        if refused is not None:
            return refused
        try:
            row, _ = compose_draft(draft.SerializeToString(), desk=self.party)
        except CounterfoilError as refusal:
            return desk_pb2.Result(refusal=refusal_to_message(refusal))
        desked = Desked(row.key, row.payload, standing="SENT")
        self.issued.vouchers.setdefault(row.digest, desked)
        return self.issued._done(row.digest)

    def _ask_return(self, encoded: bytes) -> bytes:
        items = desk_pb2.RequestReturnRequest.FromString(encoded).items
        for item in items:
            self.returns_asked[item.voucher.digest] = item.explanation
        results = [self.issued._done(item.voucher.digest) for item in items]
        return desk_pb2.RequestReturnResponse(results=results).SerializeToString()

    def _hear(self, digest: bytes, by: str, standing: Standing) -> None:
        self.heard.setdefault(digest, {})[by] = standing

    def _inquire(self, encoded: bytes) -> bytes:
        """Tell where a voucher of ours stands with each of its recipients."""
        digest = desk_pb2.InquireRequest.FromString(encoded).digest
        heard = self.heard.get(digest, {})
        response = desk_pb2.InquireResponse()
        for party in self.issued.voucher(digest).recipients:
            standing = heard.get(party, Standing.ARRIVED)
            response.recipients.add(
                recipient=party,
                standing=standing_pb2.Standing.ValueType(int(standing)),
            )
        return response.SerializeToString()

    def _void(self, encoded: bytes) -> bytes:
        """Void what every recipient gave back; what was never sent, as an issuer."""
        items = desk_pb2.DiscardRequest.FromString(encoded).items
        response = desk_pb2.DiscardResponse()
        for item in items:
            digest = item.voucher.digest
            refused = self._refused("discard", self._number(digest))
            if refused is not None:
                response.results.append(refused)
            elif digest in self.heard:
                for standing in self.heard[digest].values():
                    advance(Role.ISSUER, standing, Act.ENTER, DocumentKind.DISCARD)
                self.heard[digest] = dict.fromkeys(
                    self.heard[digest], Standing.DISCARDED
                )
                self.voided[digest] = item.explanation
                response.results.append(self.issued._done(digest))
            else:
                alone = desk_pb2.DiscardRequest(items=[item])
                response.MergeFromString(self._discard(alone.SerializeToString()))
        return response.SerializeToString()

    def _act(self, digest: bytes, act: Act, kind: DocumentKind) -> desk_pb2.Result:
        if self._refusals[digest]:
            refusal = self._refusals[digest].pop(0)
            return desk_pb2.Result(refusal=refusal_to_message(refusal))
        return super()._act(digest, act, kind)
