"""What a statement is answered: compared once, and told the same ever after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.bank.heads import Fields
from counterfoil.bank.kinds import Office
from counterfoil.bank.tables import Difference
from counterfoil.business.tables import InboxEntry
from counterfoil.business.works import Work
from counterfoil.office import Form, Receipt, Voucher

AGREES, DIFFERS = "0", "1"
"""对账结果."""
_REASON_MAX: Final = 500
"""Characters of all reasons: 1024 bytes in GBK."""

Found = tuple[str, str]
"""Id of a row, empty if of none, and why it does not agree."""


class Statement(Work):
    """A statement that is compared once and answered by its result.

    Source: Hubei measures, article 29 (2) and (3).
    """

    answers = True

    def __init__(self, office: Office) -> None:
        self.office = office

    def differences(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[Found]:
        """Return where it does not agree with our books."""
        raise NotImplementedError

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Note where it differs: the answer says so, whatever is booked later."""
        session.add_all(
            Difference(digest=entry.digest, row_id=row_id, reason=reason)
            for row_id, reason in self.differences(session, entry, voucher)
        )
        return ()

    def receipt(self, session: Session, entry: InboxEntry, voucher: Voucher) -> Receipt:
        """Return the result, how many differ, and why."""
        del voucher
        found = session.scalars(
            select(Difference).filter_by(digest=entry.digest).order_by(Difference.id)
        ).all()
        return Receipt(
            voucher=entry.reference, by=self.office.party, form=_result(found)
        )


def _result(found: Sequence[Difference]) -> Form:
    """Return what is filled into a statement."""
    if not found:
        return Form({"x_check_result": AGREES})
    fields: Fields = {
        "x_check_result": DIFFERS,
        "x_diff_num": len(found),
        "x_check_reason": "；".join(one.reason for one in found)[:_REASON_MAX],
    }
    rows = [
        {
            "id": one.row_id,
            "x_check_result": DIFFERS,
            "x_check_reason": one.reason,
        }
        for one in found
        if one.row_id
    ]
    return Form(fields, tuple(rows))
