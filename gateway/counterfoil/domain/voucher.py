"""A voucher's name in the books, and what the gateway must know of its content."""

from __future__ import annotations

import re
from typing import Final

from counterfoil.domain.value import maker, value

DIGEST_BYTES: Final = 32
"""Length of every digest: SHA-256."""

_NUMBER: Final = re.compile(r"[!-~]{1,42}", re.ASCII)
_ADM_DIV: Final = re.compile(r"[0-9]{6,9}", re.ASCII)
ISSUE_MAX: Final = 999
_YEARS: Final = range(2000, 3000)


def is_number(text: str) -> bool:
    """Tell whether a voucher can have this number."""
    return _NUMBER.fullmatch(text) is not None


@value
class VoucherKey:
    """A voucher's name in the books; used once, by one voucher.

    Attributes:
        issuer: Code of the party that issues it.
        adm_div: Administrative division, 6 to 9 digits.
        fiscal_year: 2000 to 2999.
        type_code: National or local type number, see the catalogue.
        number: 1 to 42 printable ASCII characters without space.
        issue: How often the number was issued, 1 to `ISSUE_MAX`.
    """

    issuer: str
    adm_div: str
    fiscal_year: int
    type_code: int
    number: str
    issue: int = 1

    def check(self) -> VoucherKey:
        """Return itself if it is well formed.

        Raises:
            ValueError: A part is out of its range.
        """
        well_formed = (
            is_number(self.number)
            and _ADM_DIV.fullmatch(self.adm_div)
            and self.fiscal_year in _YEARS
            and 1 <= self.issue <= ISSUE_MAX
        )
        if not well_formed:
            msg = f"not a voucher key: {self!r}"
            raise ValueError(msg)
        return self

    def to_bytes(self) -> bytes:
        """Return an encoding that sorts as the books do and is never ambiguous.

        Parts are separated by NUL, which none can contain; numbers of one year and
        type stand together in their own order, whoever issued them: other vouchers
        name them by no more (`docs/adr/0011`).
        """
        return (
            f"{self.adm_div}\0{self.fiscal_year}\0{self.type_code}\0{self.number}"
            f"\0{self.issuer}\0{self.issue:03}"
        ).encode()

    @staticmethod
    def from_bytes(encoded: bytes) -> VoucherKey:
        """Return the key that `to_bytes` encoded."""
        adm_div, year, type_code, number, issuer, issue = encoded.decode().split("\0")
        return make_voucher_key(
            issuer=issuer,
            adm_div=adm_div,
            fiscal_year=int(year),
            type_code=int(type_code),
            number=number,
            issue=int(issue),
        )

    @staticmethod
    def type_code_in(encoded: bytes) -> int:
        """Return the type of the key that `to_bytes` encoded."""
        return int(encoded.split(b"\0", 3)[2])

    def __str__(self) -> str:
        text = f"{self.issuer}/{self.fiscal_year}/{self.type_code}/{self.number}"
        return text if self.issue == 1 else f"{text}#{self.issue}"


make_voucher_key: Final = maker(VoucherKey)
