"""What every document that arrives has in common, whatever it is."""

from __future__ import annotations

from collections.abc import Iterable

from counterfoil.app.ports import Entry, make_entry, make_passage
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Arrive
from counterfoil.domain.document import Document
from counterfoil.domain.refusals import NotARecipient
from counterfoil.domain.standing import Act, Role, Standing
from counterfoil.vault.judging import (
    all_to,
    document_leaf,
    key_of_step,
)
from counterfoil.vault.permitting import require_good_seals
from counterfoil.vault.records import Changes, make_title
from counterfoil.vault.transaction import Transaction


class Arrival:
    """One document of a batch, with what the batch says of all of them.

    Args:
        document: The document.
        deed: The batch.
        again: Whether it arrived for another side of its voucher before: what the
            peer delivered once counts once in the sums kept for it.
    """

    __slots__ = ("carriers", "document", "hosted")

    def __init__(
        self, document: Document, deed: Arrive, *, again: bool = False
    ) -> None:
        self.document = document
        self.carriers = () if again else (deed.carrier,)
        self.hosted = deed.hosted

    def copied_to(self) -> frozenset[str]:
        """Return who is hosted here and gets a receipt, but not as the issuer."""
        document = self.document
        return self.hosted.intersection(document.recipients) - {document.key.issuer}


def open_book(
    tx: Transaction,
    arrival: Arrival,
    standing: Standing,
    role: Role = Role.RECIPIENT,
) -> int:
    """Open the book for a voucher, or one discarded unseen, or one never held here.

    Raises:
        NotARecipient: None of its recipients is hosted here.
        Forbidden: See `require_good_seals`.
    """
    document, key = arrival.document, arrival.document.key.to_bytes()
    require_good_seals(tx.register, document, tx.time_us)
    hosted = arrival.copied_to() if role is Role.COPY else arrival.hosted
    recipients = tuple([name for name in document.recipients if name in hosted])
    if not recipients:
        raise NotARecipient("no recipient is hosted here", key=str(document.key))
    index = tx.size
    title = make_title(
        key=key,
        role=role,
        amount_fen=document.amount_fen,
        count=document.count,
        recipients=recipients,
    )
    tx.append(
        document_leaf(tx, Act.ARRIVE, document),
        title=title,
        changes=all_to(standing, len(recipients)),
        carriers=arrival.carriers,
        sealed=document.sealed,
    )
    tx.put_entry(
        key,
        make_entry(
            role=role,
            digest=document.subject,
            document=index,
            amount_fen=document.amount_fen,
            count=document.count,
            passages=tuple(
                [
                    make_passage(recipient=name, standing=standing, leaf=index)
                    for name in recipients
                ]
            ),
        ),
    )
    if document.earlier is not None:
        tx.put_evidence(index, document.earlier.proof)
    if document.kind is not DocumentKind.VOUCHER:
        tx.put_step(key_of_step(index, document), index)
    for name in recipients:
        tx.show(name, index)
    for carrier in arrival.carriers:
        tx.count_exchanged(carrier, document.digest)
    return index


def append_step(
    tx: Transaction,
    arrival: Arrival,
    entry: Entry,
    moves: Changes,
    readers: Iterable[str],
) -> int:
    """Write a step that arrived, and let `readers` know.

    Raises:
        Forbidden: See `require_good_seals`.
    """
    document = arrival.document
    require_good_seals(tx.register, document, tx.time_us)
    index = tx.append(
        document_leaf(tx, Act.ARRIVE, document),
        opened=entry.document,
        changes=moves,
        carriers=arrival.carriers,
        sealed=document.sealed,
    )
    if document.earlier is not None:
        tx.put_evidence(index, document.earlier.proof)
    tx.put_step(key_of_step(entry.document, document), index)
    for name in readers:
        tx.show(name, index)
    for carrier in arrival.carriers:
        tx.count_exchanged(carrier, document.digest)
    return index
