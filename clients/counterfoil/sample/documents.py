"""Writes a voucher as a national file, from plain strings."""

from __future__ import annotations

from base64 import b64encode
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from counterfoil.sample.vouchers import Voucher

DECLARATION: Final = '<?xml version="1.0" encoding="GBK"?>\n'
KEY: Final = ("AdmDivCode", "StYear", "VtCode", "VoucherNo")


def inner_document(voucher: Voucher) -> bytes:
    """Return the `Voucher` document."""
    rows = "".join(f"<Detail>{_elements(row)}</Detail>" for row in voucher.rows)
    return (
        f"{DECLARATION}<Voucher>{_elements(voucher.main)}"
        f"<DetailList>{rows}</DetailList></Voucher>"
    ).encode("gbk")


def file_of(voucher: Voucher) -> bytes:
    """Return a whole file with this one voucher."""
    key = {name: voucher.main[name] for name in KEY}
    return envelope(key, inner_document(voucher))


def envelope(
    key: dict[str, str], inner: bytes, *, root: str = "MOF", prolog: str = ""
) -> bytes:
    """Return the outer document around an inner one."""
    attributes = "".join(f" {name}={quoteattr(text)}" for name, text in key.items())
    return (
        f"{DECLARATION}{prolog}<{root}><VoucherCount>1</VoucherCount>"
        f"<VoucherBody{attributes}><VoucherFlag>0</VoucherFlag>"
        f"<Return_Reason></Return_Reason><Attach></Attach>"
        f"<Voucher>{b64encode(inner).decode()}</Voucher></VoucherBody></{root}>"
    ).encode("gbk")


def _elements(texts: dict[str, str]) -> str:
    return "".join(
        f"<{element}>{escape(text)}</{element}>" for element, text in texts.items()
    )
