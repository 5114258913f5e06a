"""Judges each deed on a transaction and writes what it decides.

Shared by all engines, so that the same deeds give the same log everywhere. A
document or act is judged whole before anything of it is written: a refusal is an
outcome and leaves no trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, assert_never

from counterfoil.domain.deeds import (
    Arrive,
    Bind,
    Deed,
    Deliver,
    Enter,
    EnterRegistration,
    Outcome,
    Perform,
    Read,
    Send,
    Withdraw,
    Witness,
)
from counterfoil.domain.value import maker
from counterfoil.vault import (
    arriving,
    binding,
    delivering,
    entering,
    performing,
    registering,
    witnessing,
)
from counterfoil.vault.judging import judged
from counterfoil.vault.transaction import Transaction


@dataclass(slots=True, kw_only=True)
class Applied:
    """What a deed came to.

    Attributes:
        outcomes: One per document or act.
        first_leaf: For an `Arrive`: index of its first new leaf.
        new_count: For an `Arrive`: how many of its documents were new.
    """

    outcomes: tuple[Outcome, ...]
    first_leaf: int = 0
    new_count: int = 0


make_applied: Final = maker(Applied)


def apply(tx: Transaction, deed: Deed) -> Applied:
    """Judge `deed` on `tx` and write what follows.

    Raises:
        VaultCorrupt: A record needed for judging is damaged.
    """
    match deed:
        case Arrive():
            outcomes, first_leaf, new_count = arriving.arrive(tx, deed)
            return make_applied(
                outcomes=outcomes, first_leaf=first_leaf, new_count=new_count
            )
        case Deliver():
            return make_applied(outcomes=delivering.deliver(tx, deed))
        case Read():
            return make_applied(outcomes=performing.read(tx, deed))
        case Enter():
            outcome = judged(entering.enter, tx, deed)
        case EnterRegistration():
            outcome = judged(registering.register, tx, deed)
        case Send():
            outcome = judged(entering.send, tx, deed)
        case Withdraw():
            outcome = judged(entering.withdraw, tx, deed)
        case Perform():
            outcome = judged(performing.perform, tx, deed)
        case Bind() | Witness():
            outcome = _name_what_is_outside(tx, deed)
        case _:
            assert_never(deed)
    return make_applied(outcomes=(outcome,))


def _name_what_is_outside(tx: Transaction, deed: Bind | Witness) -> Outcome:
    if isinstance(deed, Bind):
        return binding.bind(tx, deed)
    return witnessing.witness(tx, deed)
