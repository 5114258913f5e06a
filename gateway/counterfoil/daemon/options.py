"""Options of the command line: each has an environment twin."""

from __future__ import annotations

import argparse
import os


def add_option(  # noqa: PLR0913 -- an option has that many parts
    to: argparse.ArgumentParser,
    name: str,
    text: str,
    *,
    metavar: str,
    default: str = "",
    required: bool = True,
) -> None:
    """Add an option with its environment twin; one with a default is not required."""
    twin = _twin(name)
    value = os.environ.get(twin, default)
    to.add_argument(
        f"--{name}",
        default=value or None,
        required=required and not value,
        metavar=metavar,
        help=f"{text} [{twin}]",
    )


def add_flag(to: argparse.ArgumentParser, name: str, text: str) -> None:
    """Add an option without a value; its environment twin is set to 1."""
    twin = _twin(name)
    to.add_argument(
        f"--{name}",
        action="store_true",
        default=os.environ.get(twin) == "1",
        help=f"{text} [{twin}=1]",
    )


def _twin(name: str) -> str:
    """Return the environment twin of an option."""
    return f"COUNTERFOIL_{name.upper().replace('-', '_')}"


def add_config(to: argparse.ArgumentParser) -> None:
    """Add the option that names the configuration."""
    add_option(
        to,
        "config",
        "the gateway's configuration",
        metavar="FILE",
        default="gateway.toml",
    )


def add_person(to: argparse.ArgumentParser) -> None:
    """Add the options that name a person or program and its key."""
    add_option(to, "certificate", "the caller's certificate, PEM", metavar="FILE")
    add_option(
        to,
        "key",
        "the caller's key, file:PATH or in a token pkcs11:... (RFC 7512)",
        metavar="URI",
    )
    add_option(
        to,
        "passphrase",
        "its passphrase or PIN: file:PATH, fd:N, credential:NAME or none",
        metavar="SECRET",
        default="none",
    )


def add_connection(to: argparse.ArgumentParser) -> None:
    """Add the options of a call to a running gateway."""
    add_option(to, "address", "the gateway's host:port", metavar="HOST:PORT")
    add_person(to)
    add_option(to, "authorities", "trusted roots, PEM", metavar="FILE")
