"""Checks of the log's SM3 tree: the same leaves, under heads of its own (SM3 树)."""

from __future__ import annotations

from typing import Final

from counterfoil.conformance.arrivals import (
    arrival_leaf,
    head_of,
    prove_growth,
    prove_leaf,
    prove_range,
)
from counterfoil.conformance.bench import CALL_S, Bench, answered
from counterfoil.conformance.checks import Check, check
from counterfoil.conformance.verdicts import NotApplicable, require
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.sm2.libcrypto import Sm2Unavailable
from counterfoil.tlog.merkle import TreeHead
from counterfoil.tlog.sm3 import Sm3Unavailable
from counterfoil.tlog.trees import LogTree

_KEYS: Final = "gateway.sm3_heads"
_SM3: Final = pb.LOG_TREE_SM3


def _head(bench: Bench, checkpoint: bytes) -> TreeHead:
    """Return the head of a checkpoint of the SM3 tree.

    Raises:
        NotApplicable: Nothing here can do SM2.
        CheckFailed: The checkpoint does not hold.
    """
    try:
        return head_of(bench.target, checkpoint, LogTree.SM3)
    except Sm2Unavailable as error:
        raise NotApplicable(f"{_KEYS}: {error}") from error


async def _newest(bench: Bench) -> TreeHead:
    async with bench.exchange() as stub:
        asked = pb.GetCheckpointRequest(tree=_SM3)
        answer = await answered(stub.GetCheckpoint(asked, timeout=CALL_S))
    return _head(bench, answer.checkpoint)


@check(
    706,
    "The SM3 tree has a newest checkpoint of its own, signed by each of its keys.",
    "SM3 树有自己的最新检查点，并由其每把密钥签名。",
    clause="hubei-7",
    contract="exchange.v1.LogTree",
    needs=_KEYS,
)
async def _signs_its_sm3_head(bench: Bench) -> None:
    _require_keys(bench)
    papers = bench.papers.papers(1)
    arrived = prove_range(bench.target, await bench.take(papers), papers)
    size = (await _newest(bench)).size
    told = f"the SM3 tree has {size} leaves after an arrival among {arrived.size}"
    require(size >= arrived.size, told)


@check(
    707,
    "Arrivals are proved by the SM3 tree as well, and that it only grows.",
    "接收也可由 SM3 树证明，且该树只增不改。",
    clause="hubei-7",
    contract="exchange.v1.ExchangeService.GetProof",
    needs=_KEYS,
)
async def _proves_by_sm3(bench: Bench) -> None:
    _require_keys(bench)
    older, paper = await _newest(bench), bench.papers.paper()
    answer = await bench.take([paper])
    leaf = arrival_leaf(paper, bench.target.peer, answer.arrival_time)
    index = answer.first_leaf
    try:
        async with bench.exchange() as stub:
            asked = pb.GetProofRequest(leaf=index, tree=_SM3)
            shown = await answered(stub.GetProof(asked, timeout=CALL_S))
            prove_leaf(_head(bench, shown.checkpoint), index, leaf, shown, LogTree.SM3)
            asked = pb.GetProofRequest(older_size=older.size, tree=_SM3)
            grown = await answered(stub.GetProof(asked, timeout=CALL_S))
            newest = _head(bench, grown.checkpoint)
            prove_growth(older, newest, list(grown.hashes), LogTree.SM3)
    except Sm3Unavailable as error:
        raise NotApplicable(f"{_KEYS}: {error}") from error


def _require_keys(bench: Bench) -> None:
    if not bench.target.sm3_heads:
        raise NotApplicable(f"the file has no {_KEYS}: the log has no such tree")


CHECKS: Final[tuple[Check, ...]] = (_signs_its_sm3_head, _proves_by_sm3)
