"""Checks of lost and revoked certificates: worthless at once, not before (挂失, 废止).

1201 and 1202 each use up one certificate of `[[register.spare]]` for good.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from counterfoil.conformance import spares
from counterfoil.conformance.bench import Bench, chain_of
from counterfoil.conformance.checks import Check, check
from counterfoil.conformance.filings import outcome_of, sealed_by
from counterfoil.conformance.registrar import SPARE, TABLE, Registrar
from counterfoil.conformance.target import Identity
from counterfoil.conformance.verdicts import NotApplicable, require
from counterfoil.office import matters


async def _require_void_from_now(
    registrar: Registrar, void: Callable[[Identity], Awaitable[object]]
) -> None:
    """Make a spare certificate void, and require what follows from that."""
    bench = registrar.bench
    async with spares.filed(registrar):
        seal, before = await spares.good(registrar)
        late = sealed_by(bench, seal)
        await void(seal)
        # Sealed before, and not here yet: nothing shows that it was.
        for paper in (late, sealed_by(bench, seal)):
            await spares.require_lost(bench, paper, seal)
        again = await outcome_of(bench, before, seal)
        told = again.refusal.reason or again.WhichOneof("outcome")
        require(again.HasField("known"), f"what had arrived is {told}, not known")


@check(
    1201,
    "A key that is reported lost seals nothing any more; what had arrived stays known.",
    "挂失的密钥即刻不能签章；此前已到达的凭证仍予认可。",
    clause="hubei-14",
    contract="registry.v1.LossNotice",
    needs=SPARE,
)
async def _heeds_a_loss(bench: Bench) -> None:
    registrar = Registrar.of(bench)

    await _require_void_from_now(registrar, partial(spares.report_lost, registrar))


@check(
    1202,
    "A revoked certificate seals nothing any more; what had arrived stays known.",
    "废止的证书即刻不能签章；此前已到达的凭证仍予认可。",
    clause="hubei-13",
    contract="registry.v1.Revocation",
    needs=SPARE,
)
async def _heeds_a_revocation(bench: Bench) -> None:
    registrar = Registrar.of(bench)

    async def void(seal: Identity) -> None:
        revocation = matters.revocation(chain_of(seal)[0])
        await registrar.refused(revocation, "SIGNERS_REFUSED", registrar.by.supervisor)
        await registrar.register(revocation, *registrar.both)

    await _require_void_from_now(registrar, void)


@check(
    1203,
    "A party reports its own keys only.",
    "任何一方只能挂失自己的密钥。",
    clause="hubei-14",
    contract="registry.v1.LossNotice",
    needs=TABLE,
)
async def _heeds_nobody_else(bench: Bench) -> None:
    registrar = Registrar.of(bench)
    reviewer = bench.target.system or bench.target.reviewer
    if reviewer is None:
        raise NotApplicable("the file has no desk.system")
    notice = matters.loss_notice(chain_of(reviewer)[0])
    await registrar.refused(notice, "MATTER_FOREIGN", registrar.by.officer)


CHECKS: Final[tuple[Check, ...]] = (
    _heeds_a_loss,
    _heeds_a_revocation,
    _heeds_nobody_else,
)
