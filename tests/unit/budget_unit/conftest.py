from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from counterfoil.devca.directory import DevelopmentCa
from tests.unit.budget_unit.papers import UNIT
from tests.unit.budget_unit.unit_house import UnitHouse
from tests.unit.office.loopback import PARTY, Loopback


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentCa:
    directory = tmp_path_factory.mktemp("pki")
    return DevelopmentCa.create(directory, [PARTY, UNIT], now=datetime.now(UTC))


@pytest.fixture
def house(tmp_path: Path, ca: DevelopmentCa) -> Iterator[UnitHouse]:
    gateway = Loopback(ca)
    made = UnitHouse(tmp_path, ca, gateway)
    yield made
    made.close()
    gateway.stop()
