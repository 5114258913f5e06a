"""The works as worker processes: whole batches in, plain values out.

Signatures are most of a gateway's work, and a thread that checks them beside a busy
interpreter waits a switch interval per call (architecture D8, `docs/adr/0004`). Keys
travel to a worker over the pipe that starts it, and by its socket when they change.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVarTuple

from counterfoil.daemon.lasting_worker import LastingWorker
from counterfoil.daemon.parcels import unpack_document
from counterfoil.daemon.worker import (
    Give,
    SealMaterial,
    relist,
    reseal,
    retrust,
    start_worker,
    work_on_batch,
)
from counterfoil.daemon.worker_process import WorkerEnded, WorkerProcess
from counterfoil.domain.document import Document
from counterfoil.domain.draft_seals import DraftSeals, ReviewSeal
from counterfoil.domain.drafts import DraftRow, ReceiptText, StepText, Unsealed
from counterfoil.domain.party import Identity
from counterfoil.domain.refusals import (
    CounterfoilError,
    SealKeyUnavailable,
    SealUndetermined,
    VaultBusy,
)
from counterfoil.domain.witnessing import Held
from counterfoil.seal.trust_material import TrustMaterial
from counterfoil.wire.judge import take_apart

log = logging.getLogger("counterfoil.works")

Arguments = TypeVarTuple("Arguments")


class ProcessWorks:
    """The works, in `workers` processes of their own.

    Args:
        material: Whom to believe.
        seals: The seals of the parties hosted here.
        workers: How many processes.
        in_batches: Whether vouchers of one batch share one signature.
        document_bytes_max: Largest sealed document of ours.
        changed: Called when `is_ready` may have changed.
        unknown: Called with certificates (DER) that came with seals of which nobody
            can tell now whether they were revoked.
    """

    def __init__(  # noqa: PLR0913 -- made once, in one place
        self,
        material: TrustMaterial,
        seals: Sequence[SealMaterial],
        *,
        workers: int,
        in_batches: bool,
        document_bytes_max: int,
        changed: Callable[[], None],
        unknown: Callable[[Sequence[bytes]], None] = lambda _: None,
    ) -> None:
        self._material, self._seals = material, tuple(seals)
        self._unknown = unknown
        self._start = partial(
            _process, in_batches=in_batches, document_bytes_max=document_bytes_max
        )
        self._workers = [
            LastingWorker(
                lambda: self._start(self._seals, self._material), self._prepare, changed
            )
            for _ in range(workers)
        ]
        self._busy = [0] * workers

    @property
    def is_ready(self) -> bool:
        """Whether there is a process that works."""
        return any(worker.is_ready for worker in self._workers)

    async def warm_up(self) -> None:
        """Start the processes now, so that the first voucher does not wait.

        Raises:
            WorkerEnded: A worker could not start.
        """
        await asyncio.gather(*(worker.connect() for worker in self._workers))

    async def retrust(self, material: TrustMaterial) -> None:
        """Let every worker believe `material` from now on."""
        self._material = material
        await self._tell(retrust, material)

    async def relist(self, material: TrustMaterial) -> None:
        """The same where only the directory of persons is another one."""
        self._material = material
        await self._tell(relist, dict(material.directory))

    async def reseal(self, seals: Sequence[SealMaterial]) -> None:
        """Let every worker seal with other seals from now on."""
        self._seals = tuple(seals)
        await self._tell(reseal, self._seals, dict(self._material.directory))

    async def _tell(
        self, function: Callable[[*Arguments], None], *what: *Arguments
    ) -> None:
        async def tell(worker: LastingWorker) -> None:
            # The one that takes the place of an ended one is told when it begins.
            with suppress(WorkerEnded):
                await worker.run(function, *what)

        # At the same time: each has work of its own before it.
        await asyncio.gather(*map(tell, self._workers))

    async def _prepare(self, process: WorkerProcess) -> None:
        """Let a new process believe and seal as we do by the time it is ready.

        Raises:
            WorkerEnded: It could not start.
        """
        material: TrustMaterial | None = None
        seals: tuple[SealMaterial, ...] | None = None
        while material is not self._material or seals is not self._seals:
            material, seals = self._material, self._seals
            await process.run(retrust, material)
            await process.run(reseal, seals, dict(material.directory))

    async def close(self) -> None:
        """End the processes."""
        await asyncio.gather(*(worker.close() for worker in self._workers))

    async def examine(
        self,
        documents: Sequence[bytes],
        certificates: Sequence[bytes],
        *,
        at_us: int,
        answers: Sequence[bytes] = (),
    ) -> list[Document | CounterfoilError]:
        """See `Works.examine`."""
        made = await self._call(
            "examine", Give.FACTS, documents, certificates, at_us, answers
        )
        self._tell_unknown(made, certificates)
        examined = [
            unpack_document(one, sealed)
            for one, sealed in zip(made, documents, strict=True)
        ]
        _tell_overdue(examined)
        return examined

    async def reread(
        self, documents: Sequence[bytes]
    ) -> list[Document | CounterfoilError]:
        """See `Works.reread`."""
        made = await self._call("reread", Give.FACTS, documents)
        return [
            unpack_document(one, sealed)
            for one, sealed in zip(made, documents, strict=True)
        ]

    async def held(
        self,
        documents: Sequence[bytes],
        certificates: Sequence[bytes],
        answers: Sequence[bytes] = (),
    ) -> list[Held | None]:
        """See `Works.held`."""
        return await self._call("held", Give.AS_IS, documents, certificates, answers)

    async def compose(
        self, drafts: Sequence[bytes], *, desk: str, at_us: int
    ) -> list[DraftRow | CounterfoilError]:
        """See `Works.compose`."""
        return await self._call("compose", Give.AS_IS, drafts, desk, at_us)

    async def review(
        self,
        reviews: Sequence[tuple[DraftSeals, bytes]],
        certificates: Sequence[bytes],
        *,
        signer: Identity,
        at_us: int,
    ) -> list[ReviewSeal | CounterfoilError]:
        """See `Works.review`."""
        made = await self._call(
            "review", Give.AS_IS, reviews, certificates, signer, at_us
        )
        self._tell_unknown(made, certificates)
        return made

    async def seal(
        self, drafts: Sequence[Unsealed], *, at_us: int
    ) -> list[Document | CounterfoilError]:
        """See `Works.seal`."""
        return await self._documents("seal", drafts, at_us)

    async def submit(
        self, drafts: Sequence[bytes], *, desk: str, at_us: int
    ) -> list[Document | CounterfoilError]:
        """See `Works.submit`."""
        return await self._documents("submit", drafts, desk, at_us)

    async def steps(
        self, steps: Sequence[StepText], *, at_us: int
    ) -> list[Document | CounterfoilError]:
        """See `Works.steps`."""
        return await self._documents("steps", steps, at_us)

    async def receipts(
        self, receipts: Sequence[ReceiptText], *, by: str, at_us: int
    ) -> list[Document | CounterfoilError]:
        """See `Works.receipts`."""
        return await self._documents("receipts", receipts, by, at_us)

    async def national(
        self, documents: Sequence[tuple[bytes, bytes]], *, encoding: str
    ) -> list[bytes | CounterfoilError]:
        """See `Works.national`."""
        return await self._call("national", Give.AS_IS, documents, encoding)

    async def payload(self, sealed: Sequence[bytes]) -> list[Unsealed]:
        """See `Works.payload`: no signature is involved, so it is done here."""
        return [take_apart(one) for one in sealed]

    def _tell_unknown(
        self, made: Sequence[object], certificates: Sequence[bytes]
    ) -> None:
        """Let those be asked about who may make the difference next time."""
        if any(isinstance(one, SealUndetermined) for one in made):
            self._unknown(certificates)

    async def _documents(
        self, method: str, items: Sequence[object], *arguments: object
    ) -> list[Document | CounterfoilError]:
        if not items:
            return []
        made = await self._call(method, Give.WHOLE, items, *arguments)
        _tell_away(made)
        return [unpack_document(one) for one in made]

    async def _call(
        self,
        method: str,
        give: Give,
        items: Sequence[object],
        *arguments: object,
    ) -> list[Any]:
        """Work on a batch in the process that has least to do."""
        if not items:
            return []
        least = min(
            range(len(self._workers)),
            key=lambda place: (not self._workers[place].is_ready, self._busy[place]),
        )
        self._busy[least] += len(items)
        try:
            return await self._workers[least].run(
                work_on_batch, method, give, items, *arguments
            )
        except WorkerEnded as error:
            raise VaultBusy(
                "a worker process ended; another takes its place"
            ) from error
        finally:
            self._busy[least] -= len(items)


def _tell_overdue(examined: Sequence[Document | CounterfoilError]) -> None:
    """Log what held only by soft fail, once for a batch."""
    overdue = sum(isinstance(one, Document) and one.is_overdue for one in examined)
    if overdue:
        log.warning(
            "seals held by overdue revocation lists or answers only (soft fail)",
            extra={"count": overdue},
        )


def _tell_away(made: Sequence[object]) -> None:
    """Log that a key is away, once for a batch: only its callers were told so far."""
    away = [one for one in made if isinstance(one, SealKeyUnavailable)]
    if away:
        log.error(
            "a seal's key cannot be used",
            extra={"detail": str(away[0]), "count": len(away)},
        )


def _process(
    seals: tuple[SealMaterial, ...],
    material: TrustMaterial,
    *,
    in_batches: bool,
    document_bytes_max: int,
) -> WorkerProcess:
    handed = material, seals, in_batches, document_bytes_max
    return WorkerProcess(start_worker, handed)
