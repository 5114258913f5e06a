"""Heads of a peer's log are witnessed by ours, now and then (见证)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from counterfoil.app.deliver import AskGrowth, RecordDelivery
from counterfoil.app.ports import Vault
from counterfoil.domain.deeds import Witness

_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessPeer:
    """Notes in our log what a peer's log had become, so that it can prove it later.

    At most once in `every_s`, and only if something came that is worth it: leaves by
    which the peer itself witnessed others are not, or two idle gateways would write
    leaves about each other's leaves for ever.

    Attributes:
        vault: Our vault.
        record: Knows the peer's keys and the newest head seen of its log.
        every_s: How far apart two heads are at least, in seconds.
        since_us: When the gateway began: a peer of which nothing was witnessed yet is
            due that much later. Microseconds since the epoch.
    """

    vault: Vault
    record: RecordDelivery
    every_s: float
    since_us: int

    def due_in_s(self, now_us: int) -> float:
        """Return in how many seconds the next head is due; 0 if it is."""
        last = self.vault.witnessed(self.record.carrier, now_us)
        last_us = self.since_us if last is None else last.time_us
        passed_s = (now_us - last_us) / _MICROSECONDS
        return max(self.every_s - passed_s, 0.0)

    async def __call__(self, ask: AskGrowth, *, now_us: int) -> bool:
        """Witness the peer's newest head; return whether our log has a new leaf.

        Args:
            ask: Asks the peer for the proof from a size to its newest checkpoint.
            now_us: Now, by our clock.

        Raises:
            PeerForked: The newest head does not continue the newest one seen.
            PeerUnreachable: The peer does not answer.
            Unavailable: Our vault takes nothing now.
        """
        head, proof = await self.record.grown(ask)
        last = self.vault.witnessed(self.record.carrier, now_us)
        news = proof.settled_size or head.size
        if not head.size or (last is not None and news <= last.size):
            return False
        deed = Witness(
            carrier=self.record.carrier, root=head.root, note=proof.checkpoint
        )
        (committed,) = await self.vault.perform([deed])
        return any(getattr(one, "new", False) for one in committed.outcomes)
