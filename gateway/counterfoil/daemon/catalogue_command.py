"""`counterfoil catalogue`: which kinds of voucher this release carries."""

from __future__ import annotations

import argparse

from counterfoil.daemon.config import OptionRefused
from counterfoil.daemon.desk_channel import tell
from counterfoil.domain.catalogue import SealedBy, SealPlan, TypeRow
from counterfoil.wire.catalogue import CATALOGUE


def show_catalogue(arguments: argparse.Namespace) -> int:
    """Print one kind a line: code, code on the wire, name, ways, answer, seals, years.

    Raises:
        OptionRefused: There is no such kind.
    """
    for row in _asked_for(arguments.type):
        answer = row.reply_code or ("-" if row.answer.name == "NONE" else "same number")
        tell(
            str(row.code),
            row.wire_code,
            row.name_zh,
            ",".join(
                f"{issuer.name}>{recipient.name}".lower()
                for issuer, recipient in row.directions
            ),
            answer,
            _seals(row.plan),
            f"{row.retention.years} years",
        )
    return 0


def _asked_for(code: str | None) -> list[TypeRow]:
    rows = sorted(CATALOGUE.rows.values(), key=lambda row: row.wire_code)
    if not code:
        return rows
    found = [row for row in rows if code in {row.wire_code, str(row.code)}]
    if not found:
        msg = f"--type: the catalogue has no kind {code}"
        raise OptionRefused(msg)
    return found


def _seals(plan: SealPlan) -> str:
    """Return the positions in order; a person's is marked."""
    return "+".join(
        f"{position.id}(person)" if position.by is SealedBy.PERSON else position.id
        for position in plan.positions
    )
