"""What goes with a batch, so that the peer can judge it: as much as one message holds.

A document whose certificates came neither with it nor before it on its stream is
refused for good, and a message that is too large ends the stream, again and again. So a
batch is cut short where what it needs is more than goes with it.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Final

from counterfoil.app.ports import LaneItem
from counterfoil.domain.witnessing import HASHES_MAX, LEAF_BYTES_MAX
from counterfoil.tlog.merkle import HASH_BYTES
from counterfoil.wire.certificates import SHOWN_MAX, KeptCertificates

ONCE_MAX: Final = 64
"""Most certificates, and most answers, in one batch, as `DeliverRequest` says."""

_CARRIED_MAX: Final = SHOWN_MAX - ONCE_MAX
"""When a stream has carried more, all are shown anew: before the peer forgets one."""

_PROOF_BYTES: Final = LEAF_BYTES_MAX + HASHES_MAX * (HASH_BYTES + 2) + 64
"""Of an `EarlierProof`, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A batch that goes into one message with what it needs.

    Attributes:
        batch: The documents.
        certificates: Certificates in DER that the stream has not carried yet.
        answers: Responders' answers about them, likewise.
    """

    batch: list[LaneItem]
    certificates: list[bytes]
    answers: list[bytes]


@dataclass(slots=True, kw_only=True)
class Loading:
    """Loads the batches of one stream.

    Attributes:
        certificates: Finds the certificates that seals name.
        bytes_max: Most bytes of all that goes with the documents of a batch.
    """

    certificates: KeptCertificates
    bytes_max: int
    _shown: set[bytes] = field(default_factory=set)
    _told: set[bytes] = field(default_factory=set)

    def load(self, batch: list[LaneItem], proved: Container[int]) -> Load:
        """Return as much of a batch as goes, from its beginning; at least one document.

        Args:
            batch: Documents, in the order of their lane.
            proved: Sequences of those that a proof goes with.
        """
        while True:
            needed = self.certificates.of_batch(item.sealed for item in batch)
            certificates = _fresh(needed, self._shown)
            answers = _fresh(self.certificates.answers(needed), self._told)
            size = sum(map(len, certificates)) + sum(map(len, answers))
            size += _PROOF_BYTES * sum(item.sequence in proved for item in batch)
            is_few = max(len(certificates), len(answers)) <= ONCE_MAX
            if is_few and size <= self.bytes_max:
                break
            if len(batch) == 1:
                # Without answers the peer asks for itself, and authorities, which come
                # first, it may know: the signers' nobody else tells it.
                certificates, answers = certificates[-ONCE_MAX:], []
                break
            batch = batch[: len(batch) // 2]
        self._shown.update(certificates)
        self._told.update(answers)
        return Load(batch=batch, certificates=certificates, answers=answers)


def _fresh(needed: Sequence[bytes], carried: set[bytes]) -> list[bytes]:
    """Return what a batch needs that its stream has not carried."""
    if len(carried) > _CARRIED_MAX:
        carried.clear()
    return [one for one in needed if one not in carried]
