"""Documents of our vault as national documents."""

from __future__ import annotations

from counterfoil.domain.refusals import FormRefused
from counterfoil.sealed.v1 import voucher_pb2
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.documents import form_of
from counterfoil.wire.national_errors import NationalXmlRefused
from counterfoil.wire.national_receipt import join_receipt
from counterfoil.wire.national_text import Encoding
from counterfoil.wire.national_voucher import NationalVoucher
from counterfoil.wire.national_write import write_national
from counterfoil.wire.sealed import open_sealed


def national_document(sealed: bytes, receipt: bytes, encoding: str) -> bytes:
    """Return a voucher, or its receipt, as a national document.

    Args:
        sealed: The sealed voucher; empty if the receipt encloses it.
        receipt: Its sealed receipt; empty without one.
        encoding: `GBK` or `GB18030`.

    Raises:
        FormRefused: It has a character that the encoding lacks, or control
            characters, which XML cannot say.
    """
    answered = open_sealed(receipt) if receipt else None
    if not sealed:
        assert answered is not None, "one of the two is there"
        sealed = answered.enclosures[0]
    voucher = voucher_pb2.Voucher.FromString(open_sealed(sealed).payload)
    key = voucher.key
    national = NationalVoucher(
        adm_div_code=key.adm_div,
        st_year=str(key.fiscal_year),
        vt_code=CATALOGUE.row(key.type).wire_code,
        voucher_no=key.number,
        form=form_of(voucher)[1],
    )
    if answered is not None:
        filled_in = voucher_pb2.Receipt.FromString(answered.payload)
        national = join_receipt(national, form_of(filled_in)[1])
    try:
        return write_national([national], encoding=Encoding(encoding))
    except NationalXmlRefused as refused:
        raise FormRefused(
            "the form cannot be written as a national document", refused.violations
        ) from refused
