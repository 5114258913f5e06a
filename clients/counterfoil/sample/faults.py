"""Breaks vouchers on purpose, one rule at a time, and says what must be found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from counterfoil.sample.documents import KEY, envelope, file_of, inner_document
from counterfoil.sample.vouchers import Voucher, yuan

_ENVELOPE: Final = "MOF"
_DOCUMENT: Final = "MOF/VoucherBody[1]/Voucher"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break a voucher.

    Attributes:
        kind: Its name in the manifest.
        where: `xml` if the file cannot be read, `form` if its content is wrong.
        path: Where the gateway must say it is wrong.
        rule: Which rule it must name.
        apply: Breaks the voucher and returns the file.
    """

    kind: str
    where: str
    path: str
    rule: str
    apply: Callable[[Voucher], bytes]


def _key(voucher: Voucher) -> dict[str, str]:
    return {name: voucher.main[name] for name in KEY}


def _fen(text: str) -> int:
    return int(text.replace(".", ""))


def _sum(voucher: Voucher) -> bytes:
    voucher.main["PayAmt"] = yuan(_fen(voucher.main["PayAmt"]) + 1)
    return file_of(voucher)


def _date(voucher: Voucher) -> bytes:
    voucher.main["VouDate"] = f"{voucher.main['StYear']}0230"
    return file_of(voucher)


def _attribute(voucher: Voucher) -> bytes:
    other = _key(voucher) | {"VoucherNo": voucher.number[::-1]}
    return envelope(other, inner_document(voucher))


def _base64(voucher: Voucher) -> bytes:
    return file_of(voucher).replace(b"</Voucher>", b"*</Voucher>")


def _account(voucher: Voucher) -> bytes:
    voucher.rows[0]["PayeeAcctNo"] = "6222 0000 账号"
    return file_of(voucher)


def _missing(voucher: Voucher) -> bytes:
    del voucher.main["PayAcctName"]
    return file_of(voucher)


def _too_long(voucher: Voucher) -> bytes:
    voucher.rows[0]["PayeeAcctName"] = "长" * 61
    return file_of(voucher)


def _doctype(voucher: Voucher) -> bytes:
    prolog = '<!DOCTYPE MOF [<!ENTITY a "a"><!ENTITY b "&a;&a;&a;&a;">]>'
    return envelope(_key(voucher), inner_document(voucher), prolog=prolog)


def _not_positive(voucher: Voucher) -> bytes:
    voucher.rows[0]["PayAmt"] = "0.00"
    voucher.main["PayAmt"] = yuan(sum(_fen(row["PayAmt"]) for row in voucher.rows))
    return file_of(voucher)


def _row_ids(voucher: Voucher) -> bytes:
    voucher.rows[1]["Id"] = voucher.rows[0]["Id"]
    return file_of(voucher)


def _not_gbk(voucher: Voucher) -> bytes:
    # 0xFF begins no character of GBK.
    inner = inner_document(voucher).replace(b"<PayTypeName>", b"<PayTypeName>\xff", 1)
    return envelope(_key(voucher), inner)


def _root(voucher: Voucher) -> bytes:
    return envelope(_key(voucher), inner_document(voucher), root="Root")


FAULTS: Final = (
    Fault("sum", "form", "pay_amt_fen", "sum.rows", _sum),
    Fault("date", "form", "vou_date", "date.day", _date),
    Fault("attribute", "xml", f"{_DOCUMENT}/VoucherNo", "envelope.key", _attribute),
    Fault("base64", "xml", _DOCUMENT, "voucher.base64", _base64),
    Fault("account", "form", "rows[0].payee_acct_no", "string.pattern", _account),
    Fault("missing", "form", "pay_acct_name", "required", _missing),
    Fault("too_long", "form", "rows[0].payee_acct_name", "text.width", _too_long),
    Fault("doctype", "xml", _ENVELOPE, "xml.doctype", _doctype),
    Fault("not_positive", "form", "rows[0].pay_amt_fen", "amount.sign", _not_positive),
    Fault("row_ids", "form", "rows[1].id", "rows.id", _row_ids),
    Fault("not_gbk", "xml", _DOCUMENT, "xml.encoding", _not_gbk),
    Fault("root", "xml", _ENVELOPE, "envelope.root", _root),
)
"""All faults, in the order in which `--broken` uses them."""

ROWS_MIN: Final = 2
"""Rows that a voucher must have for every fault to be possible."""
