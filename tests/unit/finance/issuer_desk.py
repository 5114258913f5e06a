"""An issuer's desk in memory: the gateway's own codec, and its rules in short.

It is served by `Loopback`, so finance's system talks to it as to a gateway.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from counterfoil.desk.v1 import desk_pb2, standing_pb2
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import (
    CounterfoilError,
    DraftNotFound,
    NotInState,
    PositionFilled,
    SealMissing,
    VoucherKeyReused,
    WithdrawalOutOfOrder,
)
from counterfoil.domain.voucher import VoucherKey
from counterfoil.sealed.v1 import sealed_pb2, voucher_pb2
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.compose import compose_draft
from counterfoil.wire.keys import reference_to_message
from counterfoil.wire.refusals import refusal_to_message
from counterfoil.wire.seals import parse_statement
from tests.unit.office.loopback import PARTY, Loopback


@dataclass
class Desked:
    """A voucher on the desk or in the vault."""

    key: VoucherKey
    payload: bytes
    seals: list[bytes] = field(default_factory=list)
    standing: str = "DRAFT"


class IssuerDesk:
    """What the issuer has written, and what came back for it."""

    def __init__(self, loopback: Loopback, party: str = PARTY) -> None:
        self._party = party
        self.vouchers: dict[bytes, Desked] = {}
        self.acknowledged: list[int] = []
        self.accepted: list[bytes] = []
        self._arrivals: list[desk_pb2.Arrival] = []
        loopback.unary.update(
            Write=self._write,
            Review=self._review,
            Seal=self._seal,
            CancelSeal=self._cancel,
            Discard=self._discard,
            Accept=self._accept,
            Acknowledge=self._acknowledge,
        )
        loopback.streams["Read"] = self._read

    def standing(self, number: str, issue: int = 1) -> str:
        [found] = [
            one.standing
            for one in self.vouchers.values()
            if (one.key.number, one.key.issue) == (number, issue)
        ]
        return found

    def digest(self, number: str, issue: int = 1) -> bytes:
        [found] = [
            digest
            for digest, one in self.vouchers.items()
            if (one.key.number, one.key.issue) == (number, issue)
        ]
        return found

    def voucher(self, digest: bytes) -> voucher_pb2.Voucher:
        return voucher_pb2.Voucher.FromString(self.vouchers[digest].payload)

    def bring_step(self, kind: DocumentKind, digest: bytes, explanation: str) -> None:
        step = voucher_pb2.Step(
            voucher=reference_to_message(self.vouchers[digest].key, digest),
            by="420000-102",
            explanation=explanation,
        )
        self.bring(kind, step.SerializeToString(), digest)

    def bring_receipt(
        self, digest: bytes, *, short_fen: int = 0, rows: int = 0
    ) -> None:
        form = self.voucher(digest).direct_payment
        receipt = voucher_pb2.Receipt(
            voucher=reference_to_message(self.vouchers[digest].key, digest)
        )
        filled = receipt.direct_payment
        filled.x_pay_amt_fen = form.pay_amt_fen - short_fen
        for row in form.rows[rows:]:
            filled.rows.add(id=row.id, x_pay_amt_fen=row.pay_amt_fen)
        self.bring(DocumentKind.RECEIPT, receipt.SerializeToString(), digest)

    def bring(self, kind: DocumentKind, payload: bytes, subject: bytes) -> None:
        sealed = sealed_pb2.Sealed(kind=int(kind), payload=payload)  # type: ignore[arg-type]
        self._arrivals.append(
            desk_pb2.Arrival(
                sealed=sealed.SerializeToString(),
                digest=hashlib.sha256(payload).digest(),
                voucher=voucher_pb2.VoucherReference(digest=subject),
                leaf=len(self._arrivals),
            )
        )

    async def _read(self, _request: object, _context: object) -> AsyncIterator[bytes]:
        yield desk_pb2.ReadResponse(arrivals=self._arrivals).SerializeToString()

    def _write(self, encoded: bytes) -> bytes:
        response = desk_pb2.WriteResponse()
        for draft in desk_pb2.WriteRequest.FromString(encoded).drafts:
            try:
                row, _ = compose_draft(draft.SerializeToString(), desk=self._party)
                for digest, other in list(self.vouchers.items()):
                    if other.key == row.key and digest != row.digest:
                        if other.seals or other.standing != "DRAFT":
                            raise VoucherKeyReused("used")
                        del self.vouchers[digest]
                self.vouchers.setdefault(row.digest, Desked(row.key, row.payload))
            except CounterfoilError as refusal:
                response.results.add(
                    result=desk_pb2.Result(refusal=refusal_to_message(refusal))
                )
            else:
                response.results.add(result=self._done(row.digest), payload=row.payload)
        return response.SerializeToString()

    def _review(self, encoded: bytes) -> bytes:
        results = []
        for item in desk_pb2.ReviewRequest.FromString(encoded).reviews:
            desked = self.vouchers[item.digest]
            if desked.standing != "DRAFT":
                results.append(_refused(DraftNotFound("it is in the vault")))
                continue
            statement = parse_statement(item.seal.statement)
            plan = CATALOGUE.plan_for(DocumentKind.VOUCHER, desked.key.type_code)
            due = plan.positions[len(desked.seals)]
            beneath = tuple(hashlib.sha256(seal).digest() for seal in desked.seals)
            if (statement.position, statement.beneath) != (due.id, beneath):
                results.append(_refused(PositionFilled("filled")))
                continue
            desked.seals.append(item.seal.statement)
            results.append(self._done(item.digest))
        return _answer(results)

    def _seal(self, encoded: bytes) -> bytes:
        request = desk_pb2.SealRequest.FromString(encoded)
        results = []
        for digest in request.digests:
            desked = self.vouchers[digest]
            # What was sealed before is told as it stands.
            if desked.standing == "DRAFT":
                if len(desked.seals) != 2:
                    results.append(_refused(SealMissing("not reviewed")))
                    continue
                desked.seals.append(b"the institution's")
                desked.standing = "SENT" if request.send else "SEALED"
            results.append(self._done(digest))
        return _answer(results)

    def _cancel(self, encoded: bytes) -> bytes:
        results = []
        for item in desk_pb2.CancelSealRequest.FromString(encoded).items:
            desked = self.vouchers.get(item.digest)
            if desked is None:
                results.append(_refused(DraftNotFound("none")))
                continue
            plan = CATALOGUE.plan_for(DocumentKind.VOUCHER, desked.key.type_code)
            topmost = plan.positions[len(desked.seals) - 1].id if desked.seals else ""
            if desked.standing == "SENT" or topmost != item.position:
                results.append(_refused(WithdrawalOutOfOrder("not on top")))
                continue
            desked.seals.pop()
            desked.standing = "DRAFT"
            results.append(self._done(item.digest))
        return _answer(results)

    def _discard(self, encoded: bytes) -> bytes:
        results = []
        for item in desk_pb2.DiscardRequest.FromString(encoded).items:
            desked = self.vouchers[item.voucher.digest]
            if desked.standing != "SEALED":
                results.append(_refused(NotInState("sent")))
                continue
            desked.standing = "DISCARDED"
            results.append(self._done(item.voucher.digest))
        return _answer(results)

    def _accept(self, encoded: bytes) -> bytes:
        items = desk_pb2.AcceptRequest.FromString(encoded).items
        self.accepted += [item.voucher.digest for item in items]
        return _answer([_done_result(item.voucher.digest, 0) for item in items])

    def _acknowledge(self, encoded: bytes) -> bytes:
        self.acknowledged += desk_pb2.AcknowledgeRequest.FromString(encoded).leaves
        return b""

    def _done(self, digest: bytes) -> desk_pb2.Result:
        desked = self.vouchers[digest]
        # Seals are counted on the workbench; in the vault there is nothing to review.
        on_desk = desked.standing == "DRAFT"
        return _done_result(digest, len(desked.seals) if on_desk else 0)


def _done_result(digest: bytes, seals: int) -> desk_pb2.Result:
    done = desk_pb2.Done(
        digest=digest, standing=standing_pb2.STANDING_DRAFT, seals=seals
    )
    return desk_pb2.Result(done=done)


def _refused(refusal: CounterfoilError) -> desk_pb2.Result:
    return desk_pb2.Result(refusal=refusal_to_message(refusal))


def _answer(results: list[desk_pb2.Result]) -> bytes:
    return desk_pb2.AcceptResponse(results=results).SerializeToString()
