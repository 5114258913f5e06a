"""Checks of who may call what, and of what the own people are shown."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from counterfoil.conformance.arrivals import arrival_leaf
from counterfoil.conformance.bench import CALL_S, Bench, answered
from counterfoil.conformance.checks import Check, check
from counterfoil.conformance.desks import REVIEWER, SYSTEM, desk_of, named
from counterfoil.conformance.refusals import require_call_refused
from counterfoil.conformance.verdicts import require
from counterfoil.desk.v1 import desk_pb2
from counterfoil.exchange.v1 import exchange_pb2 as pb

_EXCHANGE: Final = "exchange.v1.ExchangeService"
_DESK: Final = "desk.v1.DeskService"


@check(
    901,
    "The exchange is for gateways: a business system is refused.",
    "交换服务只对网关开放：业务系统被拒绝。",
    clause="hubei-9",
    contract=_EXCHANGE,
    needs=SYSTEM,
)
async def _exchanges_with_gateways_only(bench: Bench) -> None:
    system = named(bench.target.system, SYSTEM)
    async with bench.exchange(system) as stub:
        call = stub.GetCheckpoint(pb.GetCheckpointRequest(), timeout=CALL_S)
        await require_call_refused(call, "CALLER_UNKNOWN")


@check(
    902,
    "The desk is for the own people and systems: a peer's gateway is refused.",
    "柜台只对本方人员和系统开放：对方网关被拒绝。",
    clause="hubei-9",
    contract=_DESK,
)
async def _keeps_its_desk(bench: Bench) -> None:
    async with desk_of(bench, bench.target.gateway) as stub:
        call = stub.Search(desk_pb2.SearchRequest(), timeout=CALL_S)
        await require_call_refused(call, "CALLER_UNKNOWN")


@check(
    903,
    "A business system may not review.",
    "业务系统不得审核。",
    clause="hubei-24",
    contract=f"{_DESK}.Review",
    needs=SYSTEM,
)
async def _lets_no_system_review(bench: Bench) -> None:
    nothing = desk_pb2.ReviewItem(digest=sha256(b"no draft").digest())
    async with desk_of(bench, named(bench.target.system, SYSTEM)) as stub:
        asked = desk_pb2.ReviewRequest(reviews=[nothing])
        await require_call_refused(stub.Review(asked, timeout=CALL_S), "POST_REFUSED")


@check(
    904,
    "A reviewer may not put the institution's seal on.",
    "审核人员不得加盖单位签章。",
    clause="hubei-24",
    contract=f"{_DESK}.Seal",
    needs=REVIEWER,
)
async def _lets_no_reviewer_seal(bench: Bench) -> None:
    async with desk_of(bench, named(bench.target.reviewer, REVIEWER)) as stub:
        asked = desk_pb2.SealRequest(digests=[sha256(b"no draft").digest()])
        await require_call_refused(stub.Seal(asked, timeout=CALL_S), "POST_REFUSED")


@check(
    905,
    "What arrived is shown at the recipient's desk, byte for byte, with its leaf.",
    "到达的凭证在接收方柜台逐字节显示，并带其叶子。",
    clause="hubei-33",
    contract=f"{_DESK}.Inquire",
    needs=SYSTEM,
)
async def _shows_what_arrived(bench: Bench) -> None:
    system = named(bench.target.system, SYSTEM)
    paper = bench.papers.paper()
    answer = await bench.take([paper])
    async with desk_of(bench, system) as stub:
        asked = desk_pb2.InquireRequest(digest=paper.voucher.digest)
        way = await answered(stub.Inquire(asked, timeout=CALL_S))
    shown = [one.sealed for one in way.documents]
    require(paper.sealed in shown, "the desk shows other bytes than were sent")
    leaf = arrival_leaf(paper, bench.target.peer, answer.arrival_time)
    places = [act.leaf_index for act in way.acts if act.leaf == leaf]
    require(
        places == [answer.first_leaf],
        f"the desk shows the arrival at leaves {places}, not at {answer.first_leaf}",
    )


CHECKS: Final[tuple[Check, ...]] = (
    _exchanges_with_gateways_only,
    _keeps_its_desk,
    _lets_no_system_review,
    _lets_no_reviewer_seal,
    _shows_what_arrived,
)
