"""Checks of agreements: nothing is exchanged but by one that is in force (协议).

A suspended one is resumed, and what is made here is ended, whatever comes of a check.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
)
from dataclasses import replace
from functools import partial
from typing import Final

from counterfoil.conformance.bench import CALL_S, Bench, answered
from counterfoil.conformance.checks import Check, check
from counterfoil.conformance.desks import REVIEWER, named
from counterfoil.conformance.refusals import require_refused
from counterfoil.conformance.registrar import COUNTERPART, TABLE, Registrar
from counterfoil.conformance.scopes import another_type
from counterfoil.conformance.verdicts import NotApplicable, require
from counterfoil.office import matters
from counterfoil.registry.v1 import registry_pb2, registry_pb2_grpc

_AGREEMENT: Final = "registry.v1.Agreement"
_CHANGE: Final = "registry.v1.AgreementChange"
_UNAGREED: Final = "voucher.unagreed"
_NONE: Final = ("AGREEMENT_SUSPENDED", "AGREEMENT_MISSING")
"""Where the old agreement is suspended and the new one is not it, either is right."""


async def _standing(bench: Bench) -> list[bytes]:
    """Return the agreements of peer and recipient that the peer has not suspended.

    Raises:
        NotApplicable: The file names no reviewer, who may look.
        CheckFailed: There is none.
    """
    target = bench.target
    reviewer = named(target.reviewer, REVIEWER)
    asked = registry_pb2.GetRegisterRequest()
    async with bench.channel(reviewer.access.credentials()) as channel:
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        register = await answered(stub.GetRegister(asked, timeout=CALL_S))
    two = {target.peer, target.voucher.recipient}
    found = [
        one.digest
        for one in register.agreements
        if set(one.agreement.parties) == two
        and not one.is_over
        and target.peer not in one.suspended_by
    ]
    require(found, "the two parties have no agreement that is in force")
    return found


@asynccontextmanager
async def _suspended(registrar: Registrar) -> AsyncIterator[None]:
    """Suspend every agreement of the two, and resume it afterwards."""
    async with AsyncExitStack() as stack:
        for digest in await _standing(registrar.bench):
            suspend, resume = (
                matters.agreement_change(digest, change)
                for change in ("suspend", "resume")
            )
            await stack.enter_async_context(
                registrar.meanwhile(
                    suspend, partial(_instead, resume), registrar.by.supervisor
                )
            )
        yield


def _instead(matter: matters.Matter, _digest: bytes) -> matters.Matter:
    return matter


def _agreed(
    registrar: Registrar, matter: matters.Matter
) -> AbstractAsyncContextManager[bytes]:
    """Make an agreement, and end it afterwards."""
    signers = registrar.counterpart(), registrar.by.supervisor
    return registrar.meanwhile(
        matter, lambda digest: matters.agreement_change(digest, "end"), *signers
    )


async def _require_none(bench: Bench) -> None:
    """Require that a sound voucher is refused, because nothing was agreed now."""
    answer = await bench.deliver([bench.papers.paper()])
    require_refused(answer.outcomes[0], *_NONE)


@check(
    1001,
    "While an agreement is suspended nothing is taken; when resumed, it is again.",
    "协议中止期间不接收任何凭证，恢复后照常接收。",
    clause="hubei-6",
    contract=_CHANGE,
    needs=TABLE,
)
async def _keeps_to_a_suspension(bench: Bench) -> None:
    registrar = Registrar.of(bench)
    async with _suspended(registrar):
        answer = await bench.deliver([bench.papers.paper()])
        require_refused(answer.outcomes[0], "AGREEMENT_SUSPENDED")
    await bench.take([bench.papers.paper()])


@check(
    1002,
    "An agreement on other types lets no voucher in.",
    "只约定其他种类的协议，不放行任何凭证。",
    clause="hubei-6",
    contract=_AGREEMENT,
    needs=COUNTERPART,
)
async def _keeps_to_the_types(bench: Bench) -> None:
    registrar, target = Registrar.of(bench), bench.target
    other = another_type(target.voucher.content.type_code)
    matter = registrar.agreement({target.peer: (other,)})
    registrar.counterpart()
    async with _suspended(registrar), _agreed(registrar, matter):
        await _require_none(bench)


@check(
    1003,
    "An agreement on the other direction lets no voucher in.",
    "只约定相反方向的协议，不放行任何凭证。",
    clause="hubei-6",
    contract="registry.v1.AgreedWay",
    needs=COUNTERPART,
)
async def _keeps_to_the_direction(bench: Bench) -> None:
    registrar, target = Registrar.of(bench), bench.target
    ways = {target.voucher.recipient: (target.voucher.content.type_code,)}
    matter = registrar.agreement(ways)
    registrar.counterpart()
    async with _suspended(registrar), _agreed(registrar, matter):
        await _require_none(bench)


@check(
    1004,
    "An agreement lets nothing in before its first day or after its last.",
    "协议生效首日之前和末日之后，不放行任何凭证。",
    clause="hubei-6",
    contract=_AGREEMENT,
    needs=COUNTERPART,
)
async def _keeps_to_the_days(bench: Bench) -> None:
    registrar, target = Registrar.of(bench), bench.target
    ways = {target.peer: (target.voucher.content.type_code,)}
    registrar.counterpart()
    async with _suspended(registrar):
        for days in ((-30, -2), (2, 30)):
            async with _agreed(registrar, registrar.agreement(ways, days)):
                await _require_none(bench)


@check(
    1005,
    "An agreement that both signed lets in what it says, and nothing once it ended.",
    "双方签署的协议放行所约定的凭证，终止后一概不接收。",
    clause="hubei-6",
    contract=_CHANGE,
    needs=COUNTERPART,
)
async def _keeps_to_an_end(bench: Bench) -> None:
    registrar, target = Registrar.of(bench), bench.target
    ways = {target.peer: (target.voucher.content.type_code,)}
    registrar.counterpart()
    ended = registrar.agreement(ways)
    async with _suspended(registrar):
        async with _agreed(registrar, ended) as digest:
            await bench.take([bench.papers.paper()])
        await _require_none(bench)
        again = matters.agreement_change(digest, "resume")
        await registrar.refused(again, "NOT_REGISTERED", *registrar.both)


@check(
    1006,
    "An agreement that the other party did not sign is refused.",
    "对方未签署的协议被拒绝。",
    clause="hubei-6",
    contract=_AGREEMENT,
    needs=TABLE,
)
async def _wants_both_signatures(bench: Bench) -> None:
    registrar, target = Registrar.of(bench), bench.target
    ways = {target.peer: (target.voucher.content.type_code,)}
    alone = registrar.agreement(ways)
    await registrar.refused(alone, "SIGNERS_REFUSED", registrar.by.supervisor)
    await registrar.refused(alone, "SIGNERS_REFUSED", *registrar.both)


@check(
    1007,
    "What no agreement names is refused as never agreed, not as suspended.",
    "任何协议都未约定的凭证，按未约定而非已中止拒绝。",
    clause="hubei-6",
    contract=_AGREEMENT,
    needs=_UNAGREED,
)
async def _tells_never_agreed(bench: Bench) -> None:
    to = bench.target.voucher.unagreed
    if not to:
        raise NotApplicable(f"{_UNAGREED} names no party")
    voucher = replace(bench.papers.voucher(), recipients=(to,))
    answer = await bench.deliver([bench.papers.sealed(voucher)])
    require_refused(answer.outcomes[0], "AGREEMENT_MISSING")


CHECKS: Final[tuple[Check, ...]] = (
    _keeps_to_a_suspension,
    _keeps_to_the_types,
    _keeps_to_the_direction,
    _keeps_to_the_days,
    _keeps_to_an_end,
    _wants_both_signatures,
    _tells_never_agreed,
)
