"""Finding the voucher that a desk asks about, if it is this desk's business."""

from __future__ import annotations

from counterfoil.app.ports import Entry, Vault
from counterfoil.domain.refusals import VoucherNotFound
from counterfoil.domain.standing import Role
from counterfoil.domain.voucher import VoucherKey


def find_entry(vault: Vault, key: VoucherKey, digest: bytes, party: str) -> Entry:
    """Return the entry of a voucher that `party` issued or received here.

    Raises:
        VoucherNotFound: There is none with these bytes, or it is others' business.
    """
    entry = vault.entry(key)
    if entry is None or entry.digest != digest:
        raise VoucherNotFound("no such voucher in this vault", number=key.number)
    concerned = {passage.recipient for passage in entry.passages} | {key.issuer}
    if party not in concerned:
        raise VoucherNotFound("no such voucher in this vault", number=key.number)
    return entry


def check_role(entry: Entry, role: Role, key: VoucherKey) -> None:
    """Check that this vault keeps a voucher as its issuer's or its recipient's.

    Raises:
        VoucherNotFound: It keeps the other side.
    """
    if entry.role is not role:
        side = "issuer" if role is Role.ISSUER else "recipient"
        raise VoucherNotFound(
            f"this desk is not the voucher's {side}", number=key.number
        )
