"""What the day shows at its end: the balance sheet, what was carried, what it cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from counterfoil.business.money import to_yuan
from counterfoil.day.balance import Entry
from counterfoil.day.carried import NAMES, Sources, Way
from counterfoil.day.cost import Cost
from counterfoil.day.screen import Screen

_MEBIBYTE: Final = 1024 * 1024


def show_balance(screen: Screen, entries: Iterable[Entry]) -> None:
    """Show the balance sheet: every line with what each side says, in yuan."""
    screen.table(
        "balance sheet of all parties, from their own books",
        ("", "", "agrees"),
        [
            (
                entry.line.title,
                "  ".join(_sides(entry)),
                "yes" if entry.agrees else "NO",
            )
            for entry in entries
        ],
    )


def show_carried(screen: Screen, told: Mapping[Way, Sources]) -> None:
    """Show what was carried on every way; what all sources tell alike, once."""
    rows = []
    for way, sources in told.items():
        title = f"{way.issuer} → {way.recipient} {way.type_code}"
        rows.append(
            (title, *(_one(sources, name) for name in NAMES), str(len(sources)))
        )
    screen.table(
        "vouchers carried: books, ledgers and vaults of both sides",
        ("", *NAMES, "sources"),
        rows,
    )


def show_cost(screen: Screen, cost: Cost) -> None:
    """Show CPU for each payment by program and stage, and the most memory of each."""
    rows = []
    for program in sorted(cost.peak_bytes):
        cells = [f"{cost.cpu_us(program, one):,.0f}" for one in (*cost.stages, "")]
        memory = f"{cost.peak_bytes[program] / _MEBIBYTE:,.0f}"
        rows.append((program, *cells, memory))
    together = [f"{cost.cpu_us(stage=one):,.0f}" for one in (*cost.stages, "")]
    rows.append(("together", *together, ""))
    took = [f"{cost.seconds.get(stage, 0.0):,.1f}" for stage in cost.stages]
    rows.append(("seconds", *took, f"{sum(cost.seconds.values()):,.1f}", ""))
    screen.table(
        f"CPU by program and stage, µs for each of {cost.payments:,} payments",
        ("", *cost.stages, "all", "MiB at most"),
        rows,
    )
    screen.say(
        f"{cost.payments:,} payments, {cost.vouchers:,} vouchers of all kinds: "
        f"{cost.rate:,.1f} payments/s, {cost.rate_of_all:,.1f} vouchers/s"
    )


def vouchers_in(told: Mapping[Way, Sources]) -> int:
    """Return how many vouchers were carried: on every way, as their issuer counts."""
    return sum(
        carried.sent or 0
        for sources in told.values()
        for source, carried in sources.items()
        if source == "issuer's ledger"
    )


def _sides(entry: Entry) -> Iterable[str]:
    for side, value in zip(entry.line.sides, entry.values, strict=True):
        if value is None:
            shown = "–"
        else:
            shown = to_yuan(value) if entry.line.is_money else f"{value:,}"
        yield f"{side.who} {shown}"


def _one(sources: Sources, name: str) -> str:
    told = {getattr(one, name) for one in sources.values()} - {None}
    texts = [
        to_yuan(value) if name.endswith("_fen") else f"{value:,}"
        for value in sorted(told)
    ]
    return " ≠ ".join(texts) or "–"
