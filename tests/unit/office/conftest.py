from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from counterfoil.devca.directory import DevelopmentCa
from counterfoil.office import Desk, Patience
from tests.unit.office.loopback import PARTY, QUICK, Loopback, access_of


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentCa:
    directory = tmp_path_factory.mktemp("pki")
    return DevelopmentCa.create(directory, [PARTY], now=datetime.now(UTC))


@pytest.fixture
def gateway(ca: DevelopmentCa) -> Iterator[Loopback]:
    loopback = Loopback(ca)
    yield loopback
    loopback.stop()


@pytest.fixture
def desk(ca: DevelopmentCa, gateway: Loopback) -> Iterator[Callable[[], Desk]]:
    opened: list[Desk] = []

    def open_desk(patience: Patience = QUICK) -> Desk:
        gateway.start()
        opened.append(Desk(gateway.address, access_of(ca, "system", "1"), patience))
        return opened[-1]

    yield open_desk
    for one in opened:
        one.close()
