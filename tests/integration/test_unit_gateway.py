"""A budget unit with a gateway of its own: the same ways as a hosted one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.houses import BANK, FINANCE, UNIT, Town, running
from tests.integration.kinds import WAYS, draft, travel

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """Run a gateway for finance, one for the bank, and one for the unit."""
    made = Town(
        directory=tmp_path_factory.mktemp("own"),
        carriers=(FINANCE, BANK, UNIT),
        settings={"limits": "retry_s_min = 0.05\nretry_s_max = 0.5"},
    )
    made.initialise()
    async with running(made):
        yield made


@pytest.mark.parametrize(
    ("code", "issuer", "recipient"), [way for way in WAYS if UNIT in way]
)
async def test_a_units_own_gateway_takes_every_way_of_a_unit(
    town: Town, code: int, issuer: str, recipient: str
) -> None:
    assert town.carrier_of(UNIT) == UNIT
    await travel(town, draft(code, issuer, recipient), issuer, recipient)
