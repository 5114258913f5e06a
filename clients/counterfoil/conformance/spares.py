"""Seals whose certificates may be made void, each used up by one check for good."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from counterfoil.conformance.bench import Bench, chain_of
from counterfoil.conformance.filings import outcome_of, sealed_by
from counterfoil.conformance.leaves import ENTER, document_leaf
from counterfoil.conformance.papers import Paper
from counterfoil.conformance.refusals import DUE, require_due, require_refused
from counterfoil.conformance.registrar import SPARE, Registrar
from counterfoil.conformance.scopes import Scope, holder_of
from counterfoil.conformance.target import Identity
from counterfoil.conformance.verdicts import CheckFailed, NotApplicable
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.office import matters

LOST: Final = "CERTIFICATE_LOST"
REFUSED: Final = "EARLIER_PROOF_REFUSED"
"""What was shown does not show it."""


@asynccontextmanager
async def filed(registrar: Registrar) -> AsyncIterator[None]:
    """File everything for the spare seals, and withdraw it afterwards.

    Raises:
        NotApplicable: The file names none.
    """
    if not registrar.by.spares:
        raise NotApplicable(f"the file has no {SPARE}")
    async with AsyncExitStack() as stack:
        for holder in dict.fromkeys(map(holder_of, registrar.by.spares)):
            await stack.enter_async_context(registrar.filed(holder, Scope()))
        yield


async def good(registrar: Registrar) -> tuple[Identity, Paper]:
    """Return a filed spare that is good yet, and a voucher by it that was taken.

    Raises:
        NotApplicable: All are void already.
        CheckFailed: A voucher was refused for another reason.
    """
    for seal in registrar.by.spares:
        paper = sealed_by(registrar.bench, seal)
        if not _is_void(await outcome_of(registrar.bench, paper, seal)):
            return seal, paper
    raise NotApplicable(f"the file has no {SPARE} that is not void already")


async def void(registrar: Registrar) -> Identity:
    """Return a filed spare that is void; if all are good yet, the last is made so.

    Raises:
        CheckFailed: A voucher was refused for another reason, or the loss was.
    """
    bench = registrar.bench
    for seal in registrar.by.spares:
        if _is_void(await outcome_of(bench, sealed_by(bench, seal), seal)):
            return seal
    last = registrar.by.spares[-1]
    await report_lost(registrar, last)
    return last


async def report_lost(registrar: Registrar, seal: Identity) -> None:
    """Report the key of a spare lost.

    Raises:
        CheckFailed: That was refused.
    """
    # One person is enough, so that nobody waits.
    notice = matters.loss_notice(chain_of(seal)[0])
    await registrar.register(notice, registrar.by.officer)


async def require_lost(
    bench: Bench, paper: Paper, seal: Identity, *shown: pb.EarlierProof
) -> None:
    """Require that nothing takes a voucher by a void seal that entered nowhere before.

    A gateway that witnessed our log while the certificate was good may ask for a proof
    first, and refuses for good once it is told that there is none.

    Args:
        bench: Where the gateway is.
        paper: The voucher.
        seal: The void seal.
        shown: What comes with it and shows nothing to this gateway.

    Raises:
        CheckFailed: It was taken, or refused otherwise.
    """
    outcome = await outcome_of(bench, paper, seal, *shown)
    if outcome.refusal.reason != DUE:
        require_refused(outcome, LOST)
        return
    size = require_due(outcome)
    leaf = document_leaf(ENTER, paper, bench.target.peer, time_us=0)
    # As the contract has it: not below that size, and without hashes.
    later = pb.EarlierProof(tree_size=size, leaf_index=size, leaf=leaf)
    require_refused(await outcome_of(bench, paper, seal, later), REFUSED)


def _is_void(outcome: pb.Outcome) -> bool:
    """Tell whether the seal of a fresh voucher was refused as void."""
    if outcome.HasField("stored"):
        return False
    told = outcome.refusal.reason or outcome.WhichOneof("outcome")
    if told not in {LOST, DUE}:
        raise CheckFailed(f"a sound voucher by a filed seal was {told}")
    return True
