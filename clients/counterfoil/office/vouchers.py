"""What a business system hands over and is told, as plain values.

Amounts are integers of fen, digests are SHA-256 of a payload, times are UTC. The
numbers of the enums are those of the contract in `proto/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

FieldValue = str | int
"""A form's field: text, or an integer such as an amount in fen."""


class Standing(IntEnum):
    """Where a voucher stands with one recipient; see `desk.v1.Standing`."""

    DRAFT = 1
    SEALED = 2
    SENT = 3
    REFUSED = 4
    ARRIVED = 5
    ACCEPTED = 6
    REJECTED = 7
    ACTING = 8
    ACTED = 9
    UNKNOWN = 10
    RECEIPTED = 11
    CLOSED = 12
    DISPUTED = 13
    RETURNED = 14
    DISCARDED = 15


class ActOutcome(IntEnum):
    """What is known of an act (办理结果); see `desk.v1.ActOutcome`."""

    DONE = 1
    NOT_DONE = 2
    UNKNOWN = 3


class DocumentKind(IntEnum):
    """What a sealed document is; see `catalogue.v1.DocumentKind`."""

    VOUCHER = 1
    RECEIPT = 2
    ACCEPTANCE = 3
    REJECTION = 4
    RETURN_REQUEST = 5
    RETURN = 6
    DISCARD = 7
    NOTICE = 8
    REGISTRATION = 9


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class VoucherKey:
    """A voucher's name in the books.

    Attributes:
        issuer: Code of the party that issues it.
        adm_div: Administrative division, 6 to 9 digits.
        fiscal_year: 2000 to 2999.
        type_code: Number of the voucher type, e.g. 5201.
        number: 1 to 42 printable ASCII characters.
        issue: How often the number was issued, from 1.
    """

    issuer: str
    adm_div: str
    fiscal_year: int
    type_code: int
    number: str
    issue: int = 1

    def __str__(self) -> str:
        text = f"{self.issuer}/{self.fiscal_year}/{self.type_code}/{self.number}"
        return text if self.issue == 1 else f"{text}#{self.issue}"


@dataclass(frozen=True, slots=True)
class Reference:
    """Names a voucher and pins its bytes.

    Attributes:
        key: Its name in the books.
        digest: SHA-256 of its payload.
    """

    key: VoucherKey
    digest: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """The typed content of a voucher or receipt, by the contract's field names.

    Attributes:
        fields: Fields that are set; absent is not the same as empty.
        rows: The same of every row, in order.
    """

    fields: Mapping[str, FieldValue]
    rows: tuple[Mapping[str, FieldValue], ...] = ()

    def text(self, name: str) -> str:
        """Return a text field; empty if it is absent."""
        return str(self.fields.get(name, ""))

    def fen(self, name: str) -> int:
        """Return an amount in fen; 0 if it is absent."""
        return int(self.fields.get(name, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalDraft:
    """A national XML document to be written, and what it does not say.

    Attributes:
        document: The `MOF` envelope, GBK bytes, one body.
        recipients: Codes of the parties that are to act.
        issue: Which issue of the number it is.
        replaces: Digest of the issue before; empty for issue 1.
    """

    document: bytes
    recipients: tuple[str, ...]
    issue: int = 1
    replaces: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """A voucher with typed content: to be written, or as it was read.

    Attributes:
        key: Its name in the books.
        recipients: Codes of the parties that are to act.
        form: Its content.
        replaces: Digest of the issue before; empty for issue 1.
    """

    key: VoucherKey
    recipients: tuple[str, ...]
    form: Form
    replaces: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDraft:
    """A voucher to be written, as the caller's own books keep it.

    Attributes:
        key: Its name in the books.
        payload: What `payload_of` made of it.
    """

    key: VoucherKey
    payload: bytes


Draft = NationalDraft | KeptDraft | Voucher
"""What can be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The recipient's answer that it acted (回单).

    Attributes:
        voucher: The voucher that was acted on.
        by: Code of the party that acted.
        form: What it filled in: the X fields.
        copies: Codes of the parties that get a copy besides the voucher's issuer.
    """

    voucher: Reference
    by: str
    form: Form
    copies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step about one voucher that is no receipt: acceptance, return, ….

    Attributes:
        kind: Which step.
        voucher: The voucher that it is about.
        by: Code of the party that took it.
        explanation: Why, for people.
    """

    kind: DocumentKind
    voucher: Reference
    by: str
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """A voucher and why something shall happen to it.

    Attributes:
        voucher: The voucher.
        explanation: For people, up to 200 characters.
    """

    voucher: Reference
    explanation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An item that is done and durable.

    Attributes:
        digest: The voucher's digest.
        leaf: Log index of the act; None while it is a draft.
        standing: The voucher's standing afterwards.
        seals: How many of the plan's seals are on it.
    """

    digest: bytes
    leaf: int | None
    standing: Standing
    seals: int


@dataclass(frozen=True, slots=True)
class Written:
    """A draft on the workbench.

    Attributes:
        done: Its digest and standing.
        payload: The encoded voucher that persons review and sign.
    """

    done: Done
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal as carried.

    Attributes:
        statement: The encoded statement.
        signature: Over the statement.
    """

    statement: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A document that has arrived; `office.opened` tells what it says.

    Attributes:
        sealed: The encoded `Sealed`, as its issuer sent it.
        digest: Digest of its payload; the same document comes more than once.
        voucher: The voucher that it is, or is about.
        by: Code of the party that issued it.
        leaf: Its index in our gateway's log.
        arrival_time: When it arrived.
        times_read: How often it has been read, this time included.
    """

    sealed: bytes = field(repr=False)
    digest: bytes
    voucher: Reference
    by: str
    leaf: int
    arrival_time: datetime
    times_read: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One voucher in the gateway's ledger.

    Attributes:
        voucher: The voucher.
        recipient: The recipient that this row is about.
        standing: Where it stands with that recipient.
        amount_fen: Its main amount.
        changed_time: When the last act was.
    """

    voucher: Reference
    recipient: str
    standing: Standing
    amount_fen: int
    changed_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRecord:
    """One act in the gateway's log.

    Attributes:
        leaf_index: Its place in the log.
        leaf: What the log holds.
        inclusion_proof: That the leaf is under the way's checkpoint.
        act: Name of the act, e.g. `ARRIVE`.
        act_time: When.
        recipient: The recipient whose standing it changed; empty if of all.
        peer_proof: The peer's proof of an arrival; else empty.
    """

    leaf_index: int
    leaf: bytes = field(repr=False)
    inclusion_proof: tuple[bytes, ...] = field(repr=False)
    act: str
    act_time: datetime
    recipient: str
    peer_proof: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The whole way of one voucher, with its evidence.

    Attributes:
        voucher: The voucher.
        standings: Where it stands, by recipient.
        acts: Every act about it, in the order of the log.
        documents: Every encoded `Sealed` about it, the voucher first.
        checkpoint: The signed checkpoint that the acts' proofs are under.
    """

    voucher: Reference
    standings: Mapping[str, Standing]
    acts: tuple[ActRecord, ...]
    documents: tuple[bytes, ...] = field(repr=False)
    checkpoint: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of standing.

    Attributes:
        leaf: Log index of the act; a watch continues behind it.
        voucher: The voucher.
        recipient: The recipient whose standing changed.
        standing: The standing.
    """

    leaf: int
    voucher: Reference
    recipient: str
    standing: Standing
