"""What became of a voucher: its whole way, with evidence (查询)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from counterfoil.app.arrivals import arrival_leaf, single_proof
from counterfoil.app.earlier_acts import earlier_proofs_of
from counterfoil.app.entries import own_side
from counterfoil.app.ports import (
    Entry,
    Follower,
    Ledger,
    Vault,
)
from counterfoil.app.prove import size_of
from counterfoil.app.stamped_acts import StampedActs, stamped_acts
from counterfoil.app.time_stamps import NoTimeStamps, TimeStamps
from counterfoil.domain.evidence import Evidence
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import LeafNotFound, VoucherNotFound
from counterfoil.domain.registry import Caller
from counterfoil.domain.standing import BRINGS_DOCUMENT, OUR_OWN, Act
from counterfoil.domain.voucher import VoucherKey
from counterfoil.tlog.trees import LogTree


@dataclass(frozen=True, slots=True, kw_only=True)
class ActEvidence:
    """One act of a voucher's way.

    Attributes:
        index: Log index of the leaf.
        leaf: The leaf.
        inclusion_proof: Proves it under the checkpoint of the `Way`.
        peer_proof: The peer's proof that it has the document, as a C2SP
            tlog-proof file whose extra data is the peer's leaf; empty unless a
            peer's arrival is what was recorded.
        sm3_inclusion_proof: Proves it under the checkpoint of the SM3 tree; empty
            without one.
        earlier_proof: Of a document that came after a certificate's end, that it had
            entered its deliverer's log before: a C2SP tlog-proof file under a head
            that our log witnessed; else empty.
        witness_proof: Our leaf that witnessed that head, likewise under the checkpoint
            of the `Way`.
    """

    index: int
    leaf: Leaf
    inclusion_proof: tuple[bytes, ...]
    peer_proof: bytes = b""
    sm3_inclusion_proof: tuple[bytes, ...] = ()
    earlier_proof: bytes = b""
    witness_proof: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A voucher's whole way through this vault.

    Attributes:
        key: The voucher.
        entry: Where it stands.
        acts: Every act about it, in the order of the log.
        documents: Every sealed document about it, in that order.
        checkpoint: Signed; the acts are proved under it.
        sm3_checkpoint: The same of the SM3 tree; empty if it was not asked for, or
            the log has none.
        time_stamps: Since when the log has held which acts, by an authority's word;
            empty where no authority is asked.
    """

    key: VoucherKey
    entry: Entry
    acts: tuple[ActEvidence, ...]
    documents: tuple[bytes, ...]
    checkpoint: bytes
    sm3_checkpoint: bytes = b""
    time_stamps: tuple[StampedActs, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InquireVoucher:
    """Gathers the whole way of one voucher."""

    vault: Vault
    ledger: Ledger
    follower: Follower
    time_stamps: TimeStamps = field(default_factory=NoTimeStamps)

    async def __call__(
        self, voucher: VoucherKey | bytes, *, caller: Caller, sm3: bool = False
    ) -> Way:
        """Return the way of a voucher, by key or digest.

        Args:
            voucher: Its key, or its digest.
            caller: Who asks.
            sm3: Whether it is to be proved by the SM3 tree as well, if there is one.

        Raises:
            VoucherNotFound: It is not here, or neither from nor to the caller.
            VaultCorrupt: Something stored about it is damaged.
        """
        key = voucher
        if isinstance(key, bytes):
            found = self.vault.key_of(key)
            if found is None:
                raise VoucherNotFound("no voucher with this digest in this vault")
            key = found
        entry = own_side(self.vault, key, caller.party)
        if entry is None:
            raise VoucherNotFound("no such voucher in this vault", number=key.number)
        checkpoint = self.vault.checkpoint()
        size = size_of(checkpoint)
        await self.follower.caught_up(size)
        rows = [row for row in await self.ledger.acts(entry.digest) if row.index < size]
        leaves = {row.index: self.vault.leaf(row.index) for row in rows}
        sm3_checkpoint, sm3_proofs = self._by_sm3(leaves, wanted=sm3)
        acts = self._acts(leaves, checkpoint, sm3_proofs)
        documents = tuple(
            self.vault.document(act.index)
            for act in acts
            if act.leaf.act in BRINGS_DOCUMENT
        )
        return Way(
            key=key,
            entry=entry,
            acts=acts,
            documents=documents,
            checkpoint=checkpoint,
            sm3_checkpoint=sm3_checkpoint,
            time_stamps=await stamped_acts(self.vault, self.time_stamps, leaves),
        )

    def _acts(
        self,
        leaves: Mapping[int, Leaf],
        checkpoint: bytes,
        sm3_proofs: Sequence[tuple[bytes, ...]],
    ) -> tuple[ActEvidence, ...]:
        """Return acts with their evidence, each proved under the checkpoint."""
        size = size_of(checkpoint)
        proofs = self.vault.inclusion_proofs(leaves, size)
        acts = []
        for (index, leaf), proof, sm3_proof in zip(
            leaves.items(), proofs, sm3_proofs, strict=True
        ):
            earlier, witness = earlier_proofs_of(
                self.vault, index, leaf, checkpoint=checkpoint, size=size
            )
            acts.append(
                ActEvidence(
                    index=index,
                    leaf=leaf,
                    inclusion_proof=proof,
                    peer_proof=self._peer_proof(index, leaves),
                    sm3_inclusion_proof=sm3_proof,
                    earlier_proof=earlier,
                    witness_proof=witness,
                )
            )
        return tuple(acts)

    def _by_sm3(
        self, leaves: Collection[int], *, wanted: bool
    ) -> tuple[bytes, list[tuple[bytes, ...]]]:
        """Return the checkpoint of the SM3 tree and proofs of leaves under it."""
        if not wanted or LogTree.SM3 not in self.vault.trees:
            return b"", [()] * len(leaves)
        # Signed after the first one, so that it covers every leaf that that one does.
        checkpoint = self.vault.checkpoint(LogTree.SM3)
        size = size_of(checkpoint)
        return checkpoint, self.vault.inclusion_proofs(leaves, size, LogTree.SM3)

    def _peer_proof(self, index: int, way: Mapping[int, Leaf]) -> bytes:
        """Return the peer's proof for a DELIVER leaf, or nothing.

        The peer's leaf is computed from ours: the same document and version, its
        act and its time.
        """
        leaf = way[index]
        if leaf.act is not Act.DELIVER:
            return b""
        try:
            evidence = Evidence.from_bytes(self.vault.evidence(index))
        except LeafNotFound:
            # The peer knew the document before: its proof stands under the leaf
            # that first recorded the arrival.
            return b""
        # The last entry before: a voucher whose seal was withdrawn entered more
        # than once, and only the last version was sent.
        for place in sorted((each for each in way if each < index), reverse=True):
            entered = way[place]
            if entered.act in OUR_OWN and entered.document == leaf.document:
                theirs = arrival_leaf(entered, evidence.arrival_time_us)
                return single_proof(evidence, theirs)
        return b""
