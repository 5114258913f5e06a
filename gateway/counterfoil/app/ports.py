"""What the use cases need from outside, as protocols.

The adapters are `vault`, `ledger`, `workbench`, `peer` and `wire`; `daemon` puts
them together. Everything that waits is a coroutine; everything that changes the
vault goes through `Vault.perform`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from counterfoil.app.proved_log import ProvedLog
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Committed, Deed
from counterfoil.domain.document import Document
from counterfoil.domain.draft_seals import DraftSeals
from counterfoil.domain.drafts import DraftRow
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.register import Register
from counterfoil.domain.standing import Role, Standing
from counterfoil.domain.value import maker, value
from counterfoil.domain.voucher import VoucherKey
from counterfoil.domain.witnessing import WitnessedHead


class Clock(Protocol):
    """The one reading of time that a use case takes."""

    def now_us(self) -> int:
        """Return the instant, microseconds since 1970-01-01T00:00Z."""


@value
class Passage:
    """A voucher's way to one recipient, as this vault knows it.

    Attributes:
        recipient: The recipient's party code.
        standing: Where it stands.
        leaf: Index of the act that led there.
        receipt: Digest of the receipt's payload; empty if there is none.
        refused_reason: Why the peer's gateway refused it; empty if it did not.
    """

    recipient: str
    standing: Standing
    leaf: int
    receipt: bytes = b""
    refused_reason: str = ""


make_passage: Final = maker(Passage)


@value
class Entry:
    """A voucher in the vault's book of keys.

    Attributes:
        role: Which side this vault keeps.
        digest: Digest of the voucher's payload.
        document: Log index where its bytes stand.
        amount_fen: Main amount.
        count: Rows.
        passages: One per recipient (issuer's side) or per recipient hosted here.
    """

    role: Role
    digest: bytes
    document: int
    amount_fen: int
    count: int
    passages: tuple[Passage, ...]


make_entry: Final = maker(Entry)


@value
class LaneItem:
    """A document that waits in a lane.

    Attributes:
        sequence: Its place in the lane; rises.
        sealed: The bytes to send.
        leaf: The leaf under which it entered our vault.
        recipients: The recipients that this lane leads to.
        not_before_us: When it may be tried again; 0 if it was not set aside.
        index: Log index of that leaf.
    """

    sequence: int
    sealed: bytes
    leaf: Leaf
    recipients: tuple[str, ...]
    not_before_us: int = 0
    index: int = 0


make_lane_item: Final = maker(LaneItem)


@value
class Waiting:
    """A document that has arrived and waits to be read.

    Attributes:
        leaf_index: Its log index.
        leaf: Its leaf.
        key: The voucher that it is or is about.
        sealed: Its bytes.
        times_read: How often it was read before, in this process.
    """

    leaf_index: int
    leaf: Leaf
    key: VoucherKey
    sealed: bytes
    times_read: int = 0


@value
class LogRecord:
    """One act, as the ledger follows it.

    Attributes:
        index: Log index.
        leaf: What the log says.
        key: The voucher concerned; of a registration see `key_of_registration`.
        amount_fen: The voucher's main amount.
        count: Its rows.
        role: Which side this vault keeps.
        changes: Recipient and standing after the act, for each one concerned.
    """

    index: int
    leaf: Leaf
    key: VoucherKey
    amount_fen: int
    count: int
    role: Role
    changes: tuple[tuple[str, Standing], ...]


make_log_record: Final = maker(LogRecord)


@value
class RegistrationRow:
    """A registration as the log holds it.

    Attributes:
        index: Log index.
        leaf: What the log says.
        sealed: Its bytes.
    """

    index: int
    leaf: Leaf
    sealed: bytes


class Vault(ProvedLog, Protocol):
    """The institution's log and documents (电子凭证库): the truth."""

    async def perform(self, deeds: Sequence[Deed]) -> list[Committed]:
        """Judge and write `deeds`, and return when they are on disk.

        Each deed is judged after the one before it. Refusals of documents and
        acts are in the outcomes; what is raised concerns all of `deeds`.

        Raises:
            VaultFull: Nothing was stored.
            VaultStopped: A commit failed before; nothing is written any more.
            VaultBusy: Too much is waiting.
        """

    def entries(self, keys: Sequence[VoucherKey], role: Role) -> list[Entry | None]:
        """Return what the book says of each key on one side, all at one moment."""

    def entry(self, key: VoucherKey, role: Role) -> Entry | None:
        """Return what the book of keys says of `key` on the side of `role`."""

    def key_of(self, digest: bytes) -> VoucherKey | None:
        """Return the key of the voucher with this digest."""

    def document(self, index: int) -> bytes:
        """Return the sealed bytes that entered or arrived as leaf `index`.

        Raises:
            LeafNotFound: There is no such leaf, or it brought no document.
            VaultCorrupt: The bytes no longer match the leaf.
        """

    def documents(self, indices: Sequence[int], *, bytes_max: int) -> list[bytes]:
        """Return the sealed bytes of the first of these leaves, at one moment.

        As many as are `bytes_max` together, and at least one: whoever wants many
        asks again for the rest, and never holds more than that.

        Raises:
            LeafNotFound: There is no such leaf, or it brought no document.
            VaultCorrupt: The bytes no longer match the leaf.
        """

    def holds(self, document: Document) -> bool:
        """Tell whether the log has a peer's document, with these very seals.

        Never of a registration.

        Raises:
            VaultCorrupt: A record is damaged.
        """

    def leaf(self, index: int) -> Leaf:
        """Return a leaf of the log.

        Raises:
            LeafNotFound: There is no such leaf.
        """

    def evidence(self, index: int) -> bytes:
        """Return the peer's evidence for the `DELIVER` leaf `index`.

        Raises:
            LeafNotFound: There is none.
            VaultCorrupt: The bytes no longer match the leaf.
        """

    def earlier_proof(self, index: int) -> bytes:
        """Return what shows that a document that arrived was sealed earlier.

        Empty if it was judged as of its arrival.
        """

    def witnessed(self, carrier: str, until_us: int) -> WitnessedHead | None:
        """Return the newest head of a peer's log that ours had witnessed by then.

        Raises:
            VaultCorrupt: What is kept of it is damaged.
        """

    def witnessed_at(self, index: int) -> WitnessedHead:
        """Return the head of a peer's log that a leaf of ours witnessed.

        Raises:
            LeafNotFound: The leaf witnessed none.
            VaultCorrupt: What is kept of it is damaged.
        """

    def size(self) -> int:
        """Return how many leaves are committed."""

    def lane(self, carrier: str, *, after: int, limit: int) -> list[LaneItem]:
        """Return what waits in the lane to `carrier` behind sequence `after`."""

    def lane_lengths(self) -> dict[str, int]:
        """Return for each carrier how many documents wait."""

    def waiting(
        self, party: str, *, after: int, limit: int, bytes_max: int | None = None
    ) -> list[Waiting]:
        """Return what waits to be read by `party` behind log index `after`.

        At most so many bytes of documents, or one document.
        """

    def records(self, first: int, limit: int) -> list[LogRecord]:
        """Return committed acts from log index `first`, for the ledger."""

    @property
    def register(self) -> Register:
        """What stands registered, as of the last commit."""

    def registrations(self, *, after: int, limit: int) -> list[RegistrationRow]:
        """Return the registrations behind log index `after`, in log order."""

    def certificate(self, digest: bytes) -> bytes | None:
        """Return a certificate in DER that the vault keeps."""

    async def keep_certificates(self, certificates: Iterable[bytes]) -> None:
        """Store certificates (DER) that seals name; known ones cost nothing."""

    async def changed(self, size: int) -> int:
        """Wait until more than `size` leaves are committed; return how many."""


class Workbench(Protocol):
    """Drafts and reviews (工作台): process data, never in the vault."""

    async def put(self, drafts: Sequence[DraftRow]) -> list[DraftRow | None]:
        """Store new drafts; return for each the one that has its key already.

        A draft with the same digest is left as it is. One with the same key and
        another digest replaces an unsealed draft; if that one has seals, it is
        returned and nothing is stored.
        """

    async def get(self, party: str, digests: Sequence[bytes]) -> list[DraftRow | None]:
        """Return the party's drafts with these digests, None where there is none."""

    async def get_seals(
        self, party: str, digests: Sequence[bytes]
    ) -> list[DraftSeals | None]:
        """Return what stands on these drafts, as `get` does, without payloads."""

    async def set_seals(
        self, party: str, changes: Sequence[tuple[bytes, int, tuple[bytes, ...]]]
    ) -> list[bool]:
        """Replace seals where a draft still has the stated number of them.

        Args:
            party: Whose desk.
            changes: Digest, number of seals expected, new seals.

        Returns:
            For each change whether it was made.
        """

    async def remove(self, party: str, digests: Sequence[bytes]) -> None:
        """Remove drafts that entered the vault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a search asks of the ledger.

    Attributes:
        desk: The party whose desk asks; only its vouchers are found.
        types: Type codes; empty for all.
        standings: Standings; empty for all.
        party: Issuer or recipient; empty for all.
        number_prefix: How numbers begin; empty for all.
        fiscal_year: 0 for all.
        limit: Most rows.
        before: Only rows with a smaller (leaf, recipient) than this, for paging.
    """

    desk: str
    types: tuple[int, ...] = ()
    standings: tuple[Standing, ...] = ()
    party: str = ""
    number_prefix: str = ""
    fiscal_year: int = 0
    limit: int = 50
    before: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRow:
    """One voucher and recipient that a search found.

    A vault that hosts both sides has a row for each: `role` says which one it is.
    """

    key: VoucherKey
    digest: bytes
    role: Role
    recipient: str
    standing: Standing
    amount_fen: int
    leaf: int
    changed_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRow:
    """One act about a voucher, as the ledger lists it."""

    index: int
    kind: DocumentKind
    recipients: tuple[str, ...]


class Ledger(Protocol):
    """Where things stand, for queries (台账): follows the log, decides nothing."""

    async def follow(self, records: Sequence[LogRecord]) -> None:
        """Take in acts that follow on the last one taken in; idempotent."""

    async def next_index(self) -> int:
        """Return the log index that the ledger wants next."""

    async def find(self, query: Query) -> list[FoundRow]:
        """Return vouchers, last changed first."""

    async def acts(self, digest: bytes) -> list[ActRow]:
        """Return the acts about the voucher with this digest, in log order."""


class Follower(Protocol):
    """Keeps the ledger in step with the log."""

    async def caught_up(self, size: int) -> None:
        """Return when the ledger has taken in the first `size` acts."""
