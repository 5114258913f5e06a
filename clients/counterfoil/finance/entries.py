"""What a voucher changes in the general budget's ledger (总预算会计): pure.

An entry follows from the voucher alone, so the ledger can be computed again from the
vault. Every entry is double: what it debits it credits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from counterfoil.business.codes import PaymentWay, way_of
from counterfoil.finance.kinds import (
    APPROPRIATION,
    CLEARING_ORDER,
    PAYMENT,
    REFUND,
    REVENUE_REPORT,
    SPECIAL_PAYMENT,
)
from counterfoil.office import Form, Voucher
from counterfoil.office.vouchers import FieldValue


class Title(StrEnum):
    """An account of the ledger (会计科目); debits are positive, credits negative."""

    SINGLE = "single"
    """国库存款, the single account."""
    REVENUE = "revenue"
    """预算收入."""
    EXPENDITURE = "expenditure"
    """预算支出."""
    ADVANCED = "advanced"
    """待清算款: paid by agent banks, not yet cleared."""
    SPECIAL = "special"
    """财政专户存款."""
    SPECIAL_EXPENDITURE = "special_exp"
    """财政专户支出."""


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """Where an amount is booked.

    Attributes:
        title: Account of the ledger.
        subject: Subject of revenue, or function of expenditure.
        unit: The unit; of revenue the level of the budget (预算级次).
    """

    title: Title
    subject: str
    unit: str


Entry = Mapping[Line, int]
"""Amounts in fen; their sum is zero."""

_SIDES: Final[Mapping[int, tuple[Title, Title]]] = {
    REVENUE_REPORT: (Title.SINGLE, Title.REVENUE),
    PAYMENT: (Title.EXPENDITURE, Title.ADVANCED),
    APPROPRIATION: (Title.EXPENDITURE, Title.SINGLE),
    REFUND: (Title.EXPENDITURE, Title.SINGLE),
    SPECIAL_PAYMENT: (Title.SPECIAL_EXPENDITURE, Title.SPECIAL),
}
"""Debit and credit of each kind; a refund's amounts are negative."""
BOOKED: Final = frozenset({*_SIDES, CLEARING_ORDER})
"""Kinds that the ledger books."""


def entry_of(voucher: Voucher) -> Entry:
    """Return what a voucher changes once it is done; nothing for most kinds.

    * A revenue report (3401): what came into the single account, by subject.
    * A direct payment (5201): expenditure that an agent bank has advanced.
    * A clearing order (5301) pays the bank back. For authorised payments, which we
      never see, it is the expenditure.
    * An appropriation (5207): expenditure out of the single account.
    * A refund (2302): the same, negative.
    * A payment out of a special account (5267) is no expenditure of the budget.

    Source: Hubei measures, articles 25 (2), 26 (3), 27 (4) 3, 27 (5) 4 and 28 (3).
    """
    kind = voucher.key.type_code
    if kind not in BOOKED:
        return {}
    debit, credit = _SIDES.get(kind) or _sides_of_order(voucher)
    entry: Counter[Line] = Counter()
    for row in voucher.form.rows:
        subject, unit = place_of(voucher, row)
        fen = int(row.get("day_amt_fen", row.get("pay_amt_fen", 0)))
        entry[Line(debit, subject, unit)] += fen
        entry[Line(credit, subject, unit)] -= fen
    return {line: fen for line, fen in entry.items() if fen}


def place_of(voucher: Voucher, row: Mapping[str, FieldValue]) -> tuple[str, str]:
    """Return subject, and unit (the top-level one if named) or level, of a row."""
    form = voucher.form
    if voucher.key.type_code == REVENUE_REPORT:
        return str(row["budget_subject_code"]), level_of(form, row)
    subject = row.get("exp_func_code", "")
    unit = row.get("sup_dep_code") or form.text("sup_dep_code")
    return str(subject), str(unit or form.text("agency_code"))


def level_of(form: Form, row: Mapping[str, FieldValue]) -> str:
    """Return the level of the budget of a row of revenue; empty if none is named."""
    return str(row.get("budget_level_code") or form.text("budget_level_code"))


def _sides_of_order(order: Voucher) -> tuple[Title, Title]:
    authorised = way_of(order.form.text("pay_type_code")) is PaymentWay.AUTHORISED
    return Title.EXPENDITURE if authorised else Title.ADVANCED, Title.SINGLE
