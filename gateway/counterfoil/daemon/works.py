"""The works as worker processes: whole batches in, plain values out.

Signatures are most of a gateway's work, and a thread that checks them beside a busy
interpreter waits a switch interval per call (architecture D8, `docs/adr/0004`). Each
worker is a pool of one process, so that new trust material reaches every one of
them. Keys travel to a worker once, over the pipe that starts it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from enum import Enum
from threading import Thread
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import load_der_private_key

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.document import Document
from counterfoil.domain.drafts import DraftRow, ReceiptText, StepText, Unsealed
from counterfoil.domain.refusals import CounterfoilError, VaultBusy
from counterfoil.domain.voucher import VoucherKey
from counterfoil.seal.algorithms import signing_key
from counterfoil.seal.sign import Sealer
from counterfoil.seal.trust import TrustMaterial, TrustStore
from counterfoil.wire.seals import encode_statement
from counterfoil.wire.workshop import Workshop, take_apart

_SPAWN: Final = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealMaterial:
    """One party's seal, as a worker needs it.

    Attributes:
        party: Whose seal it is.
        certificate: In DER.
        key: The private key, PKCS#8 in DER, decrypted.
    """

    party: str
    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)


class _Give(Enum):
    """What a worker gives back of what it made."""

    AS_IS = 1
    """The values themselves."""
    FACTS = 2
    """Documents as flat tuples, without their bytes, which we have."""
    WHOLE = 3
    """Documents as flat tuples. A tuple is pickled in a third of the time."""


def _pack(document: Document | CounterfoilError, *, sealed: bool) -> object:
    if isinstance(document, CounterfoilError):
        return document
    key = document.key
    return (
        int(document.kind),
        document.sealed if sealed else b"",
        document.digest,
        document.version,
        (
            key.issuer,
            key.adm_div,
            key.fiscal_year,
            key.type_code,
            key.number,
            key.issue,
        ),
        document.subject if document.subject != document.digest else b"",
        document.by,
        document.recipients,
        document.amount_fen,
        document.count,
        document.replaces,
        document.explanation,
    )


def _unpack(packed: Any, sealed: bytes = b"") -> Document | CounterfoilError:  # noqa: ANN401
    if isinstance(packed, CounterfoilError):
        return packed
    issuer, adm_div, fiscal_year, type_code, number, issue = packed[4]
    return Document(
        kind=DocumentKind(packed[0]),
        sealed=packed[1] or sealed,
        digest=packed[2],
        version=packed[3],
        key=VoucherKey(
            issuer=issuer,
            adm_div=adm_div,
            fiscal_year=fiscal_year,
            type_code=type_code,
            number=number,
            issue=issue,
        ),
        subject=packed[5] or packed[2],
        by=packed[6],
        recipients=packed[7],
        amount_fen=packed[8],
        count=packed[9],
        replaces=packed[10],
        explanation=packed[11],
    )


_workshop: Workshop | None = None
"""The workshop of this worker process; None in the gateway's own process."""


def _start(
    material: TrustMaterial,
    seals: Sequence[SealMaterial],
    in_batches: bool,  # noqa: FBT001 -- an initializer takes positions only
) -> None:
    """Make this process a worker. Ctrl-C is the gateway's business, not ours."""
    global _workshop  # noqa: PLW0603 -- a worker process is its workshop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_gateway, name="gateway-watch", daemon=True).start()
    _workshop = Workshop(
        trust=TrustStore(material),
        sealers={
            seal.party: Sealer.of(
                signing_key(load_der_private_key(seal.key, None)),
                seal.certificate,
                encode_statement,
            )
            for seal in seals
        },
        in_batches=in_batches,
    )


def _end_with_gateway() -> None:
    """End this process when the gateway ends, however it does.

    A pool's workers wait for work for ever when its process was killed, and this
    one would keep the institution's keys in its memory.
    """
    gateway = multiprocessing.parent_process()
    assert gateway is not None, "a worker is started by a gateway"
    gateway.join()
    os._exit(1)


def _retrust(material: TrustMaterial) -> None:
    assert _workshop is not None, "only a worker is asked to"
    _workshop.trust = TrustStore(material)


def _work(method: str, give: _Give, *arguments: object) -> list[object]:
    """Call a method of this process's workshop."""
    assert _workshop is not None, "only a worker is asked to"
    made: list[Any] = getattr(_workshop, method)(*arguments)
    if give is _Give.AS_IS:
        return made
    return [_pack(one, sealed=give is _Give.WHOLE) for one in made]


class ProcessWorks:
    """The works, in `workers` processes of their own.

    Args:
        material: Whom to believe.
        seals: The seals of the parties hosted here.
        workers: How many processes.
        in_batches: Whether vouchers of one batch share one signature.
    """

    def __init__(
        self,
        material: TrustMaterial,
        seals: Sequence[SealMaterial],
        *,
        workers: int,
        in_batches: bool,
    ) -> None:
        self._pools = [
            ProcessPoolExecutor(
                1,
                mp_context=_SPAWN,
                initializer=_start,
                initargs=(material, tuple(seals), in_batches),
            )
            for _ in range(workers)
        ]
        self._busy = [0] * workers

    async def warm_up(self) -> None:
        """Start the processes now, so that the first voucher does not wait.

        Raises:
            BrokenProcessPool: A worker could not start.
        """
        loop = asyncio.get_running_loop()
        await asyncio.gather(
            *(
                loop.run_in_executor(pool, _work, "compose", _Give.AS_IS, [], "")
                for pool in self._pools
            )
        )

    async def retrust(self, material: TrustMaterial) -> None:
        """Let every worker believe `material` from now on."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(
            *(loop.run_in_executor(pool, _retrust, material) for pool in self._pools)
        )

    def close(self) -> None:
        """End the processes."""
        for pool in self._pools:
            pool.shutdown(wait=True, cancel_futures=True)

    async def examine(
        self, documents: Sequence[bytes], certificates: Sequence[bytes], *, at_us: int
    ) -> list[Document | CounterfoilError]:
        """See `Works.examine`."""
        made = await self._call("examine", _Give.FACTS, documents, certificates, at_us)
        return [
            _unpack(one, sealed) for one, sealed in zip(made, documents, strict=True)
        ]

    async def compose(
        self, drafts: Sequence[bytes], *, desk: str
    ) -> list[DraftRow | CounterfoilError]:
        """See `Works.compose`."""
        return await self._call("compose", _Give.AS_IS, drafts, desk)

    async def review(
        self,
        reviews: Sequence[tuple[DraftRow, bytes]],
        certificates: Sequence[bytes],
        *,
        signer: bytes,
        at_us: int,
    ) -> list[CounterfoilError | None]:
        """See `Works.review`."""
        return await self._call(
            "review", _Give.AS_IS, reviews, certificates, signer, at_us
        )

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

    async def payload(self, sealed: Sequence[bytes]) -> list[Unsealed]:
        """See `Works.payload`: no signature is involved, so it is done here."""
        return [take_apart(one) for one in sealed]

    async def _documents(
        self, method: str, items: Sequence[object], *arguments: object
    ) -> list[Document | CounterfoilError]:
        if not items:
            return []
        made = await self._call(method, _Give.WHOLE, items, *arguments)
        return [_unpack(one) for one in made]

    async def _call(
        self,
        method: str,
        give: _Give,
        items: Sequence[object],
        *arguments: object,
    ) -> list[Any]:
        """Work on a batch in the process that has least to do."""
        if not items:
            return []
        worker = min(range(len(self._pools)), key=self._busy.__getitem__)
        self._busy[worker] += len(items)
        loop = asyncio.get_running_loop()
        try:
            work: Callable[..., list[object]] = _work
            return await loop.run_in_executor(
                self._pools[worker], work, method, give, items, *arguments
            )
        except BrokenProcessPool as error:
            raise VaultBusy(
                "a worker process ended; the gateway must restart"
            ) from error
        finally:
            self._busy[worker] -= len(items)
