"""Stand-ins for what a test cannot have: time, processes, the other institution.

Real things come first: the workshop, the vault, the workbench and the ledger of a
`House` are the product's own. What stands in are the clock, and the pipes between
the gateway and its worker processes.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from counterfoil.app.ports import Entry
from counterfoil.domain.document import Document
from counterfoil.domain.draft_seals import DraftSeals, ReviewSeal
from counterfoil.domain.drafts import DraftRow, ReceiptText, StepText, Unsealed
from counterfoil.domain.party import Identity
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.domain.standing import Role
from counterfoil.domain.voucher import VoucherKey
from counterfoil.domain.witnessing import Held
from counterfoil.vault.vault import EngineVault
from counterfoil.wire.judge import take_apart
from counterfoil.wire.workshop import Workshop

T = TypeVar("T")


@dataclass(slots=True)
class SetClock:
    """A clock that a test sets.

    Attributes:
        us: What it shows, microseconds since the epoch.
    """

    us: int

    def now_us(self) -> int:
        """Return the instant that the test chose."""
        return self.us


@dataclass(frozen=True, slots=True)
class InProcessWorks:
    """The port `Works` on a workshop in the test's own process.

    Whatever goes in and comes out is pickled on the way, as between processes.

    Attributes:
        workshop: Does the work.
    """

    workshop: Workshop

    async def examine(
        self,
        documents: Sequence[bytes],
        certificates: Sequence[bytes],
        *,
        at_us: int,
        answers: Sequence[bytes] = (),
    ) -> list[Document | CounterfoilError]:
        """See `Works.examine`."""
        return _piped(
            self.workshop.examine(
                *_piped((documents, certificates)), at_us, _piped(answers)
            )
        )

    async def reread(
        self, documents: Sequence[bytes]
    ) -> list[Document | CounterfoilError]:
        """See `Works.reread`."""
        return _piped(self.workshop.reread(_piped(documents)))

    async def held(
        self,
        documents: Sequence[bytes],
        certificates: Sequence[bytes],
        answers: Sequence[bytes] = (),
    ) -> list[Held | None]:
        """See `Works.held`."""
        return _piped(self.workshop.held(*_piped((documents, certificates, answers))))

    async def compose(
        self, drafts: Sequence[bytes], *, desk: str, at_us: int
    ) -> list[DraftRow | CounterfoilError]:
        """See `Works.compose`."""
        return _piped(self.workshop.compose(_piped(drafts), desk, at_us))

    async def review(
        self,
        reviews: Sequence[tuple[DraftSeals, bytes]],
        certificates: Sequence[bytes],
        *,
        signer: Identity,
        at_us: int,
    ) -> list[ReviewSeal | CounterfoilError]:
        """See `Works.review`."""
        return _piped(
            self.workshop.review(
                *_piped((reviews, certificates)), signer=signer, at_us=at_us
            )
        )

    async def seal(
        self, drafts: Sequence[Unsealed], *, at_us: int
    ) -> list[Document | CounterfoilError]:
        """See `Works.seal`."""
        return _piped(self.workshop.seal(_piped(drafts), at_us))

    async def submit(
        self, drafts: Sequence[bytes], *, desk: str, at_us: int
    ) -> list[Document | CounterfoilError]:
        """See `Works.submit`."""
        return _piped(self.workshop.submit(_piped(drafts), desk, at_us))

    async def steps(
        self, steps: Sequence[StepText], *, at_us: int
    ) -> list[Document | CounterfoilError]:
        """See `Works.steps`."""
        return _piped(self.workshop.steps(_piped(steps), at_us))

    async def receipts(
        self, receipts: Sequence[ReceiptText], *, by: str, at_us: int
    ) -> list[Document | CounterfoilError]:
        """See `Works.receipts`."""
        return _piped(self.workshop.receipts(_piped(receipts), by, at_us))

    async def national(
        self, documents: Sequence[tuple[bytes, bytes]], *, encoding: str
    ) -> list[bytes | CounterfoilError]:
        """See `Works.national`."""
        return _piped(self.workshop.national(_piped(documents), encoding))

    async def payload(self, sealed: Sequence[bytes]) -> list[Unsealed]:
        """See `Works.payload`."""
        return [take_apart(one) for one in sealed]


def _piped(value: T) -> T:
    """Return what arrives at the other end of a pipe."""
    arrived: T = pickle.loads(pickle.dumps(value))  # noqa: S301 -- our own bytes
    return arrived


def kept(vault: EngineVault, key: VoucherKey) -> Entry | None:
    """Return what the book of keys says of a voucher, whichever side is kept."""
    sides = (vault.entry(key, role) for role in Role)
    return next((entry for entry in sides if entry is not None), None)
