"""The ledger and the register of receipts: what is written down, and what they say.

Every function takes a session, so that a decision and what follows from it can be one
transaction. Written down twice, a voucher is in the books once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from counterfoil.business.codes import PaymentWay
from counterfoil.business.outbox import OPEN as UNDER_WAY
from counterfoil.business.outbox import draft_of
from counterfoil.business.tables import OutboxEntry
from counterfoil.finance.books import OPEN, Order
from counterfoil.finance.clearing import Paid, Places
from counterfoil.finance.entries import Title, entry_of
from counterfoil.finance.kinds import PAYMENT, REVENUE_REPORT
from counterfoil.finance.tables import Claim, Finding, Posting, Receipted
from counterfoil.office import Form, Receipt, Reference, Voucher

CHUNK: Final = 500
"""Numbers that one query names; databases allow a few thousand."""
_DAYS: Final = ("x_clear_date", "x_pay_date", "x_acct_date")


def post(session: Session, digest: bytes, voucher: Voucher, day: str) -> None:
    """Post a voucher to the ledger, once."""
    if session.scalar(select(Posting.id).where(Posting.digest == digest).limit(1)):
        return
    session.add_all(
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
    if session.get(Receipted, digest) is not None:
        return False
    day = day_of_act(receipt.form)
    session.add(
        Receipted(
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
    )
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


def known_payments(
    session: Session, application: Voucher, numbers: Collection[str], way: PaymentWay
) -> dict[str, Paid]:
    """Return what our books say of the payments that a bank applies for."""
    known: dict[str, Paid] = {}
    for some in _chunks(numbers):
        claimed = _claimed(session, application, some, way)
        known |= dict.fromkeys(claimed, Paid({}, is_claimed=True))
        if way is PaymentWay.AUTHORISED:
            continue
        paid = _paid(session, application, some - claimed)
        known |= {number: Paid(places) for number, places in paid.items()}
        awaited = _under_way(session, application, some - claimed - set(paid))
        known |= dict.fromkeys(awaited, Paid(None))
    return known


def claim(
    session: Session,
    digest: bytes,
    application: Voucher,
    numbers: Iterable[str],
    way: PaymentWay,
) -> None:
    """Write down that an application names these payments."""
    session.add_all(
        Claim(
            digest=digest,
            bank=application.key.issuer,
            fiscal_year=application.key.fiscal_year,
            way=way.value,
            number=number,
        )
        for number in numbers
    )


def release_claims(session: Session, digest: bytes) -> None:
    """Let the payments of an application be applied for again."""
    session.execute(delete(Claim).where(Claim.digest == digest))


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


def _chunks(numbers: Collection[str]) -> Iterator[set[str]]:
    """Yield numbers by so many as one query may name."""
    ordered = list(numbers)
    for start in range(0, len(ordered), CHUNK):
        yield set(ordered[start : start + CHUNK])


def _claimed(
    session: Session, application: Voucher, numbers: set[str], way: PaymentWay
) -> set[str]:
    """Return the payments that an application has named before."""
    return set(
        session.scalars(
            select(Claim.number).where(
                Claim.bank == application.key.issuer,
                Claim.fiscal_year == application.key.fiscal_year,
                Claim.way == way.value,
                Claim.number.in_(numbers),
            )
        )
    )


def _paid(
    session: Session, application: Voucher, numbers: set[str]
) -> dict[str, Places]:
    """Return what the bank has receipted: by function and unit, of each payment.

    One whose receipt does not agree is in no ledger: nothing was paid as ordered.
    """
    receipts = session.scalars(
        select(Receipted).where(
            Receipted.type_code == PAYMENT,
            Receipted.bank == application.key.issuer,
            Receipted.fiscal_year == application.key.fiscal_year,
            Receipted.agrees,
            Receipted.number.in_(numbers),
        )
    )
    by_digest = {one.digest: one.number for one in receipts}
    paid: dict[str, dict[tuple[str, str], int]] = {}
    for one in session.scalars(
        select(Posting).where(
            Posting.digest.in_(by_digest), Posting.title == Title.EXPENDITURE
        )
    ):
        places = paid.setdefault(by_digest[one.digest], {})
        places[one.subject, one.unit] = one.amount_fen
    return dict(paid)


def _under_way(session: Session, application: Voucher, numbers: set[str]) -> set[str]:
    """Return the orders of ours that this bank has not answered."""
    bank, year = application.key.issuer, application.key.fiscal_year
    issued = session.scalars(
        select(OutboxEntry).where(
            OutboxEntry.type_code == PAYMENT,
            OutboxEntry.fiscal_year == year,
            OutboxEntry.state.in_(UNDER_WAY),
            OutboxEntry.number.in_(numbers),
        )
    )
    from_folder = session.scalars(
        select(Order.number).where(
            Order.type_code == PAYMENT,
            Order.fiscal_year == year,
            Order.recipient == bank,
            Order.state.in_(OPEN),
            Order.number.in_(numbers),
        )
    )
    own = {entry.number for entry in issued if bank in draft_of(entry).recipients}
    return own | set(from_folder)
