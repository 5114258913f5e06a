"""Which of a voucher's acts the log held when, by an authority's word."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from counterfoil.app.ports import Vault
from counterfoil.app.time_stamps import StampedHead, TimeStamps
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import LeafNotFound
from counterfoil.tlog.checkpoint import parse_checkpoint
from counterfoil.tlog.errors import TlogError
from counterfoil.tlog.merkle import leaf_hash
from counterfoil.tlog.note import parse_note
from counterfoil.tlog.verification import verify_inclusion

log: Final = logging.getLogger("counterfoil.app")


@dataclass(frozen=True, slots=True, kw_only=True)
class StampedActs:
    """A stamped head, and the acts of which it is the earliest proof.

    Attributes:
        head: The head with its time stamp.
        proofs: For each act, by log index, its inclusion proof under that head.
    """

    head: StampedHead
    proofs: Mapping[int, tuple[bytes, ...]]


async def stamped_acts(
    vault: Vault, time_stamps: TimeStamps, leaves: Mapping[int, Leaf]
) -> tuple[StampedActs, ...]:
    """Return the earliest stamped head of each act, smallest heads first.

    A head that our log does not lead to proves nothing of it, and is left out: a vault
    that was put back from a copy may have gone on otherwise.

    Args:
        vault: Our log.
        time_stamps: Its stamped heads.
        leaves: The acts, by log index.
    """
    covered = defaultdict[StampedHead, list[int]](list)
    found = await time_stamps.covering(leaves)
    for index, head in found.items():
        covered[head].append(index)
    stamped = []
    for head, indices in sorted(covered.items(), key=lambda item: item[0].size):
        try:
            proofs = _proved(vault, head, {index: leaves[index] for index in indices})
        except (TlogError, LeafNotFound, ValueError) as error:
            log.warning(
                "a stamped head is not of this log",
                extra={"count": head.size, "detail": str(error)},
            )
            continue
        stamped.append(StampedActs(head=head, proofs=proofs))
    return tuple(stamped)


def _proved(
    vault: Vault, head: StampedHead, leaves: Mapping[int, Leaf]
) -> dict[int, tuple[bytes, ...]]:
    """Return the proofs of acts under a stamped head, once they hold.

    Raises:
        TlogError: One does not, or the head cannot be read.
        LeafNotFound: The log is smaller.
    """
    tree = parse_checkpoint(parse_note(head.checkpoint).text).head
    proofs = dict(zip(leaves, vault.inclusion_proofs(leaves, tree.size), strict=True))
    for index, leaf in leaves.items():
        verify_inclusion(index, leaf_hash(leaf.to_bytes()), tree, proofs[index])
    return proofs
