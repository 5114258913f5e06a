"""What somebody wants to be paid, before anybody asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from counterfoil.unit.kinds import DealMode
from counterfoil.unit.tables import Line, Request


class BeyondAllotment(ValueError):
    """The allotment does not allow what is asked for; says so in Chinese."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One payee to be paid.

    Attributes:
        function: Function (支出功能分类科目) of the allotment that pays.
        amount_fen: How much.
        payee_account: Number of the payee's account.
        payee_name: Whose it is.
        payee_bank: Name of the bank that keeps it.
        purpose: What for (用途).
    """

    function: str
    amount_fen: int
    payee_account: str
    payee_name: str
    payee_bank: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to be paid.

    Attributes:
        items: Whom, and how much.
        mode: How the bank deals with an authorised payment; None to apply to finance
            for a direct one.
        origin: By which a program that asks again knows its own; empty for a person.
    """

    items: Sequence[Item]
    mode: DealMode | None = None
    origin: str = ""


def corrected(asked: Request, *, account: str = "", amount_fen: int = 0) -> list[Item]:
    """Return what a request with one payee asks for, with a mistake mended.

    Raises:
        ValueError: It has several payees: which one is wrong cannot be told.
    """
    if not account and not amount_fen:
        return []
    if len(asked.lines) != 1:
        msg = f"{asked.number} has {len(asked.lines)} payees: ask for it anew"
        raise ValueError(msg)
    item = item_of(asked.lines[0])
    return [
        replace(
            item,
            payee_account=account or item.payee_account,
            amount_fen=amount_fen or item.amount_fen,
        )
    ]


def item_of(line: Line) -> Item:
    """Return what a line of a request asks for."""
    return Item(
        function=line.function,
        amount_fen=line.amount_fen,
        payee_account=line.payee_account,
        payee_name=line.payee_name,
        payee_bank=line.payee_bank,
        purpose=line.purpose,
    )
