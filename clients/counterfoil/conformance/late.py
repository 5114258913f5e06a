"""Checks of what was sealed before a loss and comes after it (迟到).

1204 uses a spare seal that is void already, if there is one; 1205 to 1207 together use
up one.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Final

from counterfoil.conformance import spares
from counterfoil.conformance.arrivals import head_of, prove_leaf, prove_range
from counterfoil.conformance.bench import Bench, chain_of
from counterfoil.conformance.checks import Check, check
from counterfoil.conformance.entered import Late
from counterfoil.conformance.filings import outcome_of, sealed_by
from counterfoil.conformance.lateness import PEER_LOG, late
from counterfoil.conformance.leaves import (
    ENTER,
    document_leaf,
    time_us_of,
    witness_leaf,
)
from counterfoil.conformance.refusals import require_due, require_refused
from counterfoil.conformance.registrar import SPARE, Registrar
from counterfoil.conformance.scopes import Scope, holder_of
from counterfoil.conformance.verdicts import require
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.tlog.merkle import leaf_hash

_PROOF: Final = "exchange.v1.EarlierProof"


@check(
    1204,
    "A proof by a head that the gateway never witnessed saves no void seal.",
    "以网关从未见证的树头所作的证明，不能使已失效的签章有效。",
    clause="hubei-14",
    contract=_PROOF,
    needs=SPARE,
)
async def _believes_no_other_head(bench: Bench) -> None:
    registrar = Registrar.of(bench)
    async with spares.filed(registrar):
        seal = await spares.void(registrar)
        paper = sealed_by(bench, seal)
        leaf = document_leaf(ENTER, paper, bench.target.peer, time_us=1)
        # Sound in itself: the first of two leaves of a log that nobody saw.
        proof = pb.EarlierProof(tree_size=2, leaf=leaf, hashes=[leaf_hash(leaf)])
        await spares.require_lost(bench, paper, seal, proof)


@check(
    1205,
    "A head of a peer's log is witnessed by a leaf, which is proved to that peer.",
    "对对方日志树头的见证记入本方日志，并可向对方证明。",
    clause="hubei-14",
    contract="exchange.v1.ExchangeService.GetProof",
    needs=PEER_LOG,
)
async def _witnesses(bench: Bench) -> None:
    case, target = await late(bench), bench.target
    told = case.witness
    head = head_of(target, told.checkpoint)
    root, time_us = case.log.head(case.size).root, time_us_of(told.leaf)
    leaf = witness_leaf(root, case.checkpoint, target.peer, time_us)
    prove_leaf(head, case.place, leaf, told)


@check(
    1206,
    "What was sealed before a loss is asked for its proof, and taken with it.",
    "挂失之前已签章的凭证，网关先索取证明，验明后接收。",
    clause="hubei-14",
    contract=_PROOF,
    needs=PEER_LOG,
)
async def _takes_what_was_sealed_before(bench: Bench) -> None:
    case = await late(bench)
    paper, index = case.taken.paper, case.taken.index
    async with _filed(bench, case):
        # Later than what was witnessed: asked for again.
        newest = case.log.earlier(index, case.log.size)
        for shown in ((), (newest,)):
            size = require_due(await outcome_of(bench, paper, case.seal, *shown))
            require(size == case.size, f"asked for size {size}, not {case.size}")
        proof = case.log.earlier(index, case.size)
        answer = await bench.deliver([paper], *chain_of(case.seal), shown=[proof])
    told = answer.outcomes[0]
    require(told.HasField("stored"), f"what is proved is {told.refusal.reason}")
    prove_range(bench.target, answer, [paper])


@check(
    1207,
    "A proof of another leaf, of a later one, or one that was changed is refused.",
    "其他记录的、较晚记录的或被改动的证明，一律拒绝。",
    clause="hubei-14",
    contract=_PROOF,
    needs=PEER_LOG,
)
async def _takes_no_other_proof(bench: Bench) -> None:
    case = await late(bench)
    async with _filed(bench, case):
        for shown in _unsound(case):
            outcome = await outcome_of(bench, case.held.paper, case.seal, shown)
            _require_refused(outcome)
        later = case.log.earlier(case.after.index, case.size)
        _require_refused(await outcome_of(bench, case.after.paper, case.seal, later))


def _filed(bench: Bench, case: Late) -> AbstractAsyncContextManager[bytes]:
    """File what the lost seal stands on, by which late vouchers are judged, too."""
    return Registrar.of(bench).filed(holder_of(case.seal), Scope())


def _unsound(case: Late) -> list[pb.EarlierProof]:
    """Return proofs that do not show what they should of the voucher that is held."""
    changed = case.log.earlier(case.held.index, case.size)
    changed.hashes[0] = bytes(32)
    elsewhere = case.log.earlier(case.held.index, case.size)
    elsewhere.leaf_index -= 1
    return [
        case.log.earlier(case.taken.index, case.size),
        # What arrived says only what its keeper was told.
        case.log.earlier(case.arrival, case.size),
        pb.EarlierProof(tree_size=case.size, leaf=b"no leaf"),
        changed,
        elsewhere,
    ]


def _require_refused(outcome: pb.Outcome) -> None:
    refused = require_refused(outcome, spares.REFUSED)
    fields = [one.field for one in refused.violations]
    require(
        any(field.startswith("earlier_proofs") for field in fields),
        f"the violations name {fields}, nothing of earlier_proofs",
    )


CHECKS: Final[tuple[Check, ...]] = (
    _believes_no_other_head,
    _witnesses,
    _takes_what_was_sealed_before,
    _takes_no_other_proof,
)
