"""Whether a receipt agrees with its voucher (核销)."""

from __future__ import annotations

from typing import assert_never

from counterfoil.domain.catalogue import Comparison


def receipt_agrees(
    comparison: Comparison, voucher: tuple[int, int], receipt: tuple[int, int]
) -> bool:
    """Tell whether a receipt closes its voucher.

    Source: Hubei measures, articles 26 and 27: both systems compare amount and
    number of the receipts (金额、笔数).

    Args:
        comparison: By what they are compared.
        voucher: Amount in fen and number of rows of the voucher.
        receipt: The same of the receipt, as far as it states them.
    """
    match comparison:
        case Comparison.AMOUNT_AND_COUNT:
            return voucher == receipt
        case Comparison.AMOUNT:
            return voucher[0] == receipt[0]
        case Comparison.NOTHING:
            return True
        case Comparison.DIFFERS:
            return False
        case _:
            assert_never(comparison)
