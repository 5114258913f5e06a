"""Finding the voucher that a desk asks about, if it is this desk's business."""

from __future__ import annotations

from collections.abc import Sequence

from counterfoil.app.ports import Entry, Vault
from counterfoil.domain.refusals import VoucherNotFound
from counterfoil.domain.standing import Role
from counterfoil.domain.voucher import VoucherKey


def find_entry(
    vault: Vault, key: VoucherKey, digest: bytes, party: str, role: Role
) -> Entry:
    """Return the entry of a voucher that `party` issued, or received, here.

    Raises:
        VoucherNotFound: There is none with these bytes, or it is others' business.
    """
    entry = vault.entry(key, role)
    if entry is None or entry.digest != digest or not is_side(entry, key, party):
        raise VoucherNotFound("no such voucher on this desk", number=key.number)
    return entry


def own_side(vault: Vault, key: VoucherKey, party: str) -> Entry | None:
    """Return the entry of a voucher on the side where `party` is, if it is on one."""
    for role in Role:
        entry = vault.entry(key, role)
        if entry is not None and is_side(entry, key, party):
            return entry
    return None


def own_sides(
    vault: Vault, keys: Sequence[VoucherKey], party: str
) -> list[Entry | None]:
    """Return for each voucher what `own_side` returns, by a few looks into the vault.

    Each side of all of them is read at one moment, and only where it was not found.
    """
    found: dict[VoucherKey, Entry] = {}
    for role in Role:
        missing = [key for key in keys if key not in found]
        entries = zip(missing, vault.entries(missing, role), strict=True)
        found |= {
            key: entry
            for key, entry in entries
            if entry is not None and is_side(entry, key, party)
        }
    return [found.get(key) for key in keys]


def is_side(entry: Entry, key: VoucherKey, party: str) -> bool:
    """Tell whether `party` is on the side of a voucher that an entry keeps."""
    if entry.role is Role.ISSUER:
        return party == key.issuer
    return any(passage.recipient == party for passage in entry.passages)
