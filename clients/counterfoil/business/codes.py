"""Codes by which every system's vouchers name the same things."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

_WIRE: Final = 10_000


def wire_code(type_code: int) -> str:
    """Return the four digits by which a document names a kind, e.g. `5301`."""
    return f"{type_code % _WIRE:04}"


class PaymentWay(StrEnum):
    """Way of payment (支付方式); each has an allotment and a quota of its own."""

    DIRECT = "11"
    """直接支付."""
    AUTHORISED = "12"
    """授权支付."""

    @property
    def chinese(self) -> str:
        """What people call it."""
        return "直接支付" if self is PaymentWay.DIRECT else "授权支付"


_WAYS: Final[Mapping[str, PaymentWay]] = {
    "11": PaymentWay.DIRECT,
    "001001": PaymentWay.DIRECT,
    "12": PaymentWay.AUTHORISED,
    "001002": PaymentWay.AUTHORISED,
}


def way_of(code: str) -> PaymentWay | None:
    """Return the way that a `PayTypeCode` names; None if it names none of ours."""
    return _WAYS.get(code)
