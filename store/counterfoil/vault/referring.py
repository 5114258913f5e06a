"""Vouchers that name other vouchers: judged by what this vault holds of both.

What is named is found in the book of keys, which sorts by what a name states. Who
names it stands in an index of its own, for the names that are counted: one voucher
names another once and for all, so nothing is ever taken out of it, and whether who
names it is still in force, the book of keys tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from counterfoil.app.ports import Entry
from counterfoil.domain.document import Document
from counterfoil.domain.naming import Naming, ReferenceMeasure, ReferenceNeed
from counterfoil.domain.naming_refusals import (
    ReferenceDiffers,
    ReferenceExceeded,
    ReferenceTaken,
    ReferenceUnsettled,
    ReferenceVoid,
)
from counterfoil.domain.refusals import ReferenceMissing, VaultCorrupt
from counterfoil.domain.rules import reference
from counterfoil.domain.standing import Role, Standing
from counterfoil.domain.value import value
from counterfoil.domain.violation import Violation
from counterfoil.domain.voucher import VoucherKey
from counterfoil.vault.records import Title, common_name, split_book_key
from counterfoil.vault.transaction import Transaction


@value
class _Named:
    """One side of a voucher that may be the one that is named.

    Attributes:
        role: The side.
        standings: Where it stands there.
        amount_fen: Its amount.
        parties: Its issuer and all its recipients; None where only its issuer's vault
            knows them all.
    """

    role: Role
    standings: tuple[Standing, ...]
    amount_fen: int
    parties: frozenset[str] | None

    def may_concern(self, party: str) -> bool:
        """Tell whether a party may have a part in it, as far as this vault knows."""
        return self.parties is None or party in self.parties


def require_names(tx: Transaction, document: Document, side: Role) -> None:
    """Check every name that a voucher states.

    Its issuer's vault must hold what is named, as far as the catalogue says so. Its
    recipient's refuses contradiction only, never absence. Whoever has no part in a
    voucher of ours does not name it, whatever number he states: else the one bank could
    use up what the other may give back.

    Args:
        tx: The state of the vault.
        document: The voucher.
        side: On which side of it this vault is.

    Raises:
        ReferenceMissing: What is named is not here.
        ReferenceVoid: It was rejected, returned or discarded.
        ReferenceUnsettled: It has not come to what is needed.
        ReferenceDiffers: Its amount is another one.
        ReferenceTaken: Another voucher names it already.
        ReferenceExceeded: All parts together are more than it.
    """
    for naming in document.names:
        _require_name(tx, document, naming, side)


def remember_names(tx: Transaction, document: Document, opened: int) -> None:
    """Remember the names that are counted, of a voucher that `opened` opens."""
    for name, amount_fen in counted_names(document):
        tx.put_reference(name, opened, amount_fen)


def counted_names(document: Document) -> Iterator[tuple[bytes, int]]:
    """Yield under which common names a voucher is remembered, with which amounts."""
    for naming in document.names:
        if naming.is_counted:
            for name in _names(document.key, naming):
                yield name, naming.amount_fen


def _require_name(
    tx: Transaction, document: Document, naming: Naming, side: Role
) -> None:
    party = document.by if side is Role.ISSUER else ""
    found = [
        one
        for name in _names(document.key, naming)
        for one in _sides(tx.entries_named(name), party)
        if one.may_concern(document.by)
    ]
    if not found:
        if party and naming.need is not ReferenceNeed.NOTHING:
            raise ReferenceMissing(*_told(naming, "is not here", "不在本库"))
        return
    alive = [one for one in found if not reference.is_dead(one.standings)]
    if not alive:
        raise ReferenceVoid(
            *_told(naming, "was rejected, returned or discarded", "已拒签、退回或作废")
        )
    has_come = reference.has_come_to if party else reference.may_be_known
    fitting = [one for one in alive if has_come(naming.need, one.role, one.standings)]
    if not fitting:
        raise ReferenceUnsettled(
            *_told(naming, "has not come to what this needs", "尚未办结")
        )
    if naming.measure is ReferenceMeasure.EQUAL:
        fen = naming.amount_fen
        fitting = [one for one in fitting if reference.equals(one.amount_fen, fen)]
        if not fitting:
            raise ReferenceDiffers(*_told(naming, "has another amount", "金额不符"))
    if naming.is_counted:
        _require_room(naming, fitting, _parts(tx, document.key, naming, fitting))


def _require_room(
    naming: Naming, fitting: Sequence[_Named], parts: Sequence[int]
) -> None:
    """Check that what is named may be named once more, with this amount."""
    if naming.once:
        # Who states another amount names another one of those that bear the number.
        same = [fen for fen in parts if reference.equals(fen, naming.amount_fen)]
        if not reference.is_free(len(fitting), len(same)):
            raise ReferenceTaken(
                *_told(naming, "is named by another voucher", "已被另一凭证引用")
            )
    if naming.measure is ReferenceMeasure.PART:
        wholes = [one.amount_fen for one in fitting]
        if not reference.parts_hold(wholes, [*parts, naming.amount_fen]):
            raise ReferenceExceeded(
                *_told(
                    naming, "is less than all its parts together", "累计金额已超过原额"
                )
            )


def _names(key: VoucherKey, naming: Naming) -> list[bytes]:
    """Return the common names of what may be meant.

    A refund gives back quota of the year in which it was paid, so both are of one
    fiscal year, whenever it is dated.
    """
    return [
        common_name(key.adm_div, key.fiscal_year, type_code, naming.number)
        for type_code in naming.types
    ]


def _sides(entries: Iterable[tuple[bytes, Entry]], party: str) -> Iterator[_Named]:
    """Yield one side of each voucher, of those in which the party has a part."""
    entries = list(entries)
    everybody = _everybody(entries)
    seen: set[bytes] = set()
    for encoded, entry in entries:
        key, role = split_book_key(encoded)
        if key in seen:
            continue
        passages = entry.passages
        if party and role is Role.ISSUER:
            concerned = passages if VoucherKey.from_bytes(key).issuer == party else ()
        elif party:
            concerned = tuple([one for one in passages if one.recipient == party])
        else:
            concerned = passages
        if concerned:
            seen.add(key)
            yield _Named(
                role=role,
                standings=tuple([one.standing for one in concerned]),
                amount_fen=entry.amount_fen,
                parties=everybody.get(key),
            )


def _everybody(entries: Iterable[tuple[bytes, Entry]]) -> dict[bytes, frozenset[str]]:
    """Return issuer and recipients of the vouchers that were issued here."""
    found = {}
    for encoded, entry in entries:
        key, role = split_book_key(encoded)
        if role is Role.ISSUER:
            issuer = VoucherKey.from_bytes(key).issuer
            recipients = [passage.recipient for passage in entry.passages]
            found[key] = frozenset([issuer, *recipients])
    return found


def _parts(
    tx: Transaction, key: VoucherKey, naming: Naming, named: Sequence[_Named]
) -> list[int]:
    """Return what other vouchers of the same kind that are in force state of these."""
    found: dict[bytes, int] = {}
    over = {key.to_bytes()}
    for opened, amount_fen in _references(tx, key, naming):
        title = _title(tx, opened)
        entry = tx.entry(title.key, title.role)
        if entry is None or entry.document != opened:
            # Withdrawn, and perhaps sealed anew.
            continue
        other = VoucherKey.from_bytes(title.key)
        if other.type_code != key.type_code:
            continue
        if not any(one.may_concern(other.issuer) for one in named):
            continue
        found[title.key] = amount_fen
        standings = [passage.standing for passage in entry.passages]
        # Both of its sides may stand here: what is over on one of them is over.
        if not reference.is_in_force(title.role, standings, lapses=naming.lapses):
            over.add(title.key)
    return [fen for stated, fen in found.items() if stated not in over]


def _references(
    tx: Transaction, key: VoucherKey, naming: Naming
) -> Iterator[tuple[int, int]]:
    for name in _names(key, naming):
        yield from tx.references(name)


def _title(tx: Transaction, opened: int) -> Title:
    row = tx.row(opened)
    if row is None or row.title is None:
        raise VaultCorrupt("a name is of no voucher", leaf=str(opened))
    return row.title


def _told(naming: Naming, text: str, text_zh: str) -> tuple[str, list[Violation]]:
    """Return what a refusal says, and at which field."""
    return f"the voucher that it names {text}", [
        Violation(
            path=naming.path,
            rule="reference.voucher",
            text=f"the voucher {text}",
            text_zh=f"所引用的凭证{text_zh}",
        )
    ]
