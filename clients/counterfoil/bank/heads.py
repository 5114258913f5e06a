"""How every voucher that the bank issues begins: its key, and what states it."""

from __future__ import annotations

from collections.abc import Sequence

from counterfoil.business.codes import wire_code
from counterfoil.office import Form, Voucher, VoucherKey
from counterfoil.office.vouchers import FieldValue

Fields = dict[str, FieldValue]


def voucher_of(
    key: VoucherKey,
    recipients: Sequence[str],
    day: str,
    fields: Fields,
    rows: Sequence[Fields],
) -> Voucher:
    """Return a voucher whose main part states its key.

    Args:
        key: Its name in the books.
        recipients: Who is to act.
        day: Its date (`VouDate`), `yyyymmdd`.
        fields: What else the main part says.
        rows: The rows.
    """
    head: Fields = {
        "adm_div_code": key.adm_div,
        "st_year": str(key.fiscal_year),
        "vt_code": wire_code(key.type_code),
        "vou_date": day,
        "voucher_no": key.number,
    }
    return Voucher(
        key=key,
        recipients=tuple(recipients),
        form=Form({**head, **fields}, tuple(rows)),
    )


def named(**fields: str) -> Fields:
    """Return fields of names and codes without those that are empty."""
    return {name: value for name, value in fields.items() if value}
