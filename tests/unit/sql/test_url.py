"""Which URLs are taken, and that none brings a password along."""

from __future__ import annotations

import traceback

import pytest

from counterfoil.sql.errors import DatabaseUrlRefused
from counterfoil.sql.url import file_of, parse_url


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://user:hunter2@host/db",
        "postgresql://user:@host/db",
        "postgresql+psycopg://user:hunter2@host/db",
        "postgresql://user@host/db?password=hunter2",
        "postgresql://user@host/db?sslpassword=hunter2",
        "mysql://user:hunter2@host/db",
        "postgresql://user:hunter2@host:notaport/db",
        "postgresql://user@host:hunter2/db",
        "hunter2",
        "sqlite://:hunter2@/x",
    ],
)
def test_a_url_with_a_secret_is_refused_and_never_quoted(text: str) -> None:
    with pytest.raises(DatabaseUrlRefused) as refused:
        parse_url(text)

    assert "hunter2" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    "text", ["postgresql://u:secret@host/db", "postgresql://u@host/db?password=secret"]
)
def test_the_refusal_of_a_password_says_where_it_belongs(text: str) -> None:
    with pytest.raises(DatabaseUrlRefused, match="file:, fd: or credential:"):
        parse_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///relative.db",
        "sqlite:////a.db?mode=ro",
        "sqlite+aiosqlite:////a.db",
        "mysql://user@host/db",
        "postgresql+psycopg2://user@host/db",
        "postgresql://user@host",
        "postgresql://user@host/db?options=-c%20fsync=off",
        "postgresql://user@host/db?passfile=/x",
        "postgresql://user@host/db?service=x",
    ],
)
def test_what_counterfoil_cannot_vouch_for_is_refused(text: str) -> None:
    with pytest.raises(DatabaseUrlRefused):
        parse_url(text)


def test_a_sqlite_url_names_its_file() -> None:
    assert str(file_of(parse_url("sqlite:////a%b/c.db"))) == "/a%b/c.db"
    assert file_of(parse_url("postgresql://user@/db")) is None


@pytest.mark.parametrize(
    "place",
    ["host", "10.0.0.1", "localhost.example", "[::2]", "host:5433"],
)
def test_a_server_across_a_network_is_verified(place: str) -> None:
    assert parse_url(f"postgresql://u@{place}/db").query["sslmode"] == "verify-full"
    stated = parse_url(f"postgresql://u@{place}/db?sslmode=require")
    assert stated.query["sslmode"] == "require"


def test_a_server_named_in_an_option_is_verified_too() -> None:
    assert parse_url("postgresql:///db?host=a").query["sslmode"] == "verify-full"
    mixed = parse_url("postgresql:///db?host=localhost,a")
    assert mixed.query["sslmode"] == "verify-full"


@pytest.mark.parametrize("place", ["", "localhost", "127.0.0.1", "[::1]"])
def test_a_server_on_this_machine_needs_no_certificate(place: str) -> None:
    url = parse_url(f"postgresql://u@{place}/db")

    assert "sslmode" not in url.query
    assert url.drivername == "postgresql+psycopg"
    assert url.query["connect_timeout"] == "10"


def test_a_socket_directory_is_on_this_machine() -> None:
    assert "sslmode" not in parse_url("postgresql://u@/db?host=/run/pg").query
