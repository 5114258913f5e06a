"""Acting on a voucher (办理): what it changes in the books, or why it cannot be done.

Everything happens in the session of the caller, which is one transaction: what is
decided on is what is changed.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from counterfoil.business.contents import content_of
from counterfoil.business.money import to_yuan
from counterfoil.business.outcomes import REASON_MAX
from counterfoil.business.rows import put
from counterfoil.office import Voucher
from counterfoil.treasury import (
    accounts,
    alerts,
    checks,
    clearing,
    closing,
    lists,
    quota,
)
from counterfoil.treasury.books import LOST, Incoming, Posting, QuotaChange, State
from counterfoil.treasury.entries import Entry, entry_of
from counterfoil.treasury.kinds import (
    APPLICATION,
    BOOKED,
    LISTED,
    ORDER,
    REFUND,
    Office,
)


def objections(session: Session, one: Incoming, office: Office) -> Iterator[str]:
    """Yield why a voucher that was read cannot be accepted; nothing if it can.

    What `checks` finds in the voucher alone; a number that is with us already; an
    application that another order names; and a list that differs from our receipts.
    """
    voucher = voucher_of(one)
    found = list(checks.objections(voucher, office))
    yield from found
    if accounts.same_number(session, one):
        yield "凭证号重复"
    if (
        not found
        and one.type_code == ORDER
        and accounts.orders_of(session, one, office)
    ):
        yield f"申请划款凭证{one.application}已有清算划款凭证"
    if one.type_code in LISTED:
        yield from _list_differences(session, one, voucher, office)


def partner_of(session: Session, order: Incoming, office: Office) -> Incoming | None:
    """Return the application that an order is to be cleared with.

    One that was given back counts only while no newer issue is there.
    """
    found = accounts.applications(session, order, office)
    living = [one for one in found if one.state not in LOST]
    return next(iter([*living, *found]), None)


def act(
    session: Session, one: Incoming, partner: Incoming | None, office: Office, day: str
) -> None:
    """Act on a voucher whose act has begun: book it, or note why not.

    Args:
        session: One transaction.
        one: The voucher, BEGUN; afterwards BOOKED or REFUSED.
        partner: Of an order: its application, BEGUN, which shares its fate.
        office: Who we are.
        day: Today in China, `yyyymmdd`.
    """
    together = [one] if partner is None else [one, partner]
    booked = closing.open_day(session, day)
    beyond = _beyond_quota(session, one)
    reasons = [*_hindrances(session, one, partner, office), *beyond]
    if beyond:
        alerts.note(session, day, f"凭证{one.number}未予办理：{'；'.join(beyond)}")
    for each in together:
        each.day = booked
        if reasons:
            each.state, each.note = State.REFUSED, "；".join(reasons)[:REASON_MAX]
        else:
            each.serial = accounts.next_serial(session)
            each.note = closing.reason(day, booked)
            each.state = State.BOOKED
            session.flush()  # the next serial number counts this one
    if not reasons:
        _book(session, one, office)


def voucher_of(one: Incoming) -> Voucher:
    """Return what a voucher in the books says."""
    content = content_of(one.sealed)
    assert isinstance(content, Voucher), "the books hold vouchers only"
    return content


def _hindrances(
    session: Session, one: Incoming, partner: Incoming | None, office: Office
) -> Iterator[str]:
    """Yield why the books do not allow an act; nothing if they do.

    1. An order equals its application (27 (4) 2).
    2. A list equals the receipts (26 (3), 27 (4) 4, 27 (5) 5).
    3. A refund gives back no more than was cleared (27 (5)).
    4. What is paid is in the single account (26 (2)).
    """
    voucher = voucher_of(one)
    # (1) Else finance orders what no bank asked for.
    if partner is not None:
        yield from clearing.differences(voucher, voucher_of(partner))
    # (2) Another list may have been booked since it was accepted.
    if one.type_code in LISTED:
        yield from _list_differences(session, one, voucher, office)
    if one.type_code not in BOOKED:
        return
    entry = entry_of(voucher)
    # (3) Else a quota grows that nobody gave.
    if one.type_code == REFUND:
        yield from _beyond_clearing(session, one, entry)
    # (4) Money that is not there cannot be paid.
    missing = -entry.account_fen - accounts.balance_fen(session)
    if entry.account_fen < 0 < missing:
        yield f"国库单一账户余额不足，缺{to_yuan(missing)}元"


def _beyond_clearing(session: Session, one: Incoming, entry: Entry) -> Iterator[str]:
    """Yield where a refund gives back more than was cleared, of a payment or at all."""
    for payment in sorted({change.payment for change in entry.changes} - {""}):
        back = {
            what.key: fen
            for what, fen in entry.changes.items()
            if what.payment == payment
        }
        used = accounts.cleared_for(session, one.bank_no, payment)
        for reason in quota.refunds_beyond(used, back):
            yield f"原支付凭证{payment}{reason}"
    used = accounts.cleared(session, one.bank_no)
    yield from quota.refunds_beyond(used, entry.quota)


def _beyond_quota(session: Session, one: Incoming) -> list[str]:
    """Return where what is taken from the quota is not there (27 (1) 2, 27 (4) 2)."""
    if one.type_code not in BOOKED:
        return []
    left = accounts.balances(session, one.bank_no)
    return list(quota.shortages(left, entry_of(voucher_of(one)).quota))


def _book(session: Session, one: Incoming, office: Office) -> None:
    """Write down what a voucher changes."""
    voucher = voucher_of(one)
    if one.type_code in LISTED:
        for listed in _of_the_list(session, one, voucher, office):
            listed.listed_in = one.digest
        return
    entry = entry_of(voucher)
    session.flush()  # what is put names the voucher
    put(
        session,
        [
            Posting(digest=one.digest, function=function, amount_fen=fen, day=one.day)
            for function, fen in entry.account.items()
        ],
    )
    put(
        session,
        [
            QuotaChange(
                digest=one.digest,
                fiscal_year=key.fiscal_year,
                bank_no=key.bank_no,
                way=key.way.value,
                function=key.function,
                unit=key.unit,
                fund=key.fund,
                payment=payment,
                amount_fen=fen,
            )
            for (key, payment), fen in entry.changes.items()
        ],
    )


def _list_differences(
    session: Session, one: Incoming, voucher: Voucher, office: Office
) -> Iterator[str]:
    code = voucher.form.text("pay_bank_code")
    if code and not any(bank.code == code for bank in office.banks.values()):
        yield f"代理银行编码{code}未登记"
        return
    yield from lists.differences(
        voucher,
        (
            lists.Receipted(each.number, each.amount_fen)
            for each in _of_the_list(session, one, voucher, office)
        ),
    )


def _of_the_list(
    session: Session, one: Incoming, voucher: Voucher, office: Office
) -> list[Incoming]:
    """Return what a list must name: of its day, and of its bank if it has one."""
    code = voucher.form.text("pay_bank_code")
    numbers = [bank.number for bank in office.banks.values() if code == bank.code]
    return accounts.to_be_listed(
        session, one, voucher.form.text("clear_date"), numbers if code else ()
    )


def is_alone(one: Incoming) -> bool:
    """Tell whether a voucher is acted on without another."""
    return one.type_code not in {APPLICATION, ORDER}
