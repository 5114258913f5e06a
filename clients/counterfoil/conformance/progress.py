"""Checks of what a peer is told of vouchers, and what it is not told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final

from counterfoil.conformance import forgeries
from counterfoil.conformance.bench import CALL_S, Bench, answered
from counterfoil.conformance.checks import Check, check
from counterfoil.conformance.desks import SYSTEM, accept, named
from counterfoil.conformance.refusals import require_call_refused, require_refused
from counterfoil.conformance.verdicts import require
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.office import Reference, Standing
from counterfoil.office.messages import reference_message

_GET_PROGRESS: Final = "exchange.v1.ExchangeService.GetProgress"
_REFERENCES_MAX: Final = 256


async def _told(
    bench: Bench, vouchers: Sequence[Reference]
) -> list[pb.VoucherProgress]:
    asked = pb.GetProgressRequest(vouchers=map(reference_message, vouchers))
    async with bench.exchange() as stub:
        answer = await answered(stub.GetProgress(asked, timeout=CALL_S))
    count = len(answer.progress)
    require(count == len(vouchers), f"{len(vouchers)} were asked, {count} were told")
    return list(answer.progress)


@check(
    801,
    "A voucher that arrived is told as such, in the order asked.",
    "已到达的凭证如实告知，并按所问次序。",
    clause="hubei-19b",
    contract=_GET_PROGRESS,
)
async def _tells_what_arrived(bench: Bench) -> None:
    papers = bench.papers.papers(3)
    answer = await bench.take(papers)
    backwards = papers[::-1]
    told = await _told(bench, [paper.voucher for paper in backwards])
    last = answer.first_leaf + len(papers) - 1
    for distance, one in enumerate(told):
        require(one.known, "a voucher that was taken is not known")
        # A business system may have read it meanwhile.
        arrived = one.standing >= Standing.ARRIVED
        require(arrived, f"it stands at {one.standing}, which is before its arrival")
        require(one.leaf >= last - distance, "its leaf is before that of its arrival")


@check(
    802,
    "Of other bytes, and of what was refused, nothing is known.",
    "对其他字节和被拒绝的文书，答以不知。",
    clause="hubei-19b",
    contract="exchange.v1.VoucherProgress.known",
)
async def _tells_nothing_else(bench: Bench) -> None:
    taken, refused = bench.papers.papers(2)
    await bench.take([taken])
    answer = await bench.deliver([forgeries.with_another_signature(refused)])
    require_refused(answer.outcomes[0], "SEAL_FORGED")
    other = replace(taken.voucher, digest=sha256(b"other bytes").digest())
    told = await _told(bench, [other, refused.voucher, taken.voucher])
    require(not told[0].known, "other bytes under a number are known")
    require(not told[1].known, "a refused voucher is known")
    require(told[2].known, "the voucher that was taken is not known")


@check(
    803,
    "A request that breaks a rule is refused: ErrorInfo, Chinese text, BadRequest.",
    "违反规则的请求被拒绝：附 ErrorInfo、中文说明和 BadRequest。",
    clause="hubei-15a",
    contract="sealed.v1.Refusal",
)
async def _names_the_field_of_a_request(bench: Bench) -> None:
    reference = reference_message(bench.papers.paper().voucher)
    too_many = [reference] * (_REFERENCES_MAX + 1)
    async with bench.exchange() as stub:
        for asked in (
            pb.GetProgressRequest(),
            pb.GetProgressRequest(vouchers=too_many),
        ):
            call = stub.GetProgress(asked, timeout=CALL_S)
            refused = await require_call_refused(call, "FORM_REFUSED")
            fields = [one.field for one in refused.violations]
            require("vouchers" in fields, f"the violations name {fields}, not vouchers")


@check(
    804,
    "What a business system took over is told as accepted, with the leaf of that.",
    "业务系统已签收的凭证，告知为已签收，并给出其叶子。",
    clause="hubei-19b",
    contract=_GET_PROGRESS,
    needs=SYSTEM,
)
async def _tells_what_was_accepted(bench: Bench) -> None:
    named(bench.target.system, SYSTEM)
    paper = bench.papers.paper()
    await bench.take([paper])
    leaf = await accept(bench, paper)
    (told,) = await _told(bench, [paper.voucher])
    require(
        told.standing == Standing.ACCEPTED,
        f"an accepted voucher stands at {told.standing}",
    )
    require(told.leaf == leaf, f"leaf {told.leaf} is not that of the acceptance")


CHECKS: Final[tuple[Check, ...]] = (
    _tells_what_arrived,
    _tells_nothing_else,
    _names_the_field_of_a_request,
    _tells_what_was_accepted,
)
