"""What the vault is asked to do, and what it answers.

A deed is judged and written inside one vault transaction, whole or not at all.
A deed of several documents answers each of them: one that is refused changes
nothing and leaves the others standing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from counterfoil.domain.document import Document
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.domain.standing import Act, Standing
from counterfoil.domain.value import maker, value
from counterfoil.domain.voucher import VoucherKey


@value
class Enter:
    """A document of a party hosted here enters the vault, fully sealed (入库).

    A voucher is put into its lanes only with `send`; receipts and steps always
    are, also the discard of a voucher that was never sent (`docs/adr/0001`).

    Attributes:
        document: The document.
        lanes: For each recipient of the document, the carrier whose lane leads
            there.
        send: Whether a voucher is sent in the same transaction.
    """

    document: Document
    lanes: Mapping[str, str]
    send: bool = False


make_enter: Final = maker(Enter)


@value
class EnterRegistration:
    """A registration of a party hosted here enters the vault (登记).

    Attributes:
        document: The registration, signed.
        lanes: For each party that is told, the carrier whose lane leads there.
    """

    document: Document
    lanes: Mapping[str, str]


@value
class Send:
    """A voucher that is in the vault is put into its lanes (发送)."""

    key: VoucherKey
    digest: bytes
    lanes: Mapping[str, str]


@value
class Withdraw:
    """A fully sealed voucher leaves the books to become a draft again (撤销签章)."""

    key: VoucherKey
    digest: bytes


@value
class Perform:
    """A recipient's business system begins or ends its act (办理).

    Attributes:
        act: BEGIN or one of the ENDs.
        key: The voucher.
        digest: Its digest.
        recipient: The party that acts.
    """

    act: Act
    key: VoucherKey
    digest: bytes
    recipient: str


@value
class Arrive:
    """A peer's batch of documents, verified and checked, arrives (接收).

    The leaves of its new documents stand one after another in the log.

    Attributes:
        carrier: The peer whose gateway delivered it.
        documents: The documents, in the order of the batch.
        hosted: The parties that this gateway keeps vouchers for.
    """

    carrier: str
    documents: tuple[Document, ...]
    hosted: frozenset[str]


@value
class PeerAnswer:
    """What a peer answered for one document of its lane.

    Attributes:
        sequence: The document's place in the lane.
        leaf: Its index in the peer's log; None if the peer refused it.
        reason: Reason of the refusal; empty if it arrived.
        retryable: Whether the same bytes may be sent again later.
    """

    sequence: int
    leaf: int | None
    reason: str = ""
    retryable: bool = False


make_peer_answer: Final = maker(PeerAnswer)


@value
class Deliver:
    """A peer's answers to a batch, its proof checked, are put on record.

    Documents that arrived leave the lane; those refused for good leave it too,
    those refused for now are set aside and tried again.

    Attributes:
        carrier: The peer.
        answers: One per document of the batch.
        evidence: The peer's proof (`Evidence.to_bytes`); empty if nothing new
            arrived.
        not_before_us: For documents refused for now, when to try again,
            microseconds since the epoch.
    """

    carrier: str
    answers: tuple[PeerAnswer, ...]
    evidence: bytes = b""
    not_before_us: int = 0


@value
class Read:
    """A business system took receipts and steps off its list (确认).

    Attributes:
        party: The party whose list it is.
        leaves: Log indices of the arrivals.
    """

    party: str
    leaves: tuple[int, ...]


@value
class Bind:
    """The end of the record of refused calls is bound into the log (固化拒绝记录).

    Attributes:
        end: Digest of the record's end, 32 bytes.
        before: Digest of the end that was bound before; 32 zero bytes if none was.
    """

    end: bytes
    before: bytes


@value
class Witness:
    """A head of a peer's log is noted in ours, its signatures checked (见证).

    Attributes:
        carrier: The peer.
        root: Root hash of the head.
        note: The peer's signed checkpoint.
    """

    carrier: str
    root: bytes
    note: bytes


Deed = (
    Enter
    | EnterRegistration
    | Send
    | Withdraw
    | Perform
    | Arrive
    | Deliver
    | Read
    | Bind
    | Witness
)


@value
class Recorded:
    """One document's or act's place in the log.

    Attributes:
        leaf: Log index.
        standing: The voucher's standing afterwards, with the recipient concerned
            or, of an issuer's act, with the first.
        time_us: Commit time, microseconds since the epoch.
        new: Whether this deed recorded it; False if it was known.
    """

    leaf: int
    standing: Standing
    time_us: int
    new: bool = True


make_recorded: Final = maker(Recorded)


Outcome = Recorded | CounterfoilError
"""What became of one document or act: recorded, or refused."""


@value
class Committed:
    """What the vault answers to a deed, once it is durable.

    Attributes:
        outcomes: One per document or act of the deed.
        size: Leaves in the log after the commit that holds the deed.
        checkpoint: The signed checkpoint of that commit; empty unless the deed
            was an `Arrive`.
        range_proof: For an `Arrive`: proves its new leaves under the checkpoint.
        first_leaf: For an `Arrive`: index of its first new leaf.
        new_count: For an `Arrive`: how many of its documents were new.
        time_us: Commit time, microseconds since the epoch.
    """

    outcomes: tuple[Outcome, ...]
    size: int
    time_us: int
    checkpoint: bytes = b""
    range_proof: tuple[bytes, ...] = field(default=(), repr=False)
    first_leaf: int = 0
    new_count: int = 0


make_committed: Final = maker(Committed)
