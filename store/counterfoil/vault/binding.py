"""The end of the record of refused calls is bound into the log (固化拒绝记录)."""

from __future__ import annotations

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Bind, Outcome, make_recorded
from counterfoil.domain.leaf import make_leaf
from counterfoil.domain.standing import Act, Standing
from counterfoil.vault.transaction import Transaction


def bind(tx: Transaction, deed: Bind) -> Outcome:
    """Write a leaf that names an end of the record; it changes nothing else."""
    leaf = make_leaf(
        act=Act.BIND,
        kind=DocumentKind.REGISTRATION,
        time_us=tx.time_us,
        subject=deed.before,
        document=deed.end,
        version=deed.end,
        by=tx.register.home,
    )
    index = tx.append(leaf)
    return make_recorded(leaf=index, standing=Standing.SEALED, time_us=tx.time_us)
