from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from counterfoil.devca.directory import DevelopmentCa
from tests.unit.business.house import House
from tests.unit.office.loopback import PARTY, Loopback


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentCa:
    directory = tmp_path_factory.mktemp("pki")
    return DevelopmentCa.create(directory, [PARTY], now=datetime.now(UTC))


@pytest.fixture
def gateway(ca: DevelopmentCa) -> Iterator[Loopback]:
    made = Loopback(ca)
    yield made
    made.stop()


@pytest.fixture
def house(tmp_path: Path, ca: DevelopmentCa, gateway: Loopback) -> Iterator[House]:
    made = House(tmp_path, ca, gateway)
    yield made
    made.close()
