"""The treasury's daily check of our vouchers, and our own view of the day."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from counterfoil.bank import periods
from counterfoil.bank.applications import counted
from counterfoil.bank.heads import Fields, voucher_of
from counterfoil.bank.kinds import CHECK_REPLY, Office
from counterfoil.business.planning import plan
from counterfoil.business.tables import InboxEntry
from counterfoil.business.works import Work
from counterfoil.office import Voucher, VoucherKey

NORMAL, RETURNED = "0", "1"
"""凭证状态."""


class Check(Work):
    """The treasury's daily check of one kind of our vouchers (3502).

    It is answered by our own view of the day (2502), which it compares.

    Source: Hubei measures, article 21.
    """

    def __init__(self, office: Office) -> None:
        self.office = office

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Plan the reply: what was answered on the day, and what was given back."""
        form = voucher.form
        kind, day = int(form.text("e_voucher_type")), form.text("check_date")
        rows = [
            _seen(one, state)
            for state, found in (
                (NORMAL, periods.answered_on(session, kind, day)),
                (RETURNED, periods.returned_of(session, kind, day)),
            )
            for one in found
        ]
        fields: Fields = {
            "tre_code": self.office.treasury.code,
            "pay_bank_code": self.office.code,
            "check_date": day,
            "e_voucher_type": form.text("e_voucher_type"),
            "all_num": len(rows),
            "all_amt_fen": sum(int(row["amt_fen"]) for row in rows),
            "hold1": voucher.key.number,
        }
        key = VoucherKey(
            issuer=self.office.party,
            adm_div=voucher.key.adm_div,
            fiscal_year=voucher.key.fiscal_year,
            type_code=CHECK_REPLY,
            number=f"HZ{entry.digest.hex()[:16].upper()}",
        )
        reply = voucher_of(
            key, (self.office.treasury.party,), entry.day, fields, counted(rows)
        )
        plan(session, reply, entry.day, cause=entry.digest)
        return ()


def _seen(one: periods.Booked, state: str) -> Fields:
    return {"voucher_no": one.number, "amt_fen": one.amount_fen, "pro_state": state}
