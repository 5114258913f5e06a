"""What the paper of a payment at the bank's counter says (银行柜面).

The bank pays when it has both: the electronic voucher, and this paper under the unit's
ink seal. Number and check code are what its teller enters; the check code is of the
very bytes that were sealed.

Source: Hubei measures, article 27 (3) 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from counterfoil.business.money import to_yuan
from counterfoil.business.tables import OutboxEntry
from counterfoil.unit.kinds import DealMode, Office
from counterfoil.unit.tables import Request

CHECK_DIGITS: Final = 8
"""Hexadecimal digits of the digest that the paper shows."""


def check_code(digest: bytes) -> str:
    """Return the check code (校验码) of a voucher, by its payload's digest."""
    return digest.hex()[:CHECK_DIGITS].upper()


def paper_of(asked: Request, entry: OutboxEntry, office: Office) -> Iterator[str]:
    """Yield the lines of the paper.

    Raises:
        ValueError: The payment is none at the counter, or was not written yet.
    """
    if asked.mode is not DealMode.COUNTER:
        msg = f"{asked.number} is not paid at the counter"
        raise ValueError(msg)
    if not entry.digest:
        msg = f"{asked.number} was not sealed yet"
        raise ValueError(msg)
    account = office.accounts[asked.way]
    yield "财政授权支付凭证（银行柜面，一式两份）"
    yield f"凭证号 {asked.number}"
    yield f"校验码 {check_code(entry.digest)}"
    yield f"日期 {asked.day}"
    yield f"预算单位 {office.code} {office.name}"
    yield f"付款人 {account.name} {account.number} {account.bank}"
    for line in asked.lines:
        payee = f"{line.payee_name} {line.payee_account} {line.payee_bank}"
        yield f"收款人 {payee} {to_yuan(line.amount_fen)}元 {line.purpose}"
    yield f"合计 {to_yuan(asked.amount_fen)}元"
    yield "单位印章："
