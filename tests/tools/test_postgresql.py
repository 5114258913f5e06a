"""Ledger and workbench keep their promises on PostgreSQL too.

Needs PostgreSQL's server programs (`initdb`, `postgres`, `pg_ctl`; `apt install
postgresql`) and `pip install 'psycopg[binary]'`. A private cluster is started below
the directory for temporary files; no server that runs already is touched.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import pwd
import shutil
import subprocess
import tempfile
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Connection, create_engine

from counterfoil.ledger.ledger import SqlLedger
from counterfoil.sql.database import Database
from counterfoil.workbench.errors import WorkbenchUnavailable
from counterfoil.workbench.workbench import SqlWorkbench
from tests.contract.ledger_contract import LedgerContract
from tests.contract.workbench_contract import PARTY, SetClock, WorkbenchContract, draft

pytestmark = pytest.mark.tools

PASSWORD: Final = "open-sesame-4711"  # noqa: S105 - of a cluster that lives minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A PostgreSQL server of our own.

    Attributes:
        sockets: The directory of its socket; it listens nowhere else.
        names: Numbers for its databases.
        stop: Stops it at once.
        start: Starts it.
    """

    sockets: Path
    stop: Callable[[], None]
    start: Callable[[], None]
    names: Iterator[int]

    def url(self, database: str) -> str:
        return f"postgresql://counterfoil@/{database}?host={self.sockets}"

    def new_database(self) -> str:
        """Create a database that sorts by a locale and return its URL."""
        name = f"d{next(self.names)}"
        place = f"postgresql+psycopg://counterfoil:{PASSWORD}@/postgres"
        engine = create_engine(
            f"{place}?host={self.sockets}", isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.exec_driver_sql(
                f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu"
                " ICU_LOCALE 'en' LOCALE 'C'"
            )
        engine.dispose()
        return self.url(name)


def password() -> str:
    return PASSWORD


def mistyped() -> str:
    return PASSWORD[::-1]


@pytest.fixture(scope="module")
def cluster(program: Callable[[str], Path]) -> Iterator[Cluster]:
    initdb = program("initdb").resolve()
    program("postgres")
    pytest.importorskip("psycopg", reason="pip install 'psycopg[binary]'")
    directory = Path(tempfile.mkdtemp(prefix="counterfoil-postgresql-"))
    # PostgreSQL refuses to run as root.
    user = unprivileged() if os.geteuid() == 0 else None
    secret = directory / "password"
    secret.write_text(PASSWORD)
    if user is not None:
        os.chown(directory, user, -1)
        os.chown(secret, user, -1)

    def run(name: str, *options: str) -> None:
        program_path, data = str(initdb.with_name(name)), str(directory / "data")
        command = [program_path, "-D", data, *options]
        subprocess.run(command, check=True, user=user, cwd=directory, timeout=60)

    def start() -> None:
        options = f"-k {directory} -c listen_addresses= -c fsync=off"
        run("pg_ctl", "-w", "-l", str(directory / "log"), "-o", options, "start")

    def stop() -> None:
        run("pg_ctl", "-w", "-m", "immediate", "stop")

    run("initdb", "-U", "counterfoil", "-A", "scram-sha-256", f"--pwfile={secret}")
    start()
    try:
        yield Cluster(
            sockets=directory, names=itertools.count(), stop=stop, start=start
        )
    finally:
        stop()
        shutil.rmtree(directory)


def unprivileged() -> int:
    names = {user.pw_name: user.pw_uid for user in pwd.getpwall()}
    return names.get("postgres", names["nobody"])


@pytest.fixture
def url(cluster: Cluster) -> str:
    return cluster.new_database()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def bench(url: str, clock: SetClock) -> AsyncIterator[SqlWorkbench]:
    bench = SqlWorkbench.open(url, clock=clock, password=password)
    yield bench
    await bench.close()


@pytest.fixture
async def other_bench(
    bench: SqlWorkbench, url: str, clock: SetClock
) -> AsyncIterator[SqlWorkbench]:
    other = SqlWorkbench.open(url, clock=clock, password=password)
    yield other
    await other.close()


class TestWorkbenchOnPostgresql(WorkbenchContract):
    pass


class TestLedgerOnPostgresql(LedgerContract):
    @pytest.fixture
    async def ledger(self, url: str) -> AsyncIterator[SqlLedger]:
        ledger = SqlLedger.open(url, password=password)
        yield ledger
        await ledger.close()


async def test_ledger_and_workbench_share_a_database(
    url: str, bench: SqlWorkbench
) -> None:
    await bench.put([draft("A1")])

    ledger = SqlLedger.open(url, password=password, rebuild=True)

    assert await ledger.next_index() == 0
    await ledger.close()
    assert await bench.get(PARTY, [draft("A1").digest]) == [draft("A1")]


def backend(connection: Connection) -> int:
    pid: int = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    return pid


def test_the_password_is_in_no_text_that_a_person_may_see(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    database = Database.open(url, password=password)
    pid = database.write_now(backend)

    processes = subprocess.run(
        ["ps", "axwwe", "-o", "pid,args"], capture_output=True, text=True, check=True
    ).stdout

    assert str(pid) in processes
    driver = database.engine.raw_connection()
    for text in (
        repr(database),
        repr(database.engine),
        repr(database.engine.url),
        repr(vars(database.engine.pool)),
        repr(driver.dbapi_connection),
        str(driver.dbapi_connection.info.dsn),  # type: ignore[union-attr]
        processes,
        caplog.text,
    ):
        assert PASSWORD not in text
    driver.close()
    database.close_now()


@pytest.mark.refusal("WORKBENCH_UNAVAILABLE")
def test_a_wrong_password_is_refused_without_being_told(
    url: str, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    with pytest.raises(WorkbenchUnavailable) as refused:
        SqlWorkbench.open(url, clock=clock, password=mistyped)

    told = "".join(traceback.format_exception(refused.value)) + caplog.text
    assert "password authentication failed" in told
    assert mistyped() not in told


async def test_the_password_is_read_again_for_each_connection(url: str) -> None:
    read: list[int] = []

    def counted() -> str:
        read.append(1)
        return PASSWORD

    database = Database.open(url, password=counted)
    first = await database.write(backend)
    same = await database.write(backend)
    database.engine.dispose()
    other = await database.write(backend)

    assert first == same != other
    assert len(read) == 2
    await database.close()


@pytest.mark.refusal("WORKBENCH_UNAVAILABLE")
async def test_a_server_that_is_down_is_waited_for(
    cluster: Cluster, bench: SqlWorkbench
) -> None:
    await bench.put([draft("A1")])
    await asyncio.to_thread(cluster.stop)
    try:
        with pytest.raises(WorkbenchUnavailable):
            await bench.put([draft("A2")])
        with pytest.raises(WorkbenchUnavailable):
            await bench.get(PARTY, [draft("A1").digest])
    finally:
        await asyncio.to_thread(cluster.start)

    assert await bench.put([draft("A1"), draft("A2")]) == [draft("A1"), None]
