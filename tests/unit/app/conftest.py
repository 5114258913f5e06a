"""Finance, a bank and another bank, each with a gateway of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.app.house import House, Keys, open_house
from tests.unit.app.papers import BANK, FINANCE, OTHER_BANK


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys.new()


@pytest.fixture
async def finance(keys: Keys, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(FINANCE, keys, tmp_path) as house:
        yield house


@pytest.fixture
async def bank(keys: Keys, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(BANK, keys, tmp_path) as house:
        yield house


@pytest.fixture
async def other_bank(keys: Keys, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(OTHER_BANK, keys, tmp_path) as house:
        yield house
