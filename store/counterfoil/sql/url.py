"""Which database URLs are taken, and why a password is never part of one.

A URL stands in configuration, in `ps`, in backups and in support tickets. So it
names the place and the user only; the password comes from a function that reads
it from a secret reference each time a connection is made.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from counterfoil.sql.errors import DatabaseUrlRefused

_OPTIONS: Final = frozenset(
    {
        "application_name",
        "connect_timeout",
        "host",
        "port",
        "sslcert",
        "sslkey",
        "sslmode",
        "sslrootcert",
        "target_session_attrs",
    }
)
"""What a PostgreSQL URL may say behind `?`; a closed list, so that no option of a
driver becomes a second way to pass a secret or to switch a promise off."""

_CONNECT_TIMEOUT_S: Final = "10"
"""A server that does not answer must not hold the ledger longer than this."""


def parse_url(text: str) -> URL:
    """Return the database that `text` names.

    Args:
        text: `sqlite:////var/lib/counterfoil/ledger/ledger.db`, or
            `postgresql://user@host/name?sslmode=verify-full`. A server that is
            reached over a network is verified by its certificate unless the URL
            says otherwise.

    Raises:
        DatabaseUrlRefused: It holds a password, or is none of these.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # The cause would quote the text, and the text may hold a password.
        raise DatabaseUrlRefused(
            "not a database URL; write sqlite:////absolute/path or "
            "postgresql://user@host/name"
        ) from None
    if url.password is not None or any("password" in key for key in url.query):
        raise DatabaseUrlRefused(
            "a database URL must not contain a password: it would stand in "
            "configuration and process lists. Leave it out and give the password "
            "as file:, fd: or credential:"
        )
    if url.drivername == "sqlite":
        return _sqlite(url)
    if url.drivername in {"postgresql", "postgresql+psycopg"}:
        return _postgresql(url)
    raise DatabaseUrlRefused("only sqlite: and postgresql: databases are supported")


def file_of(url: URL) -> Path | None:
    """Return the file of a SQLite database, None for a server."""
    if url.get_backend_name() != "sqlite":
        return None
    assert url.database is not None, "parse_url takes files only"
    return Path(url.database)


def _sqlite(url: URL) -> URL:
    if url.query or url.host or url.username:
        raise DatabaseUrlRefused(
            "a SQLite URL names a file and nothing else: sqlite:////absolute/path"
        )
    if not url.database or not Path(url.database).is_absolute():
        # A database in memory would be empty after each start, and a relative
        # path would be another file after each change of directory.
        raise DatabaseUrlRefused(
            "a SQLite URL names an absolute path, with four slashes: "
            "sqlite:////absolute/path"
        )
    return url


def _postgresql(url: URL) -> URL:
    unknown = url.query.keys() - _OPTIONS
    if unknown:
        msg = (
            f"options that a PostgreSQL URL may not have: {', '.join(sorted(unknown))}"
        )
        raise DatabaseUrlRefused(msg)
    if not url.database:
        raise DatabaseUrlRefused("a PostgreSQL URL names its database behind the host")
    defaults = {"connect_timeout": _CONNECT_TIMEOUT_S}
    if not _is_local(url):
        defaults["sslmode"] = "verify-full"
    missing = {key: value for key, value in defaults.items() if key not in url.query}
    return url.set(drivername="postgresql+psycopg").update_query_dict(missing)


def _is_local(url: URL) -> bool:
    hosts = url.query.get("host") or url.host or ""
    names = (hosts,) if isinstance(hosts, str) else hosts
    return all(_is_local_name(part) for name in names for part in name.split(","))


def _is_local_name(name: str) -> bool:
    if name == "" or name.startswith("/") or name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
