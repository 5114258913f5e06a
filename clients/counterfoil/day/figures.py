"""What each side counts: both gateways' ledgers, and both systems' own books.

A pair is an issuer and a bank. Four sources tell of it, and where two of them tell
the same number, it must be the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Final

from sqlalchemy import create_engine, select

from counterfoil.bank.journal import Journal
from counterfoil.day.stage import BANKS, FINANCE, UNIT, Institution, Stage
from counterfoil.finance.books import Books
from counterfoil.ledger.tables import STANDINGS, VOUCHERS
from counterfoil.office import Standing, read_settings

PAIRS: Final = tuple(
    [(FINANCE, bank) for bank in BANKS] + [(UNIT, bank) for bank in BANKS]
)
"""Who orders from whom."""

_BEFORE_ARRIVAL: Final = frozenset(
    {Standing.DRAFT, Standing.SEALED, Standing.SENT, Standing.REFUSED}
)
_NEVER_SENT: Final = frozenset({Standing.DRAFT, Standing.SEALED, Standing.DISCARDED})
_NOT_ACCEPTED: Final = _BEFORE_ARRIVAL | {
    Standing.ARRIVED,
    Standing.REJECTED,
    Standing.DISCARDED,
}
_RECEIPTED: Final = frozenset({Standing.RECEIPTED, Standing.CLOSED, Standing.DISPUTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one source tells of one pair; None where it cannot know.

    Attributes:
        sent: Vouchers that the issuer sent.
        arrived: Those on the bank's disk.
        accepted: Those that the bank's system took over.
        receipted: Those whose receipt exists.
        returned: Those that came back.
        rejected: Those that the bank's system refused.
        sent_fen: Sum of those sent.
        receipted_fen: Sum of those receipted.
    """

    sent: int | None = None
    arrived: int | None = None
    accepted: int
    receipted: int
    returned: int
    rejected: int
    sent_fen: int
    receipted_fen: int


NAMES: Final = tuple(one.name for one in fields(Figures))

Pair = tuple[Institution, Institution]
Sources = Mapping[str, Figures]


def of_standings(rows: Iterable[tuple[Standing, int]], *, issuer: bool) -> Figures:
    """Count what a gateway's ledger tells: standing and amount of each voucher.

    A returned voucher counts as accepted: the bank's system returns only what it
    has taken over.
    """
    sent = [(one, fen) for one, fen in rows if one not in _NEVER_SENT]
    receipted = [fen for one, fen in sent if one in _RECEIPTED]
    return Figures(
        sent=len(sent) if issuer else None,
        arrived=sum(one not in _BEFORE_ARRIVAL for one, _ in sent),
        accepted=sum(one not in _NOT_ACCEPTED for one, _ in sent),
        receipted=len(receipted),
        returned=sum(one is Standing.RETURNED for one, _ in sent),
        rejected=sum(one is Standing.REJECTED for one, _ in sent),
        sent_fen=sum(fen for _, fen in sent),
        receipted_fen=sum(receipted),
    )


def from_gateways(stage: Stage, pair: Pair) -> Sources:
    """Ask the two running gateways of a pair, as their own systems do."""
    issuer, bank = pair
    return {
        "issuer's gateway": _ask(stage, issuer, pair, issuer=True),
        "bank's gateway": _ask(stage, bank, pair, issuer=False),
    }


def from_ledgers(stage: Stage, pair: Pair) -> Sources:
    """Read the ledgers of two gateways that stand still."""
    issuer, bank = pair
    return {
        "issuer's ledger": _read(
            stage, issuer.carrier or issuer.code, pair, issuer=True
        ),
        "bank's ledger": _read(stage, bank.code, pair, issuer=False),
    }


def from_books(stage: Stage, pair: Pair) -> Sources:
    """Read the own books of the two business systems of a pair."""
    issuer, bank = pair
    books = Books(stage.books(issuer.code))
    ordered = books.figures(bank.code)
    books.close()
    journal = Journal(stage.books(bank.code))
    paid = journal.figures(issuer.code)
    journal.close()
    return {
        "issuer's books": Figures(
            sent=ordered.sent,
            accepted=ordered.accepted,
            receipted=ordered.receipted,
            returned=ordered.returned,
            rejected=ordered.rejected,
            sent_fen=ordered.sent_fen,
            receipted_fen=ordered.receipted_fen,
        ),
        "bank's books": Figures(
            arrived=paid.arrived,
            accepted=paid.accepted,
            receipted=paid.receipted,
            returned=paid.returned,
            rejected=paid.rejected,
            sent_fen=paid.arrived_fen,
            receipted_fen=paid.receipted_fen,
        ),
    }


def differences(sources: Sources) -> list[str]:
    """Return what the sources do not agree on; sent and arrived are one number."""
    found = []
    for name in NAMES:
        if name == "arrived":
            continue
        told = {source: getattr(figures, name) for source, figures in sources.items()}
        if name == "sent":
            told = {
                f"{source} ({what})": getattr(figures, what)
                for source, figures in sources.items()
                for what in ("sent", "arrived")
            }
        told = {source: value for source, value in told.items() if value is not None}
        if len(set(told.values())) > 1:
            each = ", ".join(f"{source} {value}" for source, value in told.items())
            found.append(f"{name}: {each}")
    return found


def _ask(stage: Stage, who: Institution, pair: Pair, *, issuer: bool) -> Figures:
    other = pair[1] if issuer else pair[0]
    station, _ = read_settings(stage.system(who.code))
    with station.desk("system") as desk:
        found = [
            one
            for one in desk.search(party=other.code)
            if one.voucher.key.issuer == pair[0].code
        ]
    return of_standings(
        [(one.standing, one.amount_fen) for one in found], issuer=issuer
    )


def _read(stage: Stage, keeper: str, pair: Pair, *, issuer: bool) -> Figures:
    engine = create_engine(f"sqlite:///{stage.state(keeper) / 'ledger.sqlite'}")
    try:
        with engine.connect() as connection:
            rows = connection.execute(
                select(STANDINGS.c.standing, VOUCHERS.c.amount_fen)
                .join(VOUCHERS, VOUCHERS.c.id == STANDINGS.c.voucher)
                .where(VOUCHERS.c.issuer == pair[0].code)
                .where(STANDINGS.c.recipient == pair[1].code)
            ).all()
    finally:
        engine.dispose()
    return of_standings([(Standing(row[0]), row[1]) for row in rows], issuer=issuer)
