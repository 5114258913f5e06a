"""The ledger and the register of receipts: what is written down, and what they say.

Every function takes a session, so that a decision and what follows from it can be one
transaction. Written down twice, a voucher is in the books once.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from counterfoil.business.prepared import Prepared
from counterfoil.business.rows import put
from counterfoil.finance.entries import Title, entry_of
from counterfoil.finance.kinds import REVENUE_REPORT
from counterfoil.finance.tables import Finding, Posting, Receipted
from counterfoil.office import Form, Receipt, Reference, Voucher

_DAYS: Final = ("x_clear_date", "x_pay_date", "x_acct_date")
_POSTED: Final = Prepared(
    select(Posting.id).where(Posting.digest == bindparam("digest")).limit(1)
)
_REGISTERED: Final = Prepared(
    select(Receipted.digest).where(Receipted.digest == bindparam("digest"))
)


def post(session: Session, digest: bytes, voucher: Voucher, day: str) -> None:
    """Post a voucher to the ledger, once."""
    if _POSTED.scalar(session, {"digest": digest}) is not None:
        return
    put(
        session,
        [
            Posting(
                digest=digest,
                title=line.title,
                subject=line.subject,
                unit=line.unit,
                amount_fen=fen,
                is_revenue=voucher.key.type_code == REVENUE_REPORT,
                day=day,
            )
            for line, fen in entry_of(voucher).items()
        ],
    )


def register(
    session: Session,
    voucher: Voucher,
    receipt: Receipt,
    differences: str,
    bank: str,
) -> bool:
    """Write down a receipt, once, and post its voucher if it agrees.

    Args:
        session: One transaction.
        voucher: What the receipt answers.
        receipt: What its recipient filled in.
        differences: Where the two do not agree, in Chinese; empty if nowhere.
        bank: Party code of the bank that it is about; else the treasury's.

    Returns:
        Whether it was new.
    """
    digest = receipt.voucher.digest
    if _REGISTERED.scalar(session, {"digest": digest}) is not None:
        return False
    day = day_of_act(receipt.form)
    entry = Receipted(
        digest=digest,
        type_code=voucher.key.type_code,
        number=voucher.key.number,
        fiscal_year=voucher.key.fiscal_year,
        adm_div=voucher.key.adm_div,
        bank=bank,
        unit=voucher.form.text("agency_code"),
        account=voucher.form.text("pay_acct_no"),
        amount_fen=voucher.form.fen("pay_amt_fen"),
        day=day,
        agrees=not differences,
        note=differences,
    )
    put(session, [entry])
    if not differences:
        post(session, digest, voucher, day)
    return True


def day_of_act(form: Form) -> str:
    """Return the day that a receipt states; empty if none."""
    for fields in (form.fields, *form.rows):
        for name in _DAYS:
            if fields.get(name):
                return str(fields[name])
    return ""


def receipted(
    session: Session, type_code: int, number: str, *, fiscal_year: int, bank: str = ""
) -> Receipted | None:
    """Return the register's entry of a voucher whose receipt agrees."""
    wanted = select(Receipted).where(
        Receipted.type_code == type_code,
        Receipted.number == number,
        Receipted.fiscal_year == fiscal_year,
        Receipted.agrees,
    )
    if bank:
        wanted = wanted.where(Receipted.bank == bank)
    return session.scalar(wanted)


def find_fault(session: Session, reference: Reference, text: str, day: str) -> None:
    """Write down what a person has to look at."""
    finding = Finding(
        digest=reference.digest, name=str(reference.key), text=text, day=day
    )
    session.merge(finding)


def total_fen(session: Session, title: Title, *, before: str = "99999999") -> int:
    """Return what was debited to an account of the ledger, less what was credited.

    Args:
        session: The books.
        title: The account.
        before: Only what was posted before this day, `yyyymmdd`.
    """
    total = session.scalar(
        select(func.sum(Posting.amount_fen)).where(
            Posting.title == title, Posting.day < before
        )
    )
    return int(total or 0)


def by_place(
    session: Session, title: Title, *, since: str, until: str
) -> dict[tuple[str, str], int]:
    """Return the same of some days by subject or function, and unit or level."""
    sums = session.execute(
        select(Posting.subject, Posting.unit, func.sum(Posting.amount_fen).label("fen"))
        .where(Posting.title == title, Posting.day >= since, Posting.day <= until)
        .group_by(Posting.subject, Posting.unit)
        .order_by(Posting.subject, Posting.unit)
    )
    return {(row.subject, row.unit): int(row.fen) for row in sums}


def paid_out(session: Session, *, since: str, until: str) -> Counter[str]:
    """Return what left the single account in some days, by function.

    What came in as revenue is left out; a refund is negative.
    """
    sums = session.execute(
        select(Posting.subject, func.sum(Posting.amount_fen).label("fen"))
        .where(Posting.title == Title.SINGLE, Posting.is_revenue.is_(False))
        .where(Posting.day >= since, Posting.day <= until)
        .group_by(Posting.subject)
    )
    return Counter({row.subject: -int(row.fen) for row in sums})
