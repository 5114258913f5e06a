"""Checks of the log: signed, only growing, and proved at any size."""

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
from counterfoil.conformance.desks import SYSTEM, accept, named
from counterfoil.conformance.refusals import require_call_refused
from counterfoil.conformance.verdicts import require
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.tlog.merkle import TreeHead

_GET_PROOF: Final = "exchange.v1.ExchangeService.GetProof"
_NOWHERE: Final = 2**40


async def _newest(bench: Bench) -> TreeHead:
    async with bench.exchange() as stub:
        asked = pb.GetCheckpointRequest()
        answer = await answered(stub.GetCheckpoint(asked, timeout=CALL_S))
    return head_of(bench.target, answer.checkpoint)


@check(
    701,
    "The newest checkpoint is the log's own, signed by each of its keys.",
    "最新检查点属于本日志，并由其每把密钥签名。",
    clause="hubei-7",
    contract="exchange.v1.ExchangeService.GetCheckpoint",
)
async def _signs_its_head(bench: Bench) -> None:
    await bench.take([bench.papers.paper()])
    head = await _newest(bench)
    require(head.size > 0, "the log is empty after an arrival")


@check(
    702,
    "Every later checkpoint is proved to continue each earlier one.",
    "每个较新的检查点都可证明接续每个较早的检查点。",
    clause="hubei-7",
    contract=_GET_PROOF,
)
async def _only_grows(bench: Bench) -> None:
    heads = []
    for number in (1, 2, 3):
        papers = bench.papers.papers(number)
        heads.append(prove_range(bench.target, await bench.take(papers), papers))
    async with bench.exchange() as stub:
        for older in heads:
            asked = pb.GetProofRequest(older_size=older.size)
            proof = await answered(stub.GetProof(asked, timeout=CALL_S))
            newest = head_of(bench.target, proof.checkpoint)
            require(newest.size >= heads[-1].size, "the newest checkpoint is older")
            prove_growth(older, newest, list(proof.hashes))
        asked = pb.GetProofRequest(tree_size=heads[1].size, older_size=heads[0].size)
        between = await answered(stub.GetProof(asked, timeout=CALL_S))
    prove_growth(heads[0], heads[1], list(between.hashes))


@check(
    703,
    "A leaf is proved in an earlier tree as well.",
    "叶子在较早的树中同样可以证明。",
    clause="hubei-7",
    contract=_GET_PROOF,
)
async def _proves_in_earlier_trees(bench: Bench) -> None:
    paper = bench.papers.paper()
    answer = await bench.take([paper])
    earlier = prove_range(bench.target, answer, [paper])
    await bench.take(bench.papers.papers(2))
    asked = pb.GetProofRequest(tree_size=earlier.size, leaf=answer.first_leaf)
    async with bench.exchange() as stub:
        proof = await answered(stub.GetProof(asked, timeout=CALL_S))
    leaf = arrival_leaf(paper, bench.target.peer, answer.arrival_time)
    prove_leaf(earlier, answer.first_leaf, leaf, proof)


@check(
    704,
    "A leaf or a size that is not there is refused.",
    "不存在的叶子或大小被拒绝。",
    clause="hubei-7",
    contract=_GET_PROOF,
)
async def _proves_nothing_that_is_not_there(bench: Bench) -> None:
    async with bench.exchange() as stub:
        for asked in (
            pb.GetProofRequest(leaf=_NOWHERE),
            pb.GetProofRequest(older_size=_NOWHERE),
        ):
            call = stub.GetProof(asked, timeout=CALL_S)
            await require_call_refused(call, "LEAF_NOT_FOUND")


@check(
    705,
    "A leaf about what a peer did not carry is answered like one that is not there.",
    "与对方递送无关的叶子，按不存在答复。",
    clause="hubei-7",
    contract=_GET_PROOF,
    needs=SYSTEM,
)
async def _proves_no_business_of_others(bench: Bench) -> None:
    named(bench.target.system, SYSTEM)
    paper = bench.papers.paper()
    await bench.take([paper])
    leaf = await accept(bench, paper)
    async with bench.exchange() as stub:
        call = stub.GetProof(pb.GetProofRequest(leaf=leaf), timeout=CALL_S)
        await require_call_refused(call, "LEAF_NOT_FOUND")


CHECKS: Final[tuple[Check, ...]] = (
    _signs_its_head,
    _only_grows,
    _proves_in_earlier_trees,
    _proves_nothing_that_is_not_there,
    _proves_no_business_of_others,
)
