"""A list (清单) against the receipts of its day: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from counterfoil.business.codes import wire_code
from counterfoil.business.money import to_yuan
from counterfoil.office import Voucher
from counterfoil.treasury.kinds import LISTED


@dataclass(frozen=True, slots=True, order=True)
class Receipted:
    """A voucher that we gave a receipt for.

    Attributes:
        number: Its number.
        amount_fen: Amount of the receipt.
    """

    number: str
    amount_fen: int


def differences(listing: Voucher, receipted: Iterable[Receipted]) -> Iterator[str]:
    """Yield where a list and our receipts differ, in Chinese; nothing if nowhere.

    1. Every row names the kind that the list is for.
    2. Every row is a receipt of ours, with its amount, once.
    3. No receipt is missing.

    Count and total follow: the gateway holds `AllNum` and `AllAmt` to the rows.

    Source: Hubei measures, articles 26 (3), 27 (4) 4 and 27 (5) 5: the list is made
    from receipts that agree, and the treasury checks it (核对无误) before its seal.

    Args:
        listing: The list, 5551, 5552 or 5553.
        receipted: The receipts of its day that no other list names.
    """
    wanted = wire_code(LISTED[listing.key.type_code])
    rows = Counter(
        Receipted(str(row["ori_voucher_no"]), int(row["pay_amt_fen"]))
        for row in listing.form.rows
    )
    ours = Counter(receipted)
    # (1) A refund's number may be a payment's too.
    if any(str(row["ori_vt_code"]) != wanted for row in listing.form.rows):
        yield f"清单明细的凭证类型应为{wanted}"
    # (2) What we did not receipt so is not to be sealed by us.
    known = {one.number: one.amount_fen for one in ours}
    for row in sorted((rows - ours).elements()):
        if row in ours:
            yield f"凭证{row.number}重复列示"
        elif row.number in known:
            yield (
                f"凭证{row.number}金额{to_yuan(row.amount_fen)}元与回单"
                f"{to_yuan(known[row.number])}元不符"
            )
        else:
            yield f"凭证{row.number}无可列示的回单"
    # (3) A receipt that no list names is in nobody's accounts.
    numbers = {row.number for row in rows}
    missing = sorted(one.number for one in ours - rows if one.number not in numbers)
    if missing:
        yield f"清单缺少凭证{'、'.join(missing)}"
