"""A head of a peer's log is witnessed by ours (见证)."""

from __future__ import annotations

from hashlib import sha256

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Outcome, Witness, make_recorded
from counterfoil.domain.leaf import make_leaf
from counterfoil.domain.standing import Act, Standing
from counterfoil.vault.judging import known, leaf_at
from counterfoil.vault.transaction import Transaction


def witness(tx: Transaction, deed: Witness) -> Outcome:
    """Write a leaf that names a head of a peer's log; it changes nothing else.

    A head that was witnessed last is known, and so is any in the same instant: one
    time stands for one head.
    """
    newest = tx.witnessed(deed.carrier)
    if newest is not None:
        its_leaf = leaf_at(tx, newest)
        if its_leaf.document == deed.root or its_leaf.time_us == tx.time_us:
            return known(tx, newest, Standing.SEALED)
    leaf = make_leaf(
        act=Act.WITNESS,
        kind=DocumentKind.REGISTRATION,
        time_us=tx.time_us,
        subject=deed.root,
        document=deed.root,
        version=sha256(deed.note).digest(),
        by=deed.carrier,
    )
    index = tx.append(leaf)
    tx.put_evidence(index, deed.note)
    tx.put_witnessed(deed.carrier, index)
    return make_recorded(leaf=index, standing=Standing.SEALED, time_us=tx.time_us)
