"""The treasury's daily reports (日报): revenue is booked, the others are compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.tables import InboxEntry
from counterfoil.business.works import Work
from counterfoil.finance import accounts
from counterfoil.finance.entries import Title, place_of
from counterfoil.finance.kinds import Office
from counterfoil.finance.tables import Posting
from counterfoil.finance.verdicts import Difference, judged, keep, kept
from counterfoil.office import Form, Receipt, Voucher


@dataclass(frozen=True, slots=True)
class ReportWork(Work):
    """What the treasury reports about our own money."""

    office: Office

    def objections(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Object to a report from another than our treasury."""
        del session, entry
        if voucher.key.issuer != self.office.treasury:
            yield "发送方不是本级国库"
        if voucher.key.adm_div != self.office.adm_div:
            yield "行政区划与本财政不符"


class RevenueWork(ReportWork):
    """Revenue of a day (3401): booked by subject and level.

    Source: Hubei measures, article 25 (2).
    """

    def objections(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Object to a total that is not the sum, which the catalogue leaves open."""
        yield from super().objections(session, entry, voucher)
        rows = voucher.form.rows
        if sum(int(row["day_amt_fen"]) for row in rows) != voucher.form.fen(
            "sum_money_fen"
        ):
            yield "合计金额与明细不符"

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Post the revenue; note where the year's total is not what we have booked.

        That is how a report shows that never came, or came twice.
        """
        day = voucher.form.text("report_date")
        accounts.post(session, entry.digest, voucher, day)
        session.flush()
        booked = accounts.by_place(
            session, Title.REVENUE, since=f"{day[:4]}0101", until=day
        )
        stated = {
            place_of(voucher, row): int(row["year_amt_fen"])
            for row in voucher.form.rows
        }
        wrong = {
            subject
            for (subject, level), fen in stated.items()
            if fen != -booked.get((subject, level), 0)
        }
        if wrong:
            text = f"科目{'、'.join(sorted(wrong))}本年累计与账簿不符"
            accounts.find_fault(session, entry.reference, text, entry.day)
        return ()


class ExpenditureWork(ReportWork):
    """Expenditure of a day by function (3410): compared with our own ledger.

    Source: Hubei measures, articles 3 (3) and 21.
    """

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Note the functions of which our books say another amount."""
        day = voucher.form.text("report_date")
        ours = accounts.paid_out(session, since=day, until=day)
        theirs = {
            str(row["budget_subject_code"]): int(row["pay_amt_fen"])
            for row in voucher.form.rows
        }
        wrong = [
            function
            for function in sorted({*ours, *theirs})
            if ours[function] != theirs.get(function, 0)
        ]
        if wrong:
            text = f"功能科目{'、'.join(wrong)}当日支出与账簿不符"
            accounts.find_fault(session, entry.reference, text, entry.day)
        return ()


class BalanceWork(ReportWork):
    """The balance of the single account (3402): answered by its result (对账结果).

    Source: Hubei measures, article 29 (1).
    """

    answers = True

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Compare the balance with our ledger, and keep what was found."""
        day = voucher.form.text("acct_date")
        found = list(self._differences(session, voucher.form, day))
        keep(session, entry.digest, judged(found))
        if found:
            accounts.find_fault(session, entry.reference, found[0].reason, entry.day)
        return ()

    def receipt(self, session: Session, entry: InboxEntry, voucher: Voucher) -> Receipt:
        """Return what was found when it was compared."""
        del voucher
        form = kept(session, entry.digest)
        return Receipt(voucher=entry.reference, by=self.office.party, form=form)

    def _differences(
        self, session: Session, form: Form, day: str
    ) -> Iterator[Difference]:
        before = accounts.total_fen(session, Title.SINGLE, before=day)
        of_day = session.scalars(
            select(Posting.amount_fen).where(
                Posting.title == Title.SINGLE, Posting.day == day
            )
        ).all()
        came = sum(fen for fen in of_day if fen > 0)
        paid = -sum(fen for fen in of_day if fen < 0)
        yesterday = self.office.opening_fen + before
        ours = {
            "yesterday_balance_fen": yesterday,
            "today_receipt_fen": came,
            "today_pay_fen": paid,
            "today_balance_fen": yesterday + came - paid,
        }
        for row in form.rows:
            if row["acct_code"] != self.office.single.number:
                yield Difference(str(row["id"]), "账户不是国库单一账户")
            elif any(int(row[name]) != fen for name, fen in ours.items()):
                yield Difference(str(row["id"]), "库存余额与账簿不符")
