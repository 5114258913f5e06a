"""Checks of seals: none forged, missing, moved, or by whoever may not seal."""

from __future__ import annotations

from typing import Final

from counterfoil.conformance import forgeries
from counterfoil.conformance.bench import Bench, chain_of
from counterfoil.conformance.checks import Check, check
from counterfoil.conformance.forgeries import sealed_last_by
from counterfoil.conformance.refusals import require_refused
from counterfoil.conformance.strangers import stranger_of
from counterfoil.conformance.target import Identity
from counterfoil.office import PlanPosition, plan_of

_SEAL: Final = "sealed.v1.Seal"
_FORGED: Final = "SEAL_FORGED"
_MISSING: Final = "SEAL_MISSING"


def _plan(bench: Bench) -> tuple[PlanPosition, ...]:
    return plan_of(bench.target.voucher.content.type_code)


def _last_signer(bench: Bench) -> Identity:
    """Return whoever puts the last seal of the plan."""
    target = bench.target
    return target.persons[-1] if _plan(bench)[-1].by_person else target.institution


@check(
    401,
    "A payload that was changed under its seals is refused.",
    "签章之下的原文被改动，即被拒绝。",
    clause="hubei-11",
    contract="sealed.v1.SealStatement.payload_digest",
)
async def _finds_a_changed_payload(bench: Bench) -> None:
    paper, other = bench.papers.papers(2)
    forged = forgeries.with_another_payload(paper, other.payload)
    answer = await bench.deliver([forged])
    require_refused(answer.outcomes[0], _FORGED)


@check(
    402,
    "A seal with one changed bit of signature is refused.",
    "签名值改动一位的签章被拒绝。",
    clause="hubei-11",
    contract=_SEAL,
)
async def _finds_a_changed_signature(bench: Bench) -> None:
    forged = forgeries.with_another_signature(bench.papers.paper())
    answer = await bench.deliver([forged])
    require_refused(answer.outcomes[0], _FORGED)


@check(
    403,
    "A document without one of its plan's seals is refused, whichever is missing.",
    "缺少应有签章之一的文书被拒绝，无论缺哪一个。",
    clause="hubei-11",
    contract="sealed.v1.SealStatement.beneath",
)
async def _finds_a_missing_seal(bench: Bench) -> None:
    paper = bench.papers.paper()
    count = len(paper.message.seals)
    stripped = [forgeries.without_seal(paper, index) for index in range(count)]
    answer = await bench.deliver(stripped)
    for outcome in answer.outcomes[:-1]:
        # One above it names it, and so does not hold any more.
        require_refused(outcome, _FORGED)
    require_refused(answer.outcomes[-1], _MISSING)


@check(
    404,
    "Seals of another document are refused.",
    "移用其他文书的签章被拒绝。",
    clause="hubei-11",
    contract="sealed.v1.SealStatement",
)
async def _finds_moved_seals(bench: Bench) -> None:
    paper, other = bench.papers.papers(2)
    answer = await bench.deliver([forgeries.with_seals_of(paper, other)])
    require_refused(answer.outcomes[0], _FORGED)


@check(
    405,
    "A seal by a certificate that says the same but that nobody issued is refused.",
    "自称相同、但无人签发的证书所盖的签章被拒绝。",
    clause="hubei-11",
    contract="sealed.v1.SealStatement.certificate_digest",
)
async def _finds_a_stranger(bench: Bench) -> None:
    stranger = stranger_of(_last_signer(bench))
    forged = sealed_last_by(bench.papers, stranger, _plan(bench))
    answer = await bench.deliver([forged], *chain_of(stranger))
    require_refused(answer.outcomes[0], _FORGED)


@check(
    406,
    "The gateway's certificate, which is for connections, seals nothing.",
    "网关的连接证书不能用于签章。",
    clause="hubei-11",
    contract="sealed.v1.SealStatement.certificate_digest",
)
async def _takes_no_seal_of_a_gateway(bench: Bench) -> None:
    forged = sealed_last_by(bench.papers, bench.target.gateway, _plan(bench))
    answer = await bench.deliver([forged], *chain_of(bench.target.gateway))
    require_refused(answer.outcomes[0], _FORGED)


@check(
    407,
    "A seal in a position that the plan has not is refused.",
    "签章方案所没有的位置上的签章被拒绝。",
    clause="hubei-11",
    contract="sealed.v1.SealStatement.position",
)
async def _takes_no_seal_elsewhere(bench: Bench) -> None:
    paper = bench.papers.paper()
    statement = forgeries.statement_of(paper)
    statement.position = "nowhere"
    signer = _last_signer(bench)
    forged = forgeries.signed_again(paper, signer, forgeries.encoded(statement))
    answer = await bench.deliver([forged])
    require_refused(answer.outcomes[0], _FORGED, _MISSING)


@check(
    408,
    "A seal that names no algorithm is refused.",
    "未写明算法的签章被拒绝。",
    clause="hubei-11",
    contract="sealed.v1.Algorithm",
)
async def _takes_no_seal_without_algorithm(bench: Bench) -> None:
    paper = bench.papers.paper()
    statement = forgeries.statement_of(paper)
    statement.ClearField("algorithm")
    signer = _last_signer(bench)
    forged = forgeries.signed_again(paper, signer, forgeries.encoded(statement))
    answer = await bench.deliver([forged])
    require_refused(answer.outcomes[0], _FORGED, "MALFORMED_PAYLOAD")


@check(
    409,
    "A seal whose statement says more than the contract knows is refused.",
    "签章声明含有契约所不认识的内容，即被拒绝。",
    clause="hubei-15a",
    contract="sealed.v1.Sealed",
)
async def _takes_no_seal_that_says_more(bench: Bench) -> None:
    paper = bench.papers.paper()
    statement = forgeries.with_unknown_field(paper.message.seals[-1].statement)
    signer = _last_signer(bench)
    answer = await bench.deliver([forgeries.signed_again(paper, signer, statement)])
    require_refused(answer.outcomes[0], _FORGED)


CHECKS: Final[tuple[Check, ...]] = (
    _finds_a_changed_payload,
    _finds_a_changed_signature,
    _finds_a_missing_seal,
    _finds_moved_seals,
    _finds_a_stranger,
    _takes_no_seal_of_a_gateway,
    _takes_no_seal_elsewhere,
    _takes_no_seal_without_algorithm,
    _takes_no_seal_that_says_more,
)
