"""The register is opened when the stores are made (建册)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from counterfoil.app.ports import Clock
from counterfoil.app.register import EnterRegistrations
from counterfoil.daemon.asking import asking_of
from counterfoil.daemon.beginnings import registry_of, renew
from counterfoil.daemon.config import Configuration, ConfigurationRefused
from counterfoil.daemon.trust import TrustKeeper, read_file
from counterfoil.domain.document import Document
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.vault.vault import EngineVault
from counterfoil.wire.claimed_names import claimed_names
from counterfoil.wire.registrations import file_to_parts
from counterfoil.wire.workshop import Workshop


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
    outcomes = await enter(documents, certificates, take_foreign=True)
    for at, (_, outcome) in enumerate(outcomes):
        if isinstance(outcome, CounterfoilError):
            msg = (
                f"register.founding: registration {at} is refused: {outcome.reason}: "
                f"{outcome} ({outcome.zh})"
            )
            raise ConfigurationRefused(msg)
    if not vault.register.is_founded:
        msg = "register.founding: none of its registrations opens the register"
        raise ConfigurationRefused(msg)


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
