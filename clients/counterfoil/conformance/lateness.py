"""Vouchers that were sealed before a loss and come after it (迟到).

The gateway under test witnesses heads of its peers' logs when it connects to them: at
most one an hour by default, and the first an hour after it started. So they are
prepared once a run, by whichever check is the first to need them.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Final, TypeAlias

import grpc

from counterfoil.conformance import spares
from counterfoil.conformance.arrivals import head_of
from counterfoil.conformance.bench import CALL_S, Bench, answered
from counterfoil.conformance.entered import Entered, Late
from counterfoil.conformance.filings import sealed_by
from counterfoil.conformance.leaves import (
    ARRIVE,
    ENTER,
    WITNESS,
    act_of,
    document_leaf,
)
from counterfoil.conformance.listening import Listener, listening
from counterfoil.conformance.papers import Paper
from counterfoil.conformance.peer_log import PeerLog
from counterfoil.conformance.registrar import Registrar
from counterfoil.conformance.target import Identity
from counterfoil.conformance.verdicts import NotApplicable
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.exchange.v1 import exchange_pb2_grpc

PEER_LOG: Final = "peer.log"
_Stub: TypeAlias = "exchange_pb2_grpc.ExchangeServiceAsyncStub"
_LOOK_S: Final = 0.3
_MICROSECONDS: Final = 1_000_000


async def late(bench: Bench) -> Late:
    """Return the late vouchers of this run.

    Raises:
        NotApplicable: The file lacks what they need, or no head was witnessed.
        CheckFailed: What leads there was refused.
    """
    if bench.late is None:
        bench.late = asyncio.ensure_future(_prepared(bench))
    return await bench.late


async def _prepared(bench: Bench) -> Late:
    if bench.target.log is None:
        raise NotApplicable(f"the file has no {PEER_LOG}")
    registrar, log = Registrar.of(bench), PeerLog(bench.target.log)
    async with spares.filed(registrar):
        seal, _ = await spares.good(registrar)
        taken, held = (_entered(bench, log, seal) for _ in range(2))
        arrival = log.append(_leaf(bench, ARRIVE, held.paper))
        size, checkpoint = log.size, log.checkpoint()
        place, witness = await _witnessed(bench, log)
        await spares.report_lost(registrar, seal)
    return Late(
        log=log,
        size=size,
        checkpoint=checkpoint,
        place=place,
        witness=witness,
        seal=seal,
        taken=taken,
        held=held,
        arrival=arrival,
        after=_entered(bench, log, seal),
    )


def _entered(bench: Bench, log: PeerLog, seal: Identity) -> Entered:
    paper = sealed_by(bench, seal)
    return Entered(paper=paper, index=log.append(_leaf(bench, ENTER, paper)))


def _leaf(bench: Bench, act: int, paper: Paper) -> bytes:
    now_us = int(datetime.now(UTC).timestamp() * _MICROSECONDS)
    return document_leaf(act, paper, bench.target.peer, now_us)


async def _witnessed(bench: Bench, log: PeerLog) -> tuple[int, pb.GetProofResponse]:
    """Listen until the gateway's log has a leaf by which it witnessed ours.

    Returns:
        Where the leaf is, and what is proved of it.

    Raises:
        NotApplicable: It has none in time, or knows more of our log than we do.
    """
    patience_s = log.settings.patience_s
    async with bench.exchange() as stub:
        looked = await _size(bench, stub)
        async with listening(bench.target, log) as listener:
            try:
                async with asyncio.timeout(patience_s):
                    while True:
                        _require_ours(listener)
                        newest = await _size(bench, stub)
                        for place in range(looked, newest):
                            proof = await _proved(stub, place)
                            if proof is not None and act_of(proof.leaf) == WITNESS:
                                return place, proof
                        looked = newest
                        await asyncio.sleep(_LOOK_S)
            except TimeoutError as error:
                raise NotApplicable(
                    f"the gateway witnessed no head of the peer's log in {patience_s:g}"
                    " s; by default it does so once an hour, and first an hour after "
                    "its start"
                ) from error


def _require_ours(listener: Listener) -> None:
    if listener.seen:
        raise NotApplicable(
            f"the gateway knows {listener.seen} leaves of the peer's log, and "
            f"peer.log.leaves has {listener.log.size}: a log never begins anew"
        )


async def _size(bench: Bench, stub: _Stub) -> int:
    asked = pb.GetCheckpointRequest()
    answer = await answered(stub.GetCheckpoint(asked, timeout=CALL_S))
    return head_of(bench.target, answer.checkpoint).size


async def _proved(stub: _Stub, place: int) -> pb.GetProofResponse | None:
    """Return what is proved of a leaf; None if it is others' business."""
    call = stub.GetProof(pb.GetProofRequest(leaf=place), timeout=CALL_S)
    try:
        return await answered(call)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise
