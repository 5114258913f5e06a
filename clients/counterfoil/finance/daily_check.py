"""The daily check of vouchers (凭证对账): 3501, answered by the list that we have.

Source: Hubei measures, article 21.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.planning import draft_of, plan
from counterfoil.business.tables import (
    GIVEN_BACK,
    InboxEntry,
    OutboxEntry,
    OutboxState,
)
from counterfoil.finance.forms import Fields, made, next_number
from counterfoil.finance.kinds import (
    CHECK_REPLY,
)
from counterfoil.finance.reports import ReportWork
from counterfoil.finance.tables import APART, Receipted
from counterfoil.office import Form, Voucher
from counterfoil.office.vouchers import FieldValue

_CARRIED_OUT, _RETURNED = "0", "1"
"""凭证状态."""
_AMOUNTS: Final = ("pay_amt_fen", "plan_amt_fen", "all_amt_fen")


class CheckWork(ReportWork):
    """The vouchers of one kind on a day (3501), answered as we have them (5502).

    Source: Hubei measures, article 21.
    """

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Plan the list of our own vouchers of that day and kind."""
        form = voucher.form
        kind, day = form.text("e_voucher_type"), form.text("check_date")
        rows: tuple[Fields, ...] = tuple(
            {"id": str(place), "voucher_no": number, "amt_fen": fen, "pro_state": state}
            for place, (number, (fen, state)) in enumerate(
                sorted(_of_day(session, kind, day).items()), start=1
            )
        )
        fields: Fields = {
            "st_year": str(voucher.key.fiscal_year),
            "check_date": day,
            "e_voucher_type": kind,
            "all_num": len(rows),
            "all_amt_fen": sum(int(row["amt_fen"]) for row in rows),
        }
        number = next_number(session, CHECK_REPLY, voucher.key.fiscal_year)
        reply = made(self.office, CHECK_REPLY, number, entry.day, Form(fields, rows))
        plan(session, reply, entry.day, cause=entry.digest)
        return ()


def _of_day(
    session: Session, kind: str, day: str
) -> Mapping[str, tuple[int, FieldValue]]:
    """Return amount and state of our vouchers of a kind on a day, by number.

    The day is that of the act, as its receipt states it; of a receipt that states none
    the day on which it came; of what came back the day on which we made it.
    """
    found: dict[str, tuple[int, FieldValue]] = {}
    for one in session.scalars(
        select(Receipted).where(
            Receipted.day == day, Receipted.type_code % 10_000 == int(kind)
        )
    ):
        # People may have settled that nothing was done, whatever the receipt says.
        undone = one.listed_in == APART and not one.agrees
        found[one.number] = (one.amount_fen, _RETURNED if undone else _CARRIED_OUT)
    for entry in session.scalars(
        select(OutboxEntry).where(OutboxEntry.type_code % 10_000 == int(kind))
    ):
        registered = session.get(Receipted, entry.digest)
        if entry.state in GIVEN_BACK and entry.planned == day:
            found.setdefault(entry.number, (_amount_fen(entry), _RETURNED))
        elif (
            registered is None
            and entry.state is OutboxState.RECEIPTED
            and entry.answered == day
        ):
            found[entry.number] = (_amount_fen(entry), _CARRIED_OUT)
    return found


def _amount_fen(entry: OutboxEntry) -> int:
    form = draft_of(entry).form
    return next((form.fen(name) for name in _AMOUNTS if name in form.fields), 0)
