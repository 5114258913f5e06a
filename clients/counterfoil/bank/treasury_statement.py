"""The treasury's statement of a month against our own books."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from counterfoil.bank import periods
from counterfoil.bank.answers import Found, Statement
from counterfoil.bank.statements import month_end
from counterfoil.business.codes import PaymentWay, way_of
from counterfoil.business.days import written
from counterfoil.business.money import to_yuan
from counterfoil.business.tables import InboxEntry
from counterfoil.office import Voucher


class TreasuryStatement(Statement):
    """The treasury's statement of what it cleared with us in a month (4005).

    Source: Hubei measures, article 29 (3).
    """

    def differences(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterator[Found]:
        """Yield where number or amount of a kind and way is another with us."""
        del entry
        month = voucher.form.text("check_date")[:6]
        ours = periods.answered(session, f"{month}01", written(month_end(month)))
        for row in voucher.form.rows:
            kind = int(row["e_voucher_type"])
            way = way_of(str(row.get("pay_type_code", "")))
            count = _taken(ours, kind, way)
            theirs = periods.Count(int(row["all_num"]), int(row["all_amt_fen"]))
            if count != theirs:
                name = row.get("e_voucher_type_name") or f"凭证{kind}"
                yield "", f"{name}{way.chinese if way else ''}{_other(theirs, count)}"
        for (kind, way), count in ours.items():
            yield "", f"缺少凭证{kind}{way.chinese}{_said(count)}"


def _taken(
    ours: dict[tuple[int, PaymentWay], periods.Count],
    kind: int,
    way: PaymentWay | None,
) -> periods.Count:
    """Take out what a row is about: a row without a way is about both."""
    both = [
        ours.pop((kind, one), periods.Count())
        for one in PaymentWay
        if way in {None, one}
    ]
    return periods.Count(
        sum(one.number for one in both), sum(one.amount_fen for one in both)
    )


def _other(theirs: periods.Count, ours: periods.Count) -> str:
    return f"对方{_said(theirs)}，我方{_said(ours)}"


def _said(count: periods.Count) -> str:
    return f"{count.number}笔{to_yuan(count.amount_fen)}元"
