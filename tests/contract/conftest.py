"""The contract suite runs on every engine, with one tree and with both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.vaults import Bench, StepClock, make_engine, open_vault


@pytest.fixture(params=["memory", "lmdb", "memory+sm3", "lmdb+sm3"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    clock = StepClock()
    engine = make_engine(request.param, tmp_path / "vault")
    vault = open_vault(engine, clock=clock)
    yield Bench(vault, clock)
    vault.close()
