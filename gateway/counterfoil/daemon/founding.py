"""The register is opened when the stores are made (建册)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Final

from counterfoil.app.ports import Clock
from counterfoil.app.register import EnterRegistrations
from counterfoil.daemon.asking import asking_of
from counterfoil.daemon.beginnings import registry_of, renew
from counterfoil.daemon.config import Configuration, ConfigurationRefused
from counterfoil.daemon.refusal_text import refusal_text
from counterfoil.daemon.trust import TrustKeeper, read_file
from counterfoil.domain.deeds import Outcome
from counterfoil.domain.document import Document
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.seal.certificates import certificate_bag
from counterfoil.vault.vault import EngineVault
from counterfoil.wire.certificates import named_signers
from counterfoil.wire.claimed_names import claimed_names
from counterfoil.wire.registrations import file_to_parts
from counterfoil.wire.workshop import Workshop

_TOGETHER: Final = 64
"""Registrations that are examined together; each has at most two signers."""


@dataclass(frozen=True, slots=True)
class _HereExaminer:
    """Examines registrations in this process; implements `Examiner`."""

    shop: Workshop

    async def examine(
        self, documents: Sequence[bytes], certificates: Sequence[bytes], *, at_us: int
    ) -> list[Document | CounterfoilError]:
        """Verify and parse sealed documents."""
        return self.shop.examine(documents, certificates, at_us)


def found_register(
    configuration: Configuration, vault: EngineVault, clock: Clock
) -> None:
    """Enter the registrations that the register begins with, all or none.

    Raises:
        ConfigurationRefused: The file cannot be used, or one of them is refused.
    """
    # In an event loop of its own: the caller may be inside one.
    with ThreadPoolExecutor(max_workers=1) as aside:
        aside.submit(asyncio.run, _found(configuration, vault, clock)).result()


async def _found(
    configuration: Configuration, vault: EngineVault, clock: Clock
) -> None:
    name = configuration.register.founding
    try:
        documents, certificates = file_to_parts(read_file(configuration, name))
    except CounterfoilError as refusal:
        msg = f"register.founding: {refusal}"
        raise ConfigurationRefused(msg) from refusal
    trust = TrustKeeper(configuration, clock.now_us)
    # What is not registered by it in the end is refused in the vault.
    trust.relist(claimed_names(documents))
    if configuration.trust.ocsp:
        await _ask_about(certificates, configuration, trust, clock)
    registry = registry_of(vault.register)

    async def go_by_register() -> None:
        renew(registry, vault.register)

    enter = EnterRegistrations(
        vault=vault,
        works=_HereExaminer(Workshop(trust=trust.store, sealers={})),
        registry=registry,
        clock=clock,
        settle=go_by_register,
    )
    outcomes: list[tuple[bytes, Outcome]] = []
    for some, theirs in together(documents, certificates):
        outcomes += await enter(some, theirs, take_foreign=True)
    for at, (_, outcome) in enumerate(outcomes):
        if isinstance(outcome, CounterfoilError):
            msg = (
                f"register.founding: registration {at} is refused: "
                f"{refusal_text(outcome)}"
            )
            raise ConfigurationRefused(msg)
    if not vault.register.is_founded:
        msg = "register.founding: none of its registrations opens the register"
        raise ConfigurationRefused(msg)


def together(
    documents: Sequence[bytes], certificates: Sequence[bytes]
) -> Iterator[tuple[Sequence[bytes], list[bytes]]]:
    """Yield registrations, a few together, with the certificates that they need.

    An institution that deals with hundreds of others begins with the signatures of as
    many, and only so many certificates are looked at with one document.

    Args:
        documents: Encoded `Sealed` registrations.
        certificates: Certificates in DER: their signers', and authorities.
    """
    bag = certificate_bag(certificates)
    named = [named_signers(document) for document in documents]
    others = bag.keys() - set(chain.from_iterable(named))
    for at in range(0, len(documents), _TOGETHER):
        signers = chain.from_iterable(named[at : at + _TOGETHER])
        needed = dict.fromkeys([*others, *signers])
        yield (
            documents[at : at + _TOGETHER],
            [bag[digest] for digest in needed if digest in bag],
        )


async def _ask_about(
    certificates: list[bytes],
    configuration: Configuration,
    trust: TrustKeeper,
    clock: Clock,
) -> None:
    """Ask responders about those who sealed the first registrations."""

    async def renew() -> None:
        trust.renew()

    await asking_of(configuration, trust, renew, clock).ask_now(certificates)
