"""The workbench on SQLite; `tests/tools` asks the same of PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError, ProgrammingError

from counterfoil.workbench.errors import WorkbenchUnavailable
from counterfoil.workbench.rows import seals_from_bytes, seals_to_bytes
from counterfoil.workbench.workbench import SqlWorkbench
from tests.contract.workbench_contract import PARTY, SetClock, WorkbenchContract, draft


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/workbench/workbench.db"


@pytest.fixture
async def bench(url: str, clock: SetClock) -> AsyncIterator[SqlWorkbench]:
    bench = SqlWorkbench.open(url, clock=clock)
    yield bench
    await bench.close()


@pytest.fixture
async def other_bench(
    bench: SqlWorkbench, url: str, clock: SetClock
) -> AsyncIterator[SqlWorkbench]:
    other = SqlWorkbench.open(url, clock=clock)
    yield other
    await other.close()


class TestWorkbenchOnSqlite(WorkbenchContract):
    pass


async def test_a_draft_outlives_the_program(url: str, clock: SetClock) -> None:
    first = SqlWorkbench.open(url, clock=clock)
    await first.put([draft("A1", "", b"seal")])
    await first.close()

    again = SqlWorkbench.open(url, clock=clock)

    found = await again.get(PARTY, [draft("A1").digest])
    await again.close()
    assert found == [draft("A1", "", b"seal")]


async def test_a_seal_is_synchronised_to_the_disk(bench: SqlWorkbench) -> None:
    def ask(connection: Connection) -> object:
        return connection.exec_driver_sql("PRAGMA synchronous").scalar_one()

    full = 2
    assert await bench.database.read(ask) == full


@pytest.mark.refusal("WORKBENCH_UNAVAILABLE")
async def test_a_full_disk_refuses_the_whole_call_for_now(bench: SqlWorkbench) -> None:
    def pages_max(connection: Connection, more: int) -> None:
        used = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={used + more}")

    await bench.database.read(lambda connection: pages_max(connection, 2))
    batch = [draft("A1"), draft("A2", "x" * 100_000)]

    with pytest.raises(WorkbenchUnavailable) as refused:
        await bench.put(batch)

    assert "xxx" not in str(refused.value)
    assert "xxx" not in str(refused.value.__cause__)
    assert await bench.get(PARTY, [batch[0].digest]) == [None]
    await bench.database.read(lambda connection: pages_max(connection, 1000))
    assert await bench.put(batch) == [None, None]


@pytest.mark.refusal("WORKBENCH_UNAVAILABLE")
async def test_a_locked_database_refuses_every_call_for_now(
    bench: SqlWorkbench, other_bench: SqlWorkbench
) -> None:
    def impatient(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA busy_timeout=1")

    await other_bench.database.read(impatient)
    digest = draft("A1").digest
    with bench.database.engine.begin():
        for call in (
            other_bench.put([draft("A1")]),
            other_bench.set_seals(PARTY, [(digest, 0, ())]),
            other_bench.remove(PARTY, [digest]),
            other_bench.purge(5_000),
        ):
            with pytest.raises(WorkbenchUnavailable):
                await call
        assert await other_bench.get(PARTY, [digest]) == [None]

    assert await other_bench.put([draft("A1")]) == [None]


@pytest.mark.refusal("WORKBENCH_UNAVAILABLE")
async def test_a_file_that_is_no_database_is_told_at_opening(tmp_path: Path) -> None:
    (tmp_path / "workbench.db").write_bytes(b"something else" * 1000)

    with pytest.raises(WorkbenchUnavailable):
        SqlWorkbench.open(f"sqlite:///{tmp_path}/workbench.db", clock=SetClock())


async def test_a_defect_of_ours_is_not_disguised_as_trouble(
    bench: SqlWorkbench,
) -> None:
    def fail(_connection: Connection) -> None:
        raise ProgrammingError("no such column", None, Exception())

    with pytest.raises(ProgrammingError):
        await bench._write(fail)


@given(st.lists(st.binary(max_size=20), max_size=5), st.integers(0, 200))
def test_seals_come_back_and_a_truncated_row_is_noticed(
    seals: list[bytes], length: int
) -> None:
    encoded = seals_to_bytes(seals)
    ends = [len(seals_to_bytes(seals[:count])) for count in range(len(seals) + 1)]

    assert seals_from_bytes(encoded) == tuple(seals)
    if length < len(encoded) and length not in ends:
        with pytest.raises(ValueError, match="truncated"):
            seals_from_bytes(encoded[:length])


@pytest.mark.refusal("WORKBENCH_UNAVAILABLE")
async def test_a_table_that_cannot_be_read_is_told_as_unavailable(
    bench: SqlWorkbench,
) -> None:
    digest = draft("A1").digest

    def broken(_: Engine) -> Connection:
        fault = sqlite3.OperationalError("disk I/O error")
        raise OperationalError("select", {}, fault)

    with pytest.MonkeyPatch.context() as patch:
        # The disk's fault, put where the disk is asked: below our own code.
        patch.setattr(Engine, "connect", broken)
        with pytest.raises(WorkbenchUnavailable):
            await bench.get(PARTY, [digest])

    assert await bench.get(PARTY, [digest]) == [None]
