"""Registrations enter the register (登记), and people read what stands in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Protocol

from counterfoil.app.batches import attempt, good, refill
from counterfoil.app.ports import Clock, Vault
from counterfoil.app.turned_back import judged_as_of, unless_behind
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Arrive, Deed, EnterRegistration, Outcome
from counterfoil.domain.document import Document
from counterfoil.domain.refusals import CounterfoilError, MalformedPayload, NotTheIssuer
from counterfoil.domain.registration import TAKING_PART
from counterfoil.domain.registry import Registry


async def nothing_to_settle() -> None:
    """Stand for `settle` where nobody is judged beside the vault."""


class Examiner(Protocol):
    """What is used of the port `Works`."""

    async def examine(
        self, documents: Sequence[bytes], certificates: Sequence[bytes], *, at_us: int
    ) -> list[Document | CounterfoilError]:
        """Verify and parse sealed documents."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A registration and the deed that enters it."""

    document: Document
    deed: Deed


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterRegistrations:
    """Puts signed registrations into our log, in their order.

    Who hands one in does not matter: its signatures do, and whether the posts of its
    signers suffice is judged in the transaction that writes it.

    `settle` returns once callers and seals are judged by what is registered now.
    """

    vault: Vault
    works: Examiner
    registry: Registry
    clock: Clock
    settle: Callable[[], Awaitable[None]] = nothing_to_settle

    async def __call__(
        self,
        documents: Sequence[bytes],
        certificates: Sequence[bytes],
        *,
        take_foreign: bool = False,
    ) -> list[tuple[bytes, Outcome]]:
        """Verify, judge and store registrations; return when they are durable.

        Args:
            documents: Encoded `Sealed` registrations.
            certificates: Certificates in DER that came with them.
            take_foreign: Whether to take in those of peers as well, which came
                otherwise than through their lanes.

        Returns:
            For each its digest, empty if it cannot be read, and what became of it.

        Raises:
            VaultStopped: The vault does not write any more.
        """
        now_us = self.clock.now_us()
        examined = await self.works.examine(
            documents, certificates, at_us=judged_as_of(now_us, self.vault)
        )
        examined = unless_behind(examined, now_us, self.vault)
        outcomes: list[tuple[bytes, Outcome]] = []
        for run in _runs(examined):
            outcomes += await self._enter(run, certificates, take_foreign=take_foreign)
        return outcomes

    async def _enter(
        self,
        examined: Sequence[Document | CounterfoilError],
        certificates: Sequence[bytes],
        *,
        take_foreign: bool,
    ) -> list[tuple[bytes, Outcome]]:
        """Judge and store some that come together."""
        judge = partial(self._entry, take_foreign=take_foreign)
        entries = refill(examined, attempt(judge, good(examined)))
        # Kept before the first registration that needs them, as with vouchers.
        named = {signer for entry in good(entries) for signer in entry.document.signers}
        await self.vault.keep_certificates(
            der for der in certificates if sha256(der).digest() in named
        )
        committed = await self.vault.perform([entry.deed for entry in good(entries)])
        await self.settle()
        outcomes = refill(entries, [deed.outcomes[0] for deed in committed])
        digests = [
            document.digest if isinstance(document, Document) else b""
            for document in examined
        ]
        return list(zip(digests, outcomes, strict=True))

    def _entry(self, document: Document, *, take_foreign: bool) -> _Entry:
        """Return what enters a registration.

        Raises:
            MalformedPayload: It is a document of another kind.
            NotTheIssuer: It is a peer's.
            PartyUnknown: It names a party that is not registered.
        """
        if document.kind is not DocumentKind.REGISTRATION:
            raise MalformedPayload("not a registration", field="kind")
        carrier = self.registry.carrier_of(document.by)
        if carrier == self.registry.home:
            lanes = self.registry.lanes_to(document.recipients)
            return _Entry(document, EnterRegistration(document=document, lanes=lanes))
        if not take_foreign:
            raise NotTheIssuer(
                f"{document.by} registers at its own gateway", by=document.by
            )
        hosted = self.registry.hosted
        arrive = Arrive(carrier=carrier, documents=(document,), hosted=hosted)
        return _Entry(document, arrive)


def _runs(
    examined: Sequence[Document | CounterfoilError],
) -> Iterator[Sequence[Document | CounterfoilError]]:
    """Yield what can be entered together: up to each that changes who takes part.

    What stands behind it may name a party that it admits.
    """
    begun = 0
    for at, one in enumerate(examined):
        said = one.registration if isinstance(one, Document) else None
        if said is not None and isinstance(said.matter, TAKING_PART):
            yield examined[begun : at + 1]
            begun = at + 1
    if begun < len(examined):
        yield examined[begun:]
