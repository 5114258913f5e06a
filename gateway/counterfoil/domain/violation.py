"""What is wrong with one field, for a program and for two kinds of reader."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken rule at one place.

    Attributes:
        path: Where: a form's field such as `rows[3].payee_acct_name`, counted from
            0, or an XML path such as `MOF/VoucherBody[1]/Voucher`, counted from 1.
        rule: Which rule, as a stable name such as `sum.rows`.
        text: What is wrong, in English. Never states the value itself.
        text_zh: The same in Chinese.
    """

    path: str
    rule: str
    text: str
    text_zh: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"
