"""Two gateways that run while a module's tests do, and people at their desks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from counterfoil.daemon.gateway import Gateway
from tests.houses import BANK, FINANCE, Town, running
from tests.integration.papers import Papers


@dataclass(frozen=True, slots=True)
class Pair:
    """Finance's gateway and the bank's, running.

    Attributes:
        town: Their certificates and configuration.
        gateways: By party.
        papers: Fresh documents.
    """

    town: Town
    gateways: dict[str, Gateway]
    papers: Papers

    @property
    def finance(self) -> Gateway:
        """Finance's gateway, which hosts the unit."""
        return self.gateways[FINANCE]

    @property
    def bank(self) -> Gateway:
        """The bank's gateway."""
        return self.gateways[BANK]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """Run both gateways for all tests of a module; each uses its own numbers."""
    town = Town(
        directory=tmp_path_factory.mktemp("pair"),
        settings={"limits": "retry_s_min = 0.05\nretry_s_max = 0.5"},
    )
    town.initialise()
    async with running(town) as gateways:
        yield Pair(town, gateways, Papers())


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """Return two configured gateways with empty stores; nothing runs yet."""
    made = Town(
        directory=tmp_path / "town",
        settings={
            "limits": "retry_s_min = 0.05\nretry_s_max = 0.3\ndrain_s_max = 3.0",
            "trust": "reload_s = 0.1",
        },
    )
    made.initialise()
    return made
