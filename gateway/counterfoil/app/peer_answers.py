"""What a peer answers, as the adapter that talked to it hands it over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from counterfoil.domain.value import value
from counterfoil.tlog.merkle import TreeHead


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafProof:
    """A peer's proof that a leaf is in its log.

    Attributes:
        leaf: The leaf's bytes.
        hashes: The inclusion proof.
        checkpoint: The signed checkpoint that it leads to.
    """

    leaf: bytes
    hashes: tuple[bytes, ...]
    checkpoint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthProof:
    """A peer's proof that its log only grew.

    Attributes:
        hashes: The consistency proof from the older size that was asked for.
        checkpoint: The signed checkpoint that it leads to.
        settled_size: The size from which on the log has only leaves about what is
            not in it; 0 if the peer does not say.
    """

    hashes: tuple[bytes, ...]
    checkpoint: bytes
    settled_size: int = 0


@value
class PeerOutcome:
    """What a peer answered for one document.

    Attributes:
        known_leaf: Its index in the peer's log if the peer knew it before.
        proof: The proof of that leaf, asked for afterwards.
        reason: Reason of a refusal; empty if it was stored or known.
        retryable: Whether the same bytes may be sent again later.
        earlier_size: The size of our log by which the peer wants it shown that the
            document had entered; 0 if it does not.
    """

    known_leaf: int | None = None
    proof: LeafProof | None = None
    reason: str = ""
    retryable: bool = False
    earlier_size: int = 0

    @property
    def new(self) -> bool:
        """Whether the peer stored it as new."""
        return self.known_leaf is None and not self.reason


@value
class PeerResponse:
    """A peer's answer to one batch.

    Attributes:
        checkpoint: Its signed checkpoint.
        arrival_time_us: When the new documents arrived, by its clock.
        first_leaf: Index of the first new one in its log.
        range_proof: Proves the new ones under the checkpoint.
        outcomes: One per document.
    """

    checkpoint: bytes
    arrival_time_us: int
    first_leaf: int
    range_proof: tuple[bytes, ...]
    outcomes: tuple[PeerOutcome, ...]


class PeerHeads(Protocol):
    """Remembers the newest head seen of each peer, and never forgets one."""

    def newest(self, origin: str) -> TreeHead | None:
        """Return the newest head seen of a log; None if there is none."""

    def see(self, origin: str, head: TreeHead, checkpoint: bytes) -> None:
        """Record a head that a peer signed.

        Raises:
            PeerForked: It signed another root for a size seen before.
        """
