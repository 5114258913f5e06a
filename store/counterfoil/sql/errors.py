"""Why a database is not opened.

DatabaseRefused
├── DatabaseUrlRefused   the configured URL, or the password's source
├── PlaceRefused         the directory or file is open to others
└── SchemaTooNew         a later release of counterfoil wrote it

All of them stop the daemon at its start and are for the operator who reads the
console; none travels to a caller, so none has a reason. No message quotes a URL.
"""

from __future__ import annotations


class DatabaseRefused(Exception):
    """Base of the refusals at opening; the message says what to do."""


class DatabaseUrlRefused(DatabaseRefused):
    """The URL is none that counterfoil takes; the message never quotes it."""


class PlaceRefused(DatabaseRefused):
    """Others than our own user could read or change the database's files."""


class SchemaTooNew(DatabaseRefused):
    """The tables were made by a later release than the one that runs."""
