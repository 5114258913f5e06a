"""What a unit answers its bank: to matched refunds, and to statements.

Everything follows from the books, so that the same books give the same bytes.
"""

from __future__ import annotations

from counterfoil.business.tables import InboxEntry
from counterfoil.office import Form, Receipt
from counterfoil.office.vouchers import FieldValue
from counterfoil.unit.kinds import Office
from counterfoil.unit.tables import Check, Match

AGREES, DIFFERS = "0", "1"
"""`XCheckResult`: what the bank says is what our books say, or is not."""


def match_receipt(entry: InboxEntry, match: Match, office: Office) -> Receipt:
    """Return our answer to a refund that the bank matched with a payment.

    Finance gets a copy: its payment system hears of the answer in real time.

    Source: Hubei measures, article 27 (5) 1.
    """
    fields: dict[str, FieldValue] = {
        "x_check_result": DIFFERS if match.reason else AGREES
    }
    if match.reason:
        fields["x_check_reason"] = match.reason
    return Receipt(
        voucher=entry.reference,
        by=office.party,
        form=Form(fields),
        copies=(office.finance,),
    )


def statement_receipt(entry: InboxEntry, check: Check, party: str) -> Receipt:
    """Return our answer to a statement: its result, and the rows that differ.

    Source: Hubei measures, article 29 (4).
    """
    rows = tuple(
        {"id": one.row_id, "x_check_result": DIFFERS, "x_check_reason": one.reason}
        for one in check.differences
    )
    agrees = not rows and not check.reason
    fields: dict[str, FieldValue] = {
        "x_check_result": AGREES if agrees else DIFFERS,
        "x_diff_num": len(rows) + check.missing,
    }
    if not agrees:
        fields["x_check_reason"] = check.reason or "明细与本单位账不符"
    return Receipt(voucher=entry.reference, by=party, form=Form(fields, rows))
