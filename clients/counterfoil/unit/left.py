"""What is left of the allotments, while one transaction takes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from counterfoil.business.codes import PaymentWay
from counterfoil.business.money import to_yuan
from counterfoil.unit import accounts


@dataclass(slots=True)
class Left:
    """Allotments of a year, less what the same transaction has taken of them.

    Each is added up once: while the transaction holds the books, nothing changes what
    is left but what it takes itself.

    Attributes:
        session: The transaction.
        fiscal_year: An allotment of one year pays nothing of another.
    """

    session: Session
    fiscal_year: int
    _left_fen: dict[tuple[PaymentWay, str], int] = field(default_factory=dict)
    _names: dict[tuple[PaymentWay, str], str] = field(default_factory=dict)
    _locked: set[PaymentWay] = field(default_factory=set)

    def name_of(self, way: PaymentWay, function: str) -> str:
        """Return the name of a function that has an allotment.

        Raises:
            ValueError: It has none.
        """
        place = way, function
        if place not in self._names:
            name = accounts.function_name(self.session, self.fiscal_year, *place)
            if name is None:
                msg = f"功能科目{function}没有{way.chinese}用款计划"
                raise ValueError(msg)
            self._names[place] = name
        return self._names[place]

    def shortages(self, way: PaymentWay, needs: Mapping[str, int]) -> Iterator[str]:
        """Yield where a request would go beyond the allotments, in Chinese.

        Args:
            way: Way of payment.
            needs: Amounts in fen, by function.
        """
        for function, fen in sorted(needs.items()):
            missing = fen - self._of(way, function)
            if missing > 0:
                yield (
                    f"{way.chinese}用款计划不足："
                    f"功能科目{function}超出{to_yuan(missing)}元"
                )

    def take(self, way: PaymentWay, needs: Mapping[str, int]) -> None:
        """Take what a request asks for; it is entered in the same transaction."""
        for function, fen in needs.items():
            self._left_fen[way, function] = self._of(way, function) - fen

    def _of(self, way: PaymentWay, function: str) -> int:
        place = way, function
        if place not in self._left_fen:
            if way not in self._locked:
                accounts.lock(self.session, way)
                self._locked.add(way)
            self._left_fen[place] = accounts.left_fen(
                self.session, self.fiscal_year, *place
            )
        return self._left_fen[place]
