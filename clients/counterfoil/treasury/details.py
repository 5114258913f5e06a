"""The detail of a clearing application (汇总清算明细表) against the application."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.inbox import voucher_of
from counterfoil.business.money import to_yuan
from counterfoil.business.tables import InboxEntry
from counterfoil.business.works import Work
from counterfoil.office import Voucher
from counterfoil.treasury import acts
from counterfoil.treasury.books import LOST, Incoming
from counterfoil.treasury.kinds import APPLICATION, Office


@dataclass(frozen=True, slots=True)
class ClearingDetail(Work):
    """Takes the detail of an application, which waits until that is here.

    Attributes:
        office: Who we are.
    """

    office: Office

    def objections(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Object to a detail of another bank's."""
        del session
        if voucher.form.text("pay_bank_no") not in self.office.numbers_of(entry.issuer):
            yield "代理银行行号与发送方不符"

    def is_due(self, session: Session, entry: InboxEntry) -> bool:
        """Tell whether the application is here."""
        return self._application(session, entry) is not None

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Keep a detail that agrees with its application; else return it.

        Source: Hubei measures, article 27 (4) 1.
        """
        application = self._application(session, entry)
        assert application is not None, "it was not due"
        return list(differences(voucher, acts.voucher_of(application)))

    def _application(self, session: Session, entry: InboxEntry) -> Incoming | None:
        detail = voucher_of(session.get_one(InboxEntry, entry.digest))
        return session.scalars(
            select(Incoming)
            .where(Incoming.type_code == APPLICATION)
            .where(Incoming.issuer == entry.issuer)
            .where(Incoming.fiscal_year == entry.fiscal_year)
            .where(Incoming.number == detail.form.text("ori_voucher_no"))
            .where(Incoming.state.not_in(LOST))
        ).first()


def differences(detail: Voucher, application: Voucher) -> Iterator[str]:
    """Yield where a detail does not agree with its application, in Chinese: pure.

    Every payment that it names is in the application, with that amount.
    """
    asked, named = _by_payment(application), _by_payment(detail)
    for payment in sorted(named):
        if named[payment] != asked[payment]:
            yield (
                f"支付凭证{payment}明细{to_yuan(named[payment])}元"
                f"与申请{to_yuan(asked[payment])}元不符"
            )


def _by_payment(voucher: Voucher) -> Counter[str]:
    sums: Counter[str] = Counter()
    for row in voucher.form.rows:
        sums[str(row["voucher_no"])] += int(row["pay_amt_fen"])
    return sums
