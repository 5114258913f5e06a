"""What was found when a statement was compared: fixed once, and told the same again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from counterfoil.finance.tables import Verdict
from counterfoil.office import Form
from counterfoil.office.vouchers import FieldValue

AGREES, DIFFERS = "0", "1"
"""Results of a comparison (对账结果)."""
_REASON_MAX: Final = 120
"""Characters of a reason: 255 bytes in GBK."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a statement and our books differ.

    Attributes:
        row: Id of its row; empty if of none.
        reason: What differs, in Chinese.
    """

    row: str
    reason: str


def keep(session: Session, digest: bytes, form: Form) -> None:
    """Write down what we fill in, in the transaction in which it was found."""
    filled = json.dumps([dict(form.fields), [dict(row) for row in form.rows]])
    session.add(Verdict(digest=digest, filled=filled))


def kept(session: Session, digest: bytes) -> Form:
    """Return what was written down."""
    fields, rows = json.loads(session.get_one(Verdict, digest).filled)
    return Form(fields, tuple(rows))


def judged(found: Sequence[Difference]) -> Form:
    """Return the answer to a statement: its result, and the rows that do not agree."""
    if not found:
        return Form({"x_check_result": AGREES})
    rows = dict.fromkeys(one.row for one in found if one.row)
    main: dict[str, FieldValue] = {
        "x_check_result": DIFFERS,
        "x_diff_num": len(rows),
        "x_check_reason": "；".join(one.reason for one in found)[:_REASON_MAX],
    }
    return Form(main, tuple({"id": row, **row_result(found, row)} for row in rows))


def row_result(found: Sequence[Difference], row: str) -> Mapping[str, FieldValue]:
    """Return what is filled in of one row."""
    reasons = [one.reason for one in found if one.row == row]
    if not reasons:
        return {"x_check_result": AGREES}
    return {
        "x_check_result": DIFFERS,
        "x_check_reason": "；".join(reasons)[:_REASON_MAX],
    }
