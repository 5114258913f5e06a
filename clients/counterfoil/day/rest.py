"""Whether anybody still has something to do, by everybody's own books."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Mapped

from counterfoil.bank.journal import FINAL, Payment
from counterfoil.bank.journal import State as PaymentState
from counterfoil.business.books import SqlBooks
from counterfoil.day.boxes import under_way
from counterfoil.day.cast import PARTIES, Institution
from counterfoil.day.stage import Stage
from counterfoil.finance.books import OPEN, Order
from counterfoil.treasury.books import FINAL as TREASURY_FINAL
from counterfoil.treasury.books import WAITING, Incoming
from counterfoil.treasury.books import State as TreasuryState

_ALSO: Final[Mapping[str, tuple[Mapped[object], tuple[object, ...]]]] = {
    "finance": (Order.state, OPEN),
    # What is accepted may wait for its paper at the counter.
    **dict.fromkeys(
        ("agent-bank", "special-account-bank"),
        (Payment.state, tuple(set(PaymentState) - FINAL - {PaymentState.ACCEPTED})),
    ),
    "treasury": (
        Incoming.state,
        tuple(set(TreasuryState) - TREASURY_FINAL - WAITING),
    ),
}
"""What a kind of system keeps beside its boxes, and when that is under way."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Looks into the books of all systems, while the systems run."""

    _books: tuple[tuple[Institution, SqlBooks], ...]

    @classmethod
    @contextmanager
    def of(cls, stage: Stage) -> Iterator[Rest]:
        """Open the books of all systems of a day."""
        with ExitStack() as stack:
            books = []
            for one in PARTIES:
                opened = SqlBooks(stage.books(one.code))
                stack.callback(opened.close)
                books.append((one, opened))
            yield cls(tuple(books))

    def busy(self) -> Iterator[str]:
        """Yield who has something to do, and with how many vouchers."""
        for one, books in self._books:
            count = under_way(books) + _beside(one, books)
            if count:
                yield f"{one.code}: {count} vouchers are under way"


def _beside(one: Institution, books: SqlBooks) -> int:
    if one.kind not in _ALSO:
        return 0
    column, states = _ALSO[one.kind]
    with books.reading() as session:
        return session.scalar(select(func.count()).where(column.in_(states))) or 0
