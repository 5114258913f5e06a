"""A peer's documents arrive: judged one by one, in the order of the batch."""

from __future__ import annotations

from counterfoil.app.ports import Entry
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Arrive, Outcome, Recorded, make_recorded
from counterfoil.domain.document import Document
from counterfoil.domain.leaf import Leaf, make_leaf
from counterfoil.domain.refusals import (
    NotInState,
    NotTheIssuer,
    ReferenceMissing,
    VoucherKeyReused,
)
from counterfoil.domain.rules.receipt import receipt_agrees
from counterfoil.domain.standing import (
    FROM_ISSUER,
    FROM_RECIPIENT,
    Act,
    Role,
    Standing,
)
from counterfoil.vault.arrival import Arrival, append_step, open_book
from counterfoil.vault.copying import (
    arrive_copy,
    copy_beside_issuer,
    is_copy,
    require_original,
)
from counterfoil.vault.judging import (
    judged,
    key_of_step,
    known,
    moved,
    moves_of,
    position_of,
    require_issue_order,
    require_one_receipt,
)
from counterfoil.vault.referring import remember_names, require_names
from counterfoil.vault.registering import register_arrival
from counterfoil.vault.transaction import Transaction


def arrive(tx: Transaction, deed: Arrive) -> tuple[tuple[Outcome, ...], int, int]:
    """Take in a batch; return outcomes, index of the first new leaf, number of new.

    Comparing a receipt with its voucher is an act of ours and has a leaf of its
    own; so has giving its copy to a party that is hosted beside the issuer. These
    stand behind all leaves of arrival, so that the peer can be given one proof for
    the whole batch.
    """
    first_leaf = tx.size
    outcomes = [
        judged(_arrive_one, tx, Arrival(document, deed)) for document in deed.documents
    ]
    new_count = tx.size - first_leaf
    for at, (document, outcome) in enumerate(
        zip(deed.documents, outcomes, strict=True)
    ):
        if (
            document.kind is DocumentKind.RECEIPT
            and document.key.issuer in deed.hosted
            and isinstance(outcome, Recorded)
            and outcome.new
        ):
            outcomes[at] = _compare(tx, document, outcome)
            copy_beside_issuer(tx, Arrival(document, deed, again=True))
    return tuple(outcomes), first_leaf, new_count


def _arrive_one(tx: Transaction, arrival: Arrival) -> Outcome:
    kind = arrival.document.kind
    if kind is DocumentKind.VOUCHER:
        return _arrive_voucher(tx, arrival)
    if is_copy(arrival):
        return arrive_copy(tx, arrival)
    if kind in FROM_RECIPIENT:
        return _arrive_from_recipient(tx, arrival)
    if kind in FROM_ISSUER:
        return _arrive_from_issuer(tx, arrival)
    if kind is DocumentKind.REGISTRATION:
        return register_arrival(tx, arrival.document, arrival.carriers)
    raise NotInState("no document about a voucher", act=kind.name)


def _arrive_voucher(tx: Transaction, arrival: Arrival) -> Outcome:
    document = arrival.document
    key = document.key.to_bytes()
    entry = tx.entry(key, Role.RECIPIENT)
    if entry is not None:
        if entry.digest != document.digest:
            raise VoucherKeyReused("the key is used", key=str(document.key))
        if _is_discarded_unseen(tx, entry):
            raise NotInState(
                "it was discarded before it arrived",
                state=Standing.DISCARDED.name,
                act="ARRIVE VOUCHER",
            )
        return known(tx, entry.document, entry.passages[0].standing)
    ours = arrival.hosted.intersection(document.recipients)
    tx.register.require_agreed(document.by, ours, document.key.type_code, tx.time_us)
    require_issue_order(tx, document, Role.RECIPIENT)
    if document.names:
        require_names(tx, document, Role.RECIPIENT)
    index = open_book(tx, arrival, Standing.ARRIVED)
    remember_names(tx, document, index)
    return make_recorded(leaf=index, standing=Standing.ARRIVED, time_us=tx.time_us)


def _arrive_from_recipient(tx: Transaction, arrival: Arrival) -> Outcome:
    document = arrival.document
    entry = _voucher_of(tx, document, Role.ISSUER)
    position = position_of(entry, document.by)
    if position is None:
        raise NotTheIssuer("it is by no recipient of the voucher", by=document.by)
    passage = entry.passages[position]
    before = tx.step(key_of_step(entry.document, document))
    if before is not None:
        return known(tx, before, passage.standing)
    require_one_receipt(document, passage)
    if document.kind is DocumentKind.RECEIPT and arrival.copied_to():
        require_original(document)
    moves = moves_of(Role.ISSUER, entry, (position,), Act.ARRIVE, document.kind)
    index = append_step(tx, arrival, entry, moves, readers=(document.key.issuer,))
    if moves:
        receipt = document.digest if document.kind is DocumentKind.RECEIPT else None
        tx.put_entry(document.key, moved(entry, moves, index, receipt=receipt))
    standing = moves[0][1] if moves else passage.standing
    return make_recorded(leaf=index, standing=standing, time_us=tx.time_us)


def _arrive_from_issuer(tx: Transaction, arrival: Arrival) -> Outcome:
    document = arrival.document
    if document.by != document.key.issuer:
        raise NotTheIssuer("it is not by the voucher's issuer", by=document.by)
    if document.kind is DocumentKind.DISCARD and _is_unknown(tx, document):
        index = open_book(tx, arrival, Standing.DISCARDED)
        return make_recorded(
            leaf=index, standing=Standing.DISCARDED, time_us=tx.time_us
        )
    entry = _voucher_of(tx, document, Role.RECIPIENT)
    first = entry.passages[0]
    before = tx.step(key_of_step(entry.document, document))
    if before is not None:
        return known(tx, before, first.standing)
    everyone = range(len(entry.passages))
    moves = moves_of(Role.RECIPIENT, entry, everyone, Act.ARRIVE, document.kind)
    readers = [passage.recipient for passage in entry.passages]
    index = append_step(tx, arrival, entry, moves, readers)
    if moves:
        tx.put_entry(document.key, moved(entry, moves, index))
    standing = moves[0][1] if moves else first.standing
    return make_recorded(leaf=index, standing=standing, time_us=tx.time_us)


def _is_unknown(tx: Transaction, document: Document) -> bool:
    """Return whether the voucher that a step is about never arrived here."""
    return tx.entry(document.key, Role.RECIPIENT) is None


def _voucher_of(tx: Transaction, document: Document, role: Role) -> Entry:
    """Return the voucher that a step is about.

    Raises:
        ReferenceMissing: It is not here, not with this digest, or on this side.
    """
    entry = tx.entry(document.key, role)
    if entry is None or entry.digest != document.subject:
        raise ReferenceMissing("no such voucher here", key=str(document.key))
    return entry


def _is_discarded_unseen(tx: Transaction, entry: Entry) -> bool:
    """Return whether the entry was opened by a discard, not by its voucher."""
    if any(passage.standing is not Standing.DISCARDED for passage in entry.passages):
        return False
    row = tx.row(entry.document)
    return row is not None and Leaf.from_bytes(row.leaf).kind is DocumentKind.DISCARD


def _compare(tx: Transaction, receipt: Document, arrived: Recorded) -> Recorded:
    """Close the passage that a receipt answers, or dispute the receipt (核销)."""
    entry = tx.entry(receipt.key, Role.ISSUER)
    assert entry is not None, "the receipt was just recorded on it"
    position = position_of(entry, receipt.by)
    assert position is not None, "the receipt was just recorded on it"
    if entry.passages[position].standing is not Standing.RECEIPTED:
        return arrived
    agrees = receipt_agrees(
        receipt.comparison,
        (entry.amount_fen, entry.count),
        (receipt.amount_fen, receipt.count),
    )
    act = Act.CLOSE if agrees else Act.DISPUTE
    moves = moves_of(Role.ISSUER, entry, (position,), act, DocumentKind.RECEIPT)
    leaf = make_leaf(
        act=act,
        kind=DocumentKind.RECEIPT,
        time_us=tx.time_us,
        subject=receipt.subject,
        document=receipt.digest,
        version=receipt.version,
        by=receipt.key.issuer,
        recipients=receipt.by,
    )
    index = tx.append(leaf, opened=entry.document, changes=moves)
    tx.put_entry(receipt.key, moved(entry, moves, index))
    return make_recorded(
        leaf=arrived.leaf, standing=moves[0][1], time_us=arrived.time_us, new=True
    )
