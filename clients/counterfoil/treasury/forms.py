"""The receipts (回单) that the treasury fills in.

Everything follows from the voucher and the books, so the same booking gives the same
bytes again, however often it is asked for.
"""

from __future__ import annotations

from counterfoil.office import Form, Receipt, Voucher
from counterfoil.treasury.books import Incoming
from counterfoil.treasury.kinds import (
    APPLICATION,
    APPROPRIATION,
    CLEARED,
    LISTED,
    REFUND,
    Office,
)


def receipt_of(one: Incoming, voucher: Voucher, office: Office) -> Receipt:
    """Return the receipt of a voucher that is in the books.

    * 5106, 5108: nothing is filled in; the receipt says that the quota is kept.
    * 5207: what was paid of every row, when, and the booking's number.
    * 2301, 5301, 2302: what was cleared (`XPayAmt`), and when.
    * Lists: the day of the entry (`XAcctDate`).

    What clears a bank's application goes to finance too, with the original inside.

    Source: Hubei measures, articles 26 (3), 27 (4) 3 and 4, 27 (5) 4 and 5.
    """
    is_copied = one.type_code in {APPLICATION, REFUND}
    return Receipt(
        voucher=one.reference,
        by=office.party,
        form=_filled(one, voucher.form),
        copies=(office.finance,) if is_copied else (),
    )


def _filled(one: Incoming, form: Form) -> Form:
    if one.type_code == APPROPRIATION:
        rows = tuple(
            {
                "id": row["id"],
                "x_pay_amt_fen": row["pay_amt_fen"],
                "x_pay_date": one.day,
                "x_agent_business_no": one.serial_text,
            }
            for row in form.rows
        )
        return Form({"x_agent_business_no": one.serial_text}, rows)
    if one.type_code in CLEARED:
        return Form({"x_clear_date": one.day, "x_pay_amt_fen": form.fen("pay_amt_fen")})
    if one.type_code in LISTED:
        return Form({"x_acct_date": one.day})
    return Form({})
