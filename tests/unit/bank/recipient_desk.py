"""A recipient's desk in memory that keeps the domain's own rules of standing.

It is served by `Loopback`, so the bank's system talks to it as to a gateway.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable

from counterfoil.desk.v1 import desk_pb2, standing_pb2
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.domain.standing import Act, Role, Standing, advance
from counterfoil.office import Form, Voucher, VoucherKey
from counterfoil.office.messages import draft_message, key_message
from counterfoil.office.vouchers import FieldValue
from counterfoil.sealed.v1 import sealed_pb2, voucher_pb2
from counterfoil.wire.refusals import refusal_to_message
from tests.unit.office.loopback import Loopback

BANK = "420000-102"

_ENDS = {1: Act.END_DONE, 2: Act.END_NOT_DONE, 3: Act.END_UNKNOWN}


def voucher(
    number: str,
    *,
    amounts: tuple[int, ...] = (100, 250),
    type_code: int = 5201,
    issue: int = 1,
    account: str = "622200001111",
    total: int | None = None,
    adm_div: str = "420000",
) -> Voucher:
    rows: tuple[dict[str, FieldValue], ...] = tuple(
        {"id": f"{number}-{n}", "payee_acct_no": account, "pay_amt_fen": fen}
        for n, fen in enumerate(amounts)
    )
    fields: dict[str, FieldValue] = {
        "voucher_no": number,
        "agency_code": "101001",
        "payee_acct_no": account,
        "pay_amt_fen": sum(amounts) if total is None else total,
    }
    key = VoucherKey(
        issuer="420000-011" if type_code == 5201 else "420000-101001",
        adm_div=adm_div,
        fiscal_year=2026,
        type_code=type_code,
        number=number,
        issue=issue,
    )
    return Voucher(key=key, recipients=(BANK,), form=Form(fields, rows))


class RecipientDesk:
    """Holds vouchers that have arrived, and where each stands."""

    def __init__(self, loopback: Loopback) -> None:
        self.standings: dict[bytes, Standing] = {}
        self.receipts: list[voucher_pb2.Receipt] = []
        self.submitted: list[voucher_pb2.Voucher] = []
        self.acknowledged: list[int] = []
        self.explanations: dict[bytes, str] = {}
        self._arrived: list[desk_pb2.Arrival] = []
        loopback.unary.update(
            Accept=self._steps(DocumentKind.ACCEPTANCE),
            Reject=self._steps(DocumentKind.REJECTION),
            Return=self._steps(DocumentKind.RETURN),
            BeginActing=self._begin,
            EndActing=self._end,
            IssueReceipt=self._receipt,
            Acknowledge=self._acknowledge,
        )
        loopback.streams.update(Read=self._read, Submit=self._submit)

    def arrive(self, one: Voucher) -> bytes:
        payload = draft_message(one).voucher.SerializeToString()
        digest = hashlib.sha256(payload).digest()
        self.standings.setdefault(digest, Standing.ARRIVED)
        self._note(DocumentKind.VOUCHER, payload, one.key, digest)
        return digest

    def tell(self, kind: DocumentKind, about: Voucher, explanation: str = "") -> None:
        payload = draft_message(about).voucher.SerializeToString()
        digest = hashlib.sha256(payload).digest()
        reference = voucher_pb2.VoucherReference(
            key=key_message(about.key), digest=digest
        )
        step = voucher_pb2.Step(
            voucher=reference, by=about.key.issuer, explanation=explanation
        )
        self._note(kind, step.SerializeToString(), about.key, digest)

    def _note(
        self, kind: DocumentKind, payload: bytes, key: VoucherKey, subject: bytes
    ) -> None:
        sealed = sealed_pb2.Sealed(kind=int(kind), payload=payload)  # type: ignore[arg-type]
        self._arrived.append(
            desk_pb2.Arrival(
                sealed=sealed.SerializeToString(),
                digest=hashlib.sha256(payload).digest(),
                voucher=voucher_pb2.VoucherReference(
                    key=key_message(key), digest=subject
                ),
                leaf=len(self._arrived),
            )
        )

    async def _read(self, _request: object, _context: object) -> AsyncIterator[bytes]:
        yield desk_pb2.ReadResponse(arrivals=self._arrived).SerializeToString()

    async def _submit(
        self, requests: AsyncIterator[bytes], _context: object
    ) -> AsyncIterator[bytes]:
        async for encoded in requests:
            request = desk_pb2.SubmitRequest.FromString(encoded)
            self.submitted.extend(draft.voucher for draft in request.drafts)
            done = desk_pb2.Done(standing=standing_pb2.STANDING_SENT)
            results = [desk_pb2.Result(done=done) for _ in request.drafts]
            yield desk_pb2.SubmitResponse(
                batch=request.batch, results=results
            ).SerializeToString()

    def _acknowledge(self, encoded: bytes) -> bytes:
        self.acknowledged += desk_pb2.AcknowledgeRequest.FromString(encoded).leaves
        return b""

    def _steps(self, kind: DocumentKind) -> Callable[[bytes], bytes]:
        def answer(encoded: bytes) -> bytes:
            results = []
            for item in desk_pb2.AcceptRequest.FromString(encoded).items:
                self.explanations[item.voucher.digest] = item.explanation
                results.append(self._act(item.voucher.digest, Act.ENTER, kind))
            return _answer(results)

        return answer

    def _begin(self, encoded: bytes) -> bytes:
        items = desk_pb2.BeginActingRequest.FromString(encoded).items
        return _answer(
            [
                self._act(item.voucher.digest, Act.BEGIN, DocumentKind.VOUCHER)
                for item in items
            ]
        )

    def _end(self, encoded: bytes) -> bytes:
        items = desk_pb2.EndActingRequest.FromString(encoded).items
        return _answer(
            [
                self._act(
                    item.voucher.digest, _ENDS[item.outcome], DocumentKind.VOUCHER
                )
                for item in items
            ]
        )

    def _receipt(self, encoded: bytes) -> bytes:
        receipts = desk_pb2.IssueReceiptRequest.FromString(encoded).receipts
        self.receipts.extend(receipts)
        return _answer(
            [
                self._act(one.voucher.digest, Act.ENTER, DocumentKind.RECEIPT)
                for one in receipts
            ]
        )

    def _act(self, digest: bytes, act: Act, kind: DocumentKind) -> desk_pb2.Result:
        standing = self.standings[digest]
        try:
            reached = advance(Role.RECIPIENT, standing, act, kind) or standing
        except CounterfoilError as refusal:
            return desk_pb2.Result(refusal=refusal_to_message(refusal))
        self.standings[digest] = reached
        done = desk_pb2.Done(
            digest=digest, standing=standing_pb2.Standing.ValueType(int(reached))
        )
        return desk_pb2.Result(done=done)


def _answer(results: list[desk_pb2.Result]) -> bytes:
    return desk_pb2.AcceptResponse(results=results).SerializeToString()
