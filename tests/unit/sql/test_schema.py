"""Migrations run once, whole, and never backwards."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, column, insert, inspect, table, update

from counterfoil.ledger.ledger import SqlLedger
from counterfoil.ledger.tables import ACTS
from counterfoil.ledger.tables import SCHEMA as LEDGER
from counterfoil.sql.database import Database
from counterfoil.sql.errors import SchemaTooNew
from counterfoil.sql.schema import Schema
from counterfoil.workbench.rows import columns_of, payload_columns_of
from counterfoil.workbench.tables import DRAFTS, PAYLOADS
from counterfoil.workbench.tables import SCHEMA as WORKBENCH
from counterfoil.workbench.workbench import SqlWorkbench
from tests.contract.workbench_contract import PARTY, SetClock, draft


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    # A place with what configuration files and Alembic split at.
    place = tmp_path / "50%(x)s a:b;c"
    database = Database.open(f"sqlite:///{place}/t.db")
    yield database
    database.close_now()


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def test_two_schemas_share_a_database_and_part_again(database: Database) -> None:
    database.write_now(LEDGER.upgrade)
    database.write_now(WORKBENCH.upgrade)
    both = database.write_now(tables)

    database.write_now(LEDGER.drop)

    left = {"workbench_draft", "workbench_payload", "workbench_schema"}
    ledger = {"ledger_act", "ledger_voucher", "ledger_standing", "ledger_schema"}
    assert both == left | ledger
    assert database.write_now(tables) == left


def test_upgrading_again_changes_nothing(database: Database) -> None:
    database.write_now(LEDGER.upgrade)
    before = database.write_now(tables)

    database.write_now(LEDGER.upgrade)

    assert database.write_now(tables) == before


async def test_drafts_of_the_first_release_keep_what_they_say_and_their_seals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/w/w.db"
    one = draft("A1", "text", b"first seal", b"second")
    first = Database.open(url)
    with monkeypatch.context() as patch:
        upgrade = command.upgrade

        def to_the_first(config: Config, _: str) -> None:
            upgrade(config, "workbench_0001")

        patch.setattr(command, "upgrade", to_the_first)
        await first.write(WORKBENCH.upgrade)
    row = dict(zip(DRAFTS.columns.keys(), columns_of(one, 1_000), strict=True))
    row |= zip(PAYLOADS.columns.keys(), payload_columns_of(one), strict=True)
    old = table("workbench_draft", *map(column, row))
    await first.write(lambda connection: connection.execute(insert(old).values(row)))
    await first.close()

    bench = SqlWorkbench.open(url, clock=SetClock())

    assert await bench.get(PARTY, [one.digest]) == [one]
    assert await bench.put([draft("A1", "other")]) == [one]
    assert await bench.purge(1_001) == 1
    assert await bench.get(PARTY, [one.digest]) == [None]
    await bench.close()


def test_an_upgrade_that_fails_half_way_leaves_nothing(database: Database) -> None:
    # The index's name is taken, so the script stops behind its first table.
    database.write_now(
        lambda connection: connection.exec_driver_sql(
            "CREATE TABLE ledger_act_voucher (a)"
        )
    )

    with pytest.raises(Exception, match="ledger_act_voucher"):
        database.write_now(LEDGER.upgrade)

    assert database.write_now(tables) == {"ledger_act_voucher"}


@pytest.mark.parametrize(
    ("schema", "metadata"),
    [(LEDGER, ACTS.metadata), (WORKBENCH, DRAFTS.metadata)],
    ids=["ledger", "workbench"],
)
def test_the_scripts_make_the_tables_that_the_code_uses(
    database: Database, schema: Schema, metadata: MetaData
) -> None:
    def compare(connection: Connection) -> list[str]:
        schema.upgrade(connection)
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.version_table}
        )
        found = compare_metadata(context, metadata)
        # Indexes are the scripts' own affair.
        return [str(one) for one in found if "index" not in str(one[0])]

    assert database.write_now(compare) == []


@pytest.mark.parametrize("schema", [LEDGER, WORKBENCH], ids=["ledger", "workbench"])
def test_tables_of_a_later_release_are_refused_and_left_alone(
    database: Database, schema: Schema
) -> None:
    def from_the_future(connection: Connection) -> None:
        schema.upgrade(connection)
        version = table(schema.version_table, column("version_num"))
        connection.execute(update(version).values(version_num="later_0099"))

    database.write_now(from_the_future)

    with pytest.raises(SchemaTooNew, match=r"later_0099.*start the later release"):
        database.write_now(schema.upgrade)


async def test_a_ledger_of_a_later_release_can_still_be_rebuilt(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    ledger = SqlLedger.open(url)

    def from_the_future(connection: Connection) -> None:
        connection.exec_driver_sql(
            "UPDATE ledger_schema SET version_num = 'later_0099'"
        )
        connection.exec_driver_sql("CREATE TABLE ledger_of_tomorrow (a)")

    await ledger.database.write(from_the_future)
    await ledger.close()
    with pytest.raises(SchemaTooNew):
        SqlLedger.open(url)

    rebuilt = SqlLedger.open(url, rebuild=True)

    found = await rebuilt.database.read(tables)
    assert "ledger_of_tomorrow" not in found
    assert await rebuilt.next_index() == 0
    await rebuilt.close()


def test_alembic_leaves_the_daemons_logging_alone(database: Database) -> None:
    before = logging.getLogger().handlers[:], logging.getLogger().level

    database.write_now(LEDGER.upgrade)

    assert (logging.getLogger().handlers[:], logging.getLogger().level) == before
