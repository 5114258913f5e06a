"""A small voucher as texts, and the file around it, made without the codec."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from random import Random

import pytest

from counterfoil.sample.documents import envelope, file_of, inner_document
from counterfoil.sample.vouchers import Voucher, VoucherMaker


@pytest.fixture
def voucher() -> Voucher:
    """A direct payment with two rows or a few more."""
    chance = Random(5)  # noqa: S311 -- a seed, no secret
    return VoucherMaker(chance, year=2026, banks=["420000-102"]).make(rows_min=2)


@pytest.fixture
def body(voucher: Voucher) -> bytes:
    return file_of(voucher)


Rewrite = Callable[[Callable[[str], str]], bytes]


@pytest.fixture
def rewritten(voucher: Voucher) -> Rewrite:
    """Return the file with its inner document changed as text."""

    def rewrite(change: Callable[[str], str]) -> bytes:
        inner = inner_document(voucher).decode("gbk")
        changed = change(inner)
        assert changed != inner, "the change changed nothing"
        key = {
            name: voucher.main[name]
            for name in ("AdmDivCode", "StYear", "VtCode", "VoucherNo")
        }
        return envelope(key, changed.encode("gbk"))

    return rewrite


@pytest.fixture
def outer() -> Callable[..., bytes]:
    """Return a file around any bytes that call themselves a voucher."""

    def build(
        inner: bytes = b'<?xml version="1.0" encoding="GBK"?><Voucher></Voucher>',
        *,
        flag: str = "0",
        vt_code: str = "5201",
        count: str = "1",
        more: str = "",
    ) -> bytes:
        return (
            '<?xml version="1.0" encoding="GBK"?>'
            f"<MOF><VoucherCount>{count}</VoucherCount>"
            f'<VoucherBody AdmDivCode="420000" StYear="2026" VtCode="{vt_code}"'
            f' VoucherNo="1"><VoucherFlag>{flag}</VoucherFlag>{more}'
            f"<Voucher>{b64encode(inner).decode()}</Voucher></VoucherBody></MOF>"
        ).encode("gbk")

    return build
