"""Business that nobody brings: payees' banks give back money, by chance."""

from __future__ import annotations

from random import Random
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfoil.bank.journal import RECEIPTED, Payment, voucher_of
from counterfoil.bank.kinds import WAYS, Office
from counterfoil.bank.lines import lines_of
from counterfoil.bank.refunds import Match, NotRefundable, came_back

REASONS: Final = ("收款人账号与户名不符", "收款人账户已销户", "重复付款，收款人退回")
READ_AT_ONCE: Final = 500
"""Payments that are looked through together."""
_DRAWN_EACH: Final = 8
"""Payments that are drawn for a refund: of some, money came back before."""


def invent_refunds(
    session: Session, office: Office, count: int, seed: int, day: str
) -> int:
    """Let money come back for some paid rows: half of them whole, half in part.

    Which, follows from the seed and the books, so a run can be repeated. Of all that
    was paid no more than a few payments for each refund are in memory.

    Args:
        session: One transaction.
        office: Who we are.
        count: How many refunds.
        seed: Changes which rows are hit.
        day: Today in China, `yyyymmdd`.

    Returns:
        How many came back: fewer if less was paid, or most of it came back before.
    """
    chance = Random(seed)  # noqa: S311 -- a simulation
    done = 0
    for digest in _drawn(session, chance, count * _DRAWN_EACH):
        if done == count:
            break
        payment = session.get_one(Payment, digest)
        line = chance.choice(lines_of(voucher_of(payment).form))
        whole = chance.random() < 1 / 2
        amount_fen = line.amount_fen if whole else (line.amount_fen + 1) // 2
        match = Match(
            number=payment.number, row_id=line.row_id, type_code=payment.type_code
        )
        try:
            came_back(session, office, match, (amount_fen, chance.choice(REASONS)), day)
        except NotRefundable:
            continue  # it came back before, or its number is not the only one
        done += 1
    return done


def _drawn(session: Session, chance: Random, count: int) -> list[bytes]:
    """Return digests of some payments that money can come back of, in any order."""
    paid = Payment.state.in_(RECEIPTED), Payment.type_code.in_(WAYS)
    total = session.scalar(select(func.count()).where(*paid)) or 0
    places = chance.sample(range(total), min(count, total))
    wanted = set(places)
    digests = session.scalars(
        select(Payment.digest)
        .where(*paid)
        .order_by(Payment.type_code, Payment.issuer, Payment.number, Payment.issue)
        .execution_options(yield_per=READ_AT_ONCE)
    )
    found = {place: digest for place, digest in enumerate(digests) if place in wanted}
    return [found[place] for place in places]
