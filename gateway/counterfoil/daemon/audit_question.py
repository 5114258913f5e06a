"""What `counterfoil audit ask` asks, from its options."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from counterfoil.daemon.config import OptionRefused
from counterfoil.daemon.register_matters import listed
from counterfoil.office import matters


def question_of(arguments: argparse.Namespace) -> matters.Matter:
    """Return the question that a command line asks.

    Raises:
        OptionRefused: An option cannot be used.
    """
    return matters.audit_question(
        arguments.about,
        arguments.subject,
        from_time=_instant("from", getattr(arguments, "from")),
        until_time=_instant("until", arguments.until),
        acts=[one.upper() for one in listed(arguments.acts)],
        kinds=[one.upper() for one in listed(arguments.kinds)],
        party=arguments.party or "",
        matters=[one.replace("-", "_") for one in listed(arguments.matters)],
    )


def _instant(option: str, text: str | None) -> datetime | None:
    """Return an instant in UTC; one without an offset is in UTC.

    Raises:
        OptionRefused: It is none.
    """
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"--{option}: not an instant like 2026-03-05T08:00:00Z: {text}"
        raise OptionRefused(msg) from error
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    return instant.astimezone(UTC)
