"""Vouchers that name other vouchers (凭证引用): what is named, and what has to hold.

The numbers of the enums are those of `counterfoil.catalogue.v1`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from counterfoil.domain.value import value


class ReferenceNeed(IntEnum):
    """What the named voucher must have come to in the vault of whoever names it."""

    NOTHING = 1
    HELD = 2
    ACTED = 3
    ANSWERED = 4


class ReferenceMeasure(IntEnum):
    """How the amount stated with a name compares with what is named."""

    NOTHING = 1
    EQUAL = 2
    PART = 3


class ReferenceTimes(IntEnum):
    """How often a voucher may be named by vouchers of one kind."""

    ANY = 1
    ONCE_IN_VOUCHER = 2
    ONCE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """By which elements a kind of voucher names another one.

    Attributes:
        number_element: XML name of the element that states its number.
        type_element: XML name of the element that states its kind, or empty.
        kinds: Codes on the wire of the kinds that may be named.
        in_rows: Whether each row names one; else the main row does.
        need: What it must have come to.
        measure: How the amount compares.
        times: How often it may be named.
    """

    number_element: str
    type_element: str
    kinds: tuple[str, ...]
    in_rows: bool
    need: ReferenceNeed
    measure: ReferenceMeasure
    times: ReferenceTimes


@value
class Naming:
    """One voucher that a voucher names, as far as the vault decides by it.

    Attributes:
        types: Kinds of which it may be.
        number: Its number.
        amount_fen: The amount stated with it; of several rows, all together.
        path: The field that states the number, in the first row that does.
        need: What it must have come to.
        measure: How the amount compares.
        once: Whether one voucher in force may name it and no other.
        lapses: Whether the name no longer counts once it was answered by a result
            that does not agree.
    """

    types: tuple[int, ...]
    number: str
    amount_fen: int
    path: str
    need: ReferenceNeed
    measure: ReferenceMeasure
    once: bool
    lapses: bool = False

    @property
    def is_counted(self) -> bool:
        """Whether it matters who else names the same voucher."""
        return self.once or self.measure is ReferenceMeasure.PART
