"""Brings a database's tables to what this release knows.

Each database kind has its own scripts and its own version table, so that ledger
and workbench can share one PostgreSQL database and move apart from each other.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, inspect

from counterfoil.sql.errors import SchemaTooNew

_ONE_AT_A_TIME: Final = threading.Lock()
"""Alembic's scripts speak to module globals, so two databases wait for each other."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of one kind of database.

    Attributes:
        package: The package that holds `versions/`, e.g. `counterfoil.ledger`.
        prefix: How the names of all its tables begin, e.g. `ledger_`.
    """

    package: str
    prefix: str

    @property
    def version_table(self) -> str:
        """Name of the table that says which script ran last."""
        return f"{self.prefix}schema"

    def upgrade(self, connection: Connection) -> None:
        """Run the scripts that did not run yet, all in one transaction.

        Args:
            connection: In a transaction, which the caller commits.

        Raises:
            SchemaTooNew: A script ran that this release does not have.
        """
        with (
            _ONE_AT_A_TIME,
            as_file(files(self.package) / "versions") as versions,
            as_file(files("counterfoil.sql") / "migrations") as environment,
        ):
            config = _config(environment, versions)
            self._refuse_newer(connection, ScriptDirectory.from_config(config))
            config.attributes["connection"] = connection
            config.attributes["version_table"] = self.version_table
            command.upgrade(config, "head")

    def drop(self, connection: Connection) -> None:
        """Drop every table with the prefix, those of later releases too."""
        names = [
            name
            for name in inspect(connection).get_table_names()
            if name.startswith(self.prefix)
        ]
        found = MetaData()
        if names:
            found.reflect(connection, only=names)
        found.drop_all(connection)

    def _refuse_newer(self, connection: Connection, scripts: ScriptDirectory) -> None:
        known = {script.revision for script in scripts.walk_revisions()}
        context = MigrationContext.configure(
            connection, opts={"version_table": self.version_table}
        )
        unknown = set(context.get_current_heads()) - known
        if unknown:
            msg = (
                f"the tables {self.prefix}* are of schema {', '.join(sorted(unknown))},"
                " which this release does not know: start the later release, or"
                " restore or rebuild this database"
            )
            raise SchemaTooNew(msg)


def _config(environment: Path, versions: Path) -> Config:
    config = Config()
    # One path per line, and `%` doubled: a path may contain what Alembic splits at.
    config.set_main_option("path_separator", "newline")
    config.set_main_option("script_location", str(environment).replace("%", "%%"))
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    return config
