"""Checks of lost and revoked certificates: worthless at once, not before (挂失, 废止).

Each check uses up one certificate of `[[register.spare]]` for good.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final

from counterfoil.conformance.bench import Bench, chain_of
from counterfoil.conformance.checks import Check, check
from counterfoil.conformance.filings import outcome_of, sealed_by
from counterfoil.conformance.papers import Paper
from counterfoil.conformance.refusals import require_refused
from counterfoil.conformance.registrar import SPARE, TABLE, Registrar
from counterfoil.conformance.scopes import Scope, holder_of
from counterfoil.conformance.target import Identity
from counterfoil.conformance.verdicts import CheckFailed, NotApplicable, require
from counterfoil.office import matters

_LOST: Final = "CERTIFICATE_LOST"


async def _usable(registrar: Registrar) -> tuple[Identity, Paper]:
    """Return a spare seal that is good yet, and a voucher that it sealed and was taken.

    Raises:
        NotApplicable: The file names none, or all are void already.
        CheckFailed: A voucher was refused for another reason.
    """
    for seal in registrar.by.spares:
        paper = sealed_by(registrar.bench, seal)
        outcome = await outcome_of(registrar.bench, paper, seal)
        if outcome.HasField("stored"):
            return seal, paper
        if outcome.refusal.reason != _LOST:
            told = outcome.refusal.reason or outcome.WhichOneof("outcome")
            raise CheckFailed(f"a sound voucher by a filed seal was {told}")
    raise NotApplicable(f"the file has no {SPARE} that is not void already")


async def _require_void_from_now(
    registrar: Registrar, void: Callable[[bytes], Awaitable[object]]
) -> None:
    """Make a spare certificate void, and require what follows from that."""
    if not registrar.by.spares:
        raise NotApplicable(f"the file has no {SPARE}")
    bench = registrar.bench
    async with AsyncExitStack() as stack:
        for holder in dict.fromkeys(map(holder_of, registrar.by.spares)):
            await stack.enter_async_context(registrar.filed(holder, Scope()))
        seal, before = await _usable(registrar)
        late = sealed_by(bench, seal)
        await void(chain_of(seal)[0])
        # Sealed before, and not here yet: nothing shows that it was.
        for paper in (late, sealed_by(bench, seal)):
            require_refused(await outcome_of(bench, paper, seal), _LOST)
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

    async def void(certificate: bytes) -> None:
        # One person is enough, so that nobody waits.
        notice = matters.loss_notice(certificate)
        await registrar.register(notice, registrar.by.officer)

    await _require_void_from_now(registrar, void)


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

    async def void(certificate: bytes) -> None:
        revocation = matters.revocation(certificate)
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
