"""The ledger on SQLite; `tests/tools` asks the same of PostgreSQL."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.domain.standing import Act, Standing
from counterfoil.ledger.ledger import SqlLedger
from tests.contract.ledger_contract import (
    BANK,
    TREASURY,
    LedgerContract,
    contents,
    life,
    record,
)


class TestLedgerOnSqlite(LedgerContract):
    @pytest.fixture
    async def ledger(self, tmp_path: Path) -> AsyncIterator[SqlLedger]:
        ledger = SqlLedger.open(f"sqlite:///{tmp_path}/ledger/ledger.db")
        yield ledger
        await ledger.close()


STEPS = st.tuples(
    st.sampled_from(["A1", "A2", "B1"]),
    st.sampled_from([Act.ENTER, Act.SEND, Act.DELIVER, Act.WITHDRAW]),
    st.lists(st.sampled_from([BANK, TREASURY]), unique=True),
    st.sampled_from(list(Standing)),
)


@settings(max_examples=40)
@given(st.lists(STEPS, max_size=14), st.lists(st.integers(0, 5), max_size=8))
def test_however_the_log_is_cut_into_calls_the_tables_are_the_same(
    steps: list[tuple[str, Act, list[str], Standing]], cuts: list[int]
) -> None:
    records = [
        record(index, number, act, *((party, standing) for party in parties))
        for index, (number, act, parties, standing) in enumerate(steps)
    ]

    async def follow(lengths: Sequence[int]) -> list[list[tuple[object, ...]]]:
        with tempfile.TemporaryDirectory() as directory:
            ledger = SqlLedger.open(f"sqlite:///{directory}/ledger.db")
            start = 0
            for length in (*lengths, len(records)):
                # One act more than the call brings: calls may overlap.
                await ledger.follow(records[max(start - 1, 0) : start + length])
                start += length
            found = contents(ledger)
            await ledger.close()
            return found

    at_once = asyncio.run(follow([]))

    assert asyncio.run(follow(cuts)) == at_once
    assert len(at_once[0]) == len(records)


async def test_a_ledger_goes_on_where_it_was_when_it_is_opened_again(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    first = SqlLedger.open(url)
    await first.follow(life("A1", 0))
    await first.close()

    again = SqlLedger.open(url)

    assert await again.next_index() == 3
    await again.close()
    rebuilt = SqlLedger.open(url, rebuild=True)
    assert await rebuilt.next_index() == 0
    await rebuilt.close()
