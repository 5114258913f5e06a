"""Documents of our own: they enter the vault, go into lanes, or leave the books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from counterfoil.app.ports import Entry, make_entry, make_passage
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import (
    Enter,
    Outcome,
    Send,
    Withdraw,
    make_recorded,
)
from counterfoil.domain.document import Document
from counterfoil.domain.refusals import (
    NotInState,
    PartyUnknown,
    VoucherKeyReused,
    VoucherNotFound,
    WithdrawalOutOfOrder,
)
from counterfoil.domain.standing import (
    FROM_ISSUER,
    VOID,
    Act,
    Role,
    Standing,
    side_of,
)
from counterfoil.domain.voucher import VoucherKey
from counterfoil.vault.judging import (
    all_to,
    document_leaf,
    key_of_step,
    known,
    moved,
    moves_of,
    position_of,
    require_issue_order,
    require_one_receipt,
    voucher_leaf,
)
from counterfoil.vault.permitting import require_own_seals
from counterfoil.vault.records import Changes, make_lane_row, make_title
from counterfoil.vault.referring import remember_names, require_names
from counterfoil.vault.transaction import Transaction

_ENDS_WAITING = frozenset(
    {DocumentKind.ACCEPTANCE, DocumentKind.REJECTION, DocumentKind.RETURN}
)
"""Kinds after which the voucher no longer waits to be read by its recipient."""


def enter(tx: Transaction, deed: Enter) -> Outcome:
    """Take in a document of a party hosted here.

    Raises:
        Refused: It contradicts the books or is out of turn.
    """
    require_own_seals(tx.register, deed.document, tx.time_us)
    if deed.document.kind is DocumentKind.VOUCHER:
        return _enter_voucher(tx, deed)
    return _enter_step(tx, deed)


def send(tx: Transaction, deed: Send) -> Outcome:
    """Put a voucher of ours into its lanes.

    Raises:
        VoucherNotFound: It is not in the books with this digest, or not ours.
        NotInState: It is void.
        PartyUnknown: A recipient has no lane.
    """
    entry = tx.entry(deed.key, Role.ISSUER)
    if entry is None or entry.digest != deed.digest:
        raise VoucherNotFound("no such voucher of ours", key=str(deed.key))
    for passage in entry.passages:
        if passage.standing in VOID:
            raise NotInState(
                "a void voucher is not sent", state=passage.standing.name, act="SEND"
            )
    return _send(tx, deed.key, entry, deed.lanes)


def withdraw(tx: Transaction, deed: Withdraw) -> Outcome:
    """Strike a voucher that was never sent out of the books.

    Raises:
        VoucherNotFound: It is not in the books with this digest, or not ours.
        WithdrawalOutOfOrder: It was sent or discarded.
    """
    entry = tx.entry(deed.key, Role.ISSUER)
    if entry is None or entry.digest != deed.digest:
        raise VoucherNotFound("no such voucher of ours", key=str(deed.key))
    for passage in entry.passages:
        if passage.standing is not Standing.SEALED:
            raise WithdrawalOutOfOrder(
                "only a voucher that was never sent can be withdrawn",
                state=passage.standing.name,
            )
    moves = all_to(Standing.DRAFT, len(entry.passages))
    leaf = voucher_leaf(tx, Act.WITHDRAW, entry, by=deed.key.issuer)
    index = tx.append(leaf, opened=entry.document, changes=moves)
    tx.strike_entry(deed.key, Role.ISSUER)
    return make_recorded(leaf=index, standing=Standing.DRAFT, time_us=tx.time_us)


def _enter_voucher(tx: Transaction, deed: Enter) -> Outcome:
    document = deed.document
    key = document.key.to_bytes()
    entry = tx.entry(key, Role.ISSUER)
    if entry is not None:
        if entry.digest != document.digest:
            raise VoucherKeyReused("the key is used", key=str(document.key))
        if deed.send:
            return _send(tx, document.key, entry, deed.lanes)
        return known(tx, entry.document, entry.passages[0].standing)
    tx.register.require_agreed(
        document.by, document.recipients, document.key.type_code, tx.time_us
    )
    require_issue_order(tx, document, Role.ISSUER)
    if document.names:
        require_names(tx, document, Role.ISSUER)
    if deed.send:
        _require_lanes(document.recipients, deed.lanes)
    remember_names(tx, document, tx.size)
    index = tx.size
    act, standing, carriers = Act.ENTER, Standing.SEALED, {}
    if deed.send:
        act, standing = Act.ENTER_AND_SEND, Standing.SENT
        carriers = carriers_of(document.recipients, deed.lanes)
    tx.append(
        document_leaf(tx, act, document),
        title=make_title(
            key=key,
            role=Role.ISSUER,
            amount_fen=document.amount_fen,
            count=document.count,
            recipients=document.recipients,
        ),
        changes=all_to(standing, len(document.recipients)),
        carriers=tuple(carriers),
        sealed=document.sealed,
    )
    tx.put_entry(key, _opened(document, index, standing))
    if carriers:
        _exchange(tx, document, index, carriers, opened=index)
    return make_recorded(leaf=index, standing=standing, time_us=tx.time_us)


def _opened(document: Document, index: int, standing: Standing) -> Entry:
    return make_entry(
        role=Role.ISSUER,
        digest=document.digest,
        document=index,
        amount_fen=document.amount_fen,
        count=document.count,
        passages=tuple(
            [
                make_passage(recipient=recipient, standing=standing, leaf=index)
                for recipient in document.recipients
            ]
        ),
    )


def _send(
    tx: Transaction, key: VoucherKey, entry: Entry, lanes: Mapping[str, str]
) -> Outcome:
    everyone = range(len(entry.passages))
    moves = moves_of(Role.ISSUER, entry, everyone, Act.SEND, DocumentKind.VOUCHER)
    if not moves:
        first = entry.passages[0]
        return known(tx, first.leaf, first.standing)
    recipients = [entry.passages[at].recipient for at, _ in moves]
    tx.register.require_agreed(key.issuer, recipients, key.type_code, tx.time_us)
    _require_lanes(recipients, lanes)
    leaf = voucher_leaf(tx, Act.SEND, entry, by=key.issuer)
    carriers = carriers_of(recipients, lanes)
    index = tx.append(
        leaf, opened=entry.document, changes=moves, carriers=tuple(carriers)
    )
    tx.put_entry(key, moved(entry, moves, index))
    for carrier, names in carriers.items():
        row = make_lane_row(
            document=entry.document,
            opened=entry.document,
            kind=DocumentKind.VOUCHER,
            digest=entry.digest,
            subject=entry.digest,
            key=key.to_bytes(),
            by=leaf.by,
            recipients=names,
        )
        tx.push(carrier, index, row)
        tx.count_exchanged(carrier, entry.digest)
    return make_recorded(leaf=index, standing=Standing.SENT, time_us=tx.time_us)


def _enter_step(tx: Transaction, deed: Enter) -> Outcome:
    document = deed.document
    entry = _voucher_of_step(tx, document)
    concerned = _concerned(entry, document)
    first = entry.passages[concerned[0]]
    place = key_of_step(entry.document, document)
    before = tx.step(place)
    if before is not None:
        return known(tx, before, first.standing)
    require_one_receipt(document, first)
    moves = moves_of(entry.role, entry, concerned, Act.ENTER, document.kind)
    if not moves and document.kind is not DocumentKind.RETURN_REQUEST:
        return known(tx, first.leaf, first.standing)
    carriers = carriers_of(document.recipients, deed.lanes)
    recipients = document.by if entry.role is Role.RECIPIENT else ""
    index = tx.append(
        document_leaf(tx, Act.ENTER, document, recipients),
        opened=entry.document,
        changes=moves,
        carriers=tuple(carriers),
        sealed=document.sealed,
    )
    tx.put_step(place, index)
    _write_step(tx, document, entry, moves, index)
    _exchange(tx, document, index, carriers, opened=entry.document)
    standing = moves[0][1] if moves else first.standing
    return make_recorded(leaf=index, standing=standing, time_us=tx.time_us)


def _write_step(
    tx: Transaction, document: Document, entry: Entry, moves: Changes, index: int
) -> None:
    """Write what an entered step changes about its voucher."""
    if moves:
        receipt = document.digest if document.kind is DocumentKind.RECEIPT else None
        tx.put_entry(document.key, moved(entry, moves, index, receipt=receipt))
    if document.kind in _ENDS_WAITING:
        tx.take_off(document.by, entry.document)


def _voucher_of_step(tx: Transaction, document: Document) -> Entry:
    """Return the voucher that a step of our own is about.

    Raises:
        VoucherNotFound: It is not in the books with this digest, or another's.
    """
    entry = tx.entry(document.key, side_of(document.kind))
    if entry is None or entry.digest != document.subject:
        raise VoucherNotFound("no such voucher", key=str(document.key))
    if document.kind in FROM_ISSUER and document.by != document.key.issuer:
        raise VoucherNotFound("the voucher is another's", key=str(document.key))
    return entry


def _concerned(entry: Entry, document: Document) -> tuple[int, ...]:
    """Return the positions of the passages that a step of our own concerns."""
    if entry.role is Role.ISSUER:
        return tuple(range(len(entry.passages)))
    position = position_of(entry, document.by)
    if position is None:
        raise VoucherNotFound("the voucher is another's", key=str(document.key))
    return (position,)


def _require_lanes(recipients: Iterable[str], lanes: Mapping[str, str]) -> None:
    for recipient in recipients:
        if recipient not in lanes:
            raise PartyUnknown("no lane leads to the recipient", party=recipient)


def carriers_of(
    recipients: Iterable[str], lanes: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Return for each carrier the recipients that its lane leads to."""
    carriers: dict[str, tuple[str, ...]] = {}
    for recipient in recipients:
        if recipient in lanes:
            carrier = lanes[recipient]
            carriers[carrier] = (*carriers.get(carrier, ()), recipient)
    return carriers


def _exchange(
    tx: Transaction,
    document: Document,
    index: int,
    carriers: Mapping[str, tuple[str, ...]],
    *,
    opened: int,
) -> None:
    """Put a document into its lanes, and into the sums that are kept for peers."""
    push_document(tx, document, index, carriers, opened=opened)
    for carrier in carriers:
        tx.count_exchanged(carrier, document.digest)


def push_document(
    tx: Transaction,
    document: Document,
    index: int,
    carriers: Mapping[str, tuple[str, ...]],
    *,
    opened: int,
) -> None:
    """Put a document that has just become a leaf into the lanes of its carriers.

    Args:
        tx: The transaction.
        document: The document.
        index: Its leaf.
        carriers: The recipients that each carrier's lane leads to.
        opened: Leaf of the document that its book of keys was opened with.
    """
    for carrier, names in carriers.items():
        row = make_lane_row(
            document=index,
            opened=opened,
            kind=document.kind,
            digest=document.digest,
            subject=document.subject,
            key=document.key.to_bytes(),
            by=document.by,
            recipients=names,
        )
        tx.push(carrier, index, row)
