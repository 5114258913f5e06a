"""Sound documents of the peer that we play, each under a fresh number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from typing import Final, TypeAlias

from counterfoil.catalogue.v1 import document_kind_pb2
from counterfoil.conformance.target import Content, Identity, Table, Target
from counterfoil.office import (
    Form,
    PlanPosition,
    Receipt,
    Reference,
    Seal,
    Voucher,
    VoucherKey,
    payload_of,
    plan_of,
)
from counterfoil.office.messages import receipt_message, reference_message
from counterfoil.office.signing import positions_of, seal_payload
from counterfoil.sealed.v1 import sealed_pb2, voucher_pb2

Kind: TypeAlias = document_kind_pb2.DocumentKind.ValueType
"""The kind of a document, as its number."""
VOUCHER: Final = document_kind_pb2.DOCUMENT_KIND_VOUCHER
RECEIPT: Final = document_kind_pb2.DOCUMENT_KIND_RECEIPT
ACCEPTANCE: Final = document_kind_pb2.DOCUMENT_KIND_ACCEPTANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A document as it is delivered, and what is known of it.

    Attributes:
        kind: What it is.
        voucher: The voucher that it is, or is about.
        payload: The encoded document.
        sealed: The encoded `Sealed`.
    """

    kind: Kind
    voucher: Reference
    payload: bytes
    sealed: bytes

    @property
    def message(self) -> sealed_pb2.Sealed:
        """A fresh message of the sealed document."""
        return sealed_pb2.Sealed.FromString(self.sealed)


@dataclass(slots=True)
class Papers:
    """Makes documents; no two runs and no two calls use the same number.

    Attributes:
        target: Who seals, and what is exchanged.
    """

    target: Target
    _stem: str = field(
        default_factory=lambda: datetime.now(UTC).strftime("CF%y%m%d%H%M%S%f")
    )
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def try_out(self) -> None:
        """Make one of each document that the file describes, and send none.

        Raises:
            ValueError: The contract has no such kind or field, or persons are
                missing who must seal.
        """
        due = sum(
            position.by_person
            for position in plan_of(self.target.voucher.content.type_code)
        )
        there = len(self.target.persons)
        if there != due:
            raise ValueError(f"[[peer.person]] names {there} persons, not {due}")
        self.paper()
        if self.target.receipt is not None:
            content = self.target.receipt
            self.receipt(content, self.foreign(content.type_code))

    def number(self) -> str:
        """Return a number that nobody used before; they rise."""
        return f"{self._stem}{next(self._numbers):04}"

    def voucher(self, **changed: str) -> Voucher:
        """Return the next voucher, to be sealed.

        Args:
            changed: Fields of the form that say something else.
        """
        exchanged, number = self.target.voucher, self.number()
        form = filled(exchanged.content, number)
        return Voucher(
            key=VoucherKey(
                issuer=self.target.peer,
                adm_div=exchanged.adm_div,
                fiscal_year=exchanged.fiscal_year,
                type_code=exchanged.content.type_code,
                number=number,
            ),
            recipients=(exchanged.recipient,),
            form=Form({**form.fields, **changed}, form.rows),
        )

    def paper(self) -> Paper:
        """Return the next voucher, sealed by everybody whom its plan names."""
        return self.sealed(self.voucher())

    def papers(self, number: int) -> list[Paper]:
        """Return so many vouchers."""
        return [self.paper() for _ in range(number)]

    def sealed(self, voucher: Voucher) -> Paper:
        """Seal a voucher."""
        return self.sealed_payload(voucher.key, payload_of(voucher))

    def sealed_payload(self, key: VoucherKey, payload: bytes) -> Paper:
        """Seal bytes as the voucher of a key, whatever they say."""
        plan = plan_of(self.target.voucher.content.type_code)
        reference = Reference(key, sha256(payload).digest())
        return closed(VOUCHER, reference, payload, self.seals(VOUCHER, payload, plan))

    def acceptance(self, voucher: Reference) -> Paper:
        """Return the peer's acceptance of a voucher of the party under test."""
        payload = voucher_pb2.Step(
            voucher=reference_message(voucher),
            by=self.target.peer,
            recipients=[voucher.key.issuer],
        ).SerializeToString(deterministic=True)
        seals = self.seals(ACCEPTANCE, payload, positions_of(ACCEPTANCE))
        return closed(ACCEPTANCE, voucher, payload, seals)

    def receipt(self, content: Content, voucher: Reference) -> Paper:
        """Return the peer's receipt of a voucher of the party under test."""
        receipt = Receipt(
            voucher=voucher,
            by=self.target.peer,
            form=filled(content, voucher.key.number),
            copies=(voucher.key.issuer,),
        )
        payload = receipt_message(receipt).SerializeToString(deterministic=True)
        seals = self.seals(RECEIPT, payload, positions_of(RECEIPT))
        return closed(RECEIPT, voucher, payload, seals)

    def foreign(self, type_code: int) -> Reference:
        """Name a voucher of the party under test that nobody ever issued."""
        exchanged, number = self.target.voucher, self.number()
        key = VoucherKey(
            issuer=self.target.party,
            adm_div=exchanged.adm_div,
            fiscal_year=exchanged.fiscal_year,
            type_code=type_code,
            number=number,
        )
        return Reference(key, sha256(number.encode()).digest())

    def seals(
        self, kind: Kind, payload: bytes, plan: Sequence[PlanPosition]
    ) -> list[Seal]:
        """Return the peer's seals on a payload, lowest first."""
        persons, seals = iter(self.target.persons), list[Seal]()
        for position in plan:
            identity = next(persons) if position.by_person else self.target.institution
            seals.append(seal_by(identity, kind, payload, position, beneath=seals))
        return seals


def seal_by(
    identity: Identity,
    kind: Kind,
    payload: bytes,
    position: PlanPosition,
    *,
    beneath: Sequence[Seal] = (),
) -> Seal:
    """Return one seal by whoever has this certificate."""
    return seal_payload(
        kind,
        payload,
        position,
        identity.signer,
        stated_time=datetime.now(UTC),
        beneath=tuple(beneath),
    )


def closed(
    kind: Kind, voucher: Reference, payload: bytes, seals: Sequence[Seal]
) -> Paper:
    """Put payload and seals together."""
    sealed = sealed_pb2.Sealed(
        kind=kind,
        payload=payload,
        seals=[
            sealed_pb2.Seal(statement=one.statement, signature=one.signature)
            for one in seals
        ],
    ).SerializeToString(deterministic=True)
    return Paper(kind=kind, voucher=voucher, payload=payload, sealed=sealed)


def filled(content: Content, number: str) -> Form:
    """Return a form with its number filled in."""
    return Form(
        _filled(content.fields, number),
        tuple(_filled(row, number) for row in content.rows),
    )


def _filled(table: Table, number: str) -> Table:
    return {
        name: one.replace("{number}", number) if isinstance(one, str) else one
        for name, one in table.items()
    }
