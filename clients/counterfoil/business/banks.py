"""The banks that a system works with, as its configuration lists them.

[[bank]]                     # any number
number = "102521000000"      # by which vouchers name it (行号)
party = "420000-102"
code = "102"                 # by which lists name it (`PayBankCode`), if any does
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """An agent bank (代理银行), or the bank of a special account.

    Attributes:
        number: Its bank number (行号), 12 digits, by which vouchers name it.
        party: Its party code.
        code: By which lists name it (`PayBankCode`); empty if none does.
    """

    number: str
    party: str
    code: str = ""


def banks_of(tables: Mapping[str, Any]) -> dict[str, Bank]:
    """Return the banks of a configuration, by their numbers.

    Raises:
        KeyError: One has no number or no party.
    """
    banks = [
        Bank(number=one["number"], party=one["party"], code=one.get("code", ""))
        for one in tables.get("bank", ())
    ]
    return {bank.number: bank for bank in banks}
