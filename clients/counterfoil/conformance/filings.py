"""Checks of filings: a seal is good where it was filed, and nowhere else (备案).

What is filed here is for a seal that nothing else uses, and withdrawn afterwards.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from counterfoil.conformance.bench import Bench, chain_of
from counterfoil.conformance.checks import Check, check
from counterfoil.conformance.desks import named
from counterfoil.conformance.papers import Paper, Papers
from counterfoil.conformance.refusals import require_refused
from counterfoil.conformance.registrar import TABLE, UNFILED, Registrar
from counterfoil.conformance.scopes import Scope, another_type, holder_of
from counterfoil.conformance.target import Identity
from counterfoil.conformance.verdicts import NotApplicable, require
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.office import plan_of

_FILING: Final = "registry.v1.Filing"
_MISSING: Final = "FILING_MISSING"
_OUTSIDE: Final = "OUTSIDE_FILING"
_ONE_FEN: Final = 1
_ELSEWHERE: Final = "elsewhere"
"""A position of no plan."""


def sealed_by(bench: Bench, seal: Identity) -> Paper:
    """Return a fresh voucher that bears this seal of the institution's.

    Raises:
        NotApplicable: No institution seals this kind.
    """
    plan = plan_of(bench.target.voucher.content.type_code)
    if all(position.by_person for position in plan):
        raise NotApplicable("no institution seals the kind of voucher")
    return Papers(replace(bench.target, institution=seal)).paper()


async def outcome_of(
    bench: Bench, paper: Paper, seal: Identity, *shown: pb.EarlierProof
) -> pb.Outcome:
    """Deliver a voucher with the certificates of its seal, and with earlier proofs."""
    answer = await bench.deliver([paper], *chain_of(seal), shown=shown)
    return answer.outcomes[0]


async def _require_refused(bench: Bench, reason: str, *scopes: Scope) -> None:
    """Require that a voucher is refused by a seal that was filed for each scope."""
    registrar = Registrar.of(bench)
    seal = named(registrar.by.unfiled, UNFILED)
    for scope in scopes:
        async with registrar.filed(holder_of(seal), scope):
            outcome = await outcome_of(bench, sealed_by(bench, seal), seal)
            require_refused(outcome, reason)


@check(
    1101,
    "A seal that was not filed is refused, and no longer once it is.",
    "未备案的签章被拒绝，备案之后才被接受。",
    clause="hubei-15b",
    contract=_FILING,
    needs=UNFILED,
)
async def _wants_a_filing(bench: Bench) -> None:
    registrar = Registrar.of(bench)
    seal = named(registrar.by.unfiled, UNFILED)
    require_refused(await outcome_of(bench, sealed_by(bench, seal), seal), _MISSING)
    async with registrar.filed(holder_of(seal), Scope()):
        outcome = await outcome_of(bench, sealed_by(bench, seal), seal)
        told = outcome.refusal.reason
        require(outcome.HasField("stored"), f"a filed seal was refused as {told}")
    require_refused(await outcome_of(bench, sealed_by(bench, seal), seal), _MISSING)


@check(
    1102,
    "A seal that was filed for other types is refused.",
    "仅对其他种类备案的签章被拒绝。",
    clause="hubei-15b",
    contract=_FILING,
    needs=UNFILED,
)
async def _keeps_to_the_types(bench: Bench) -> None:
    other = another_type(bench.target.voucher.content.type_code)
    await _require_refused(bench, _OUTSIDE, Scope(types=(other,)))


@check(
    1103,
    "A seal that was filed for smaller amounts is refused.",
    "超过备案金额上限的签章被拒绝。",
    clause="hubei-15b",
    contract=_FILING,
    needs=UNFILED,
)
async def _keeps_to_the_amount(bench: Bench) -> None:
    await _require_refused(bench, _OUTSIDE, Scope(amount_max_fen=_ONE_FEN))


@check(
    1104,
    "A seal that was filed for other positions is refused.",
    "仅对其他签章位置备案的签章被拒绝。",
    clause="hubei-15b",
    contract=_FILING,
    needs=UNFILED,
)
async def _keeps_to_the_positions(bench: Bench) -> None:
    await _require_refused(bench, _OUTSIDE, Scope(positions=(_ELSEWHERE,)))


@check(
    1105,
    "A seal is refused before the first day of its filing and after the last.",
    "备案首日之前和末日之后的签章被拒绝。",
    clause="hubei-15b",
    contract=_FILING,
    needs=UNFILED,
)
async def _keeps_to_the_days(bench: Bench) -> None:
    past, future = Scope(days=(-30, -2)), Scope(days=(2, 30))
    await _require_refused(bench, _MISSING, past, future)


@check(
    1106,
    "A party files for its own seals only.",
    "任何一方只能为自己的签章备案。",
    clause="hubei-15b",
    contract=_FILING,
    needs=TABLE,
)
async def _files_for_its_own(bench: Bench) -> None:
    registrar = Registrar.of(bench)
    foreign = f"urn:counterfoil:{bench.target.party}:institution:1"
    matter = registrar.filing(foreign, Scope())
    await registrar.refused(matter, "MATTER_FOREIGN", *registrar.both)


@check(
    1107,
    "A filing that one person signed alone is refused.",
    "仅一人签署的备案被拒绝。",
    clause="hubei-36",
    contract=_FILING,
    needs=TABLE,
)
async def _wants_two_persons(bench: Bench) -> None:
    registrar = Registrar.of(bench)
    # Of a seal that is filed: should it be taken, it changes nothing.
    matter = registrar.filing(holder_of(bench.target.institution), Scope())
    await registrar.refused(matter, "SIGNERS_REFUSED", registrar.by.officer)
    twice = registrar.by.officer, registrar.by.officer
    await registrar.refused(matter, "SAME_PERSON", *twice)


CHECKS: Final[tuple[Check, ...]] = (
    _wants_a_filing,
    _keeps_to_the_types,
    _keeps_to_the_amount,
    _keeps_to_the_positions,
    _keeps_to_the_days,
    _files_for_its_own,
    _wants_two_persons,
)
