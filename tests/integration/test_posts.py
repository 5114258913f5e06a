"""Every method, every caller: allowed or refused as the table of posts says."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import grpc
import pytest

from counterfoil.desk.v1 import desk_pb2
from counterfoil.domain.posts import ALLOWED, Post
from counterfoil.exchange.v1 import exchange_pb2
from counterfoil.registry.v1 import registry_pb2
from tests.houses import BANK, FINANCE, OTHER_BANK, UNIT, Town
from tests.integration.conftest import Pair
from tests.integration.desks import reason_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLERS = {
    "system-1": Post.BUSINESS_SYSTEM,
    "person-first": Post.FIRST_REVIEWER,
    "person-second": Post.SECOND_REVIEWER,
    "person-manager": Post.SYSTEM_MANAGER,
    "gateway-1": None,
}
"""Credentials that every party has, and the post that each one holds."""

SERVICES = {
    service.full_name: service
    for file in (desk_pb2, registry_pb2, exchange_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
}
METHODS = [
    f"/{name}/{method.name}"
    for name, service in SERVICES.items()
    for method in service.methods
]
EXCHANGE = "/counterfoil.exchange.v1.ExchangeService/"


async def _refusal(town: Town, method: str, party: str, credential: str) -> str:
    """Call a method with an empty request; return why the caller may not, or "".

    A refusal for any other reason than the caller's is one behind the guard.
    """
    use, _, name = credential.partition("-")
    service = SERVICES[method.split("/")[1]]
    described = service.methods_by_name[method.rpartition("/")[2]]
    async with town.channel(party, use, name, at=FINANCE) as channel:
        kind = (
            ("stream" if described.client_streaming else "unary")
            + "_"
            + ("stream" if described.server_streaming else "unary")
        )
        callable_ = getattr(channel, kind)(method)
        call = callable_(b"" if kind.startswith("unary") else iter([b""]), timeout=20)
        try:
            if kind.endswith("unary"):
                await call
            else:
                async for _ in call:
                    pass
        except grpc.aio.AioRpcError as error:
            reason = reason_of(error)
            if reason in {"CALLER_UNKNOWN", "POST_REFUSED"}:
                return reason
            if "execute_batch" in str(error.debug_error_string()):
                # gRPC's client was still sending when the refusal came, and lost it.
                return await _refusal(town, method, party, credential)
            # Whoever was admitted is refused for the empty request, with a reason.
            return "" if reason else f"{error.code()}"
    return ""


def _expected(method: str, party: str, post: Post | None) -> str:
    if method.startswith(EXCHANGE):
        # A gateway of a registered party; others have no business there.
        known = post is None and party in {FINANCE, BANK, UNIT}
        return "" if known else "CALLER_UNKNOWN"
    if post is None or party not in {FINANCE, UNIT}:
        return "CALLER_UNKNOWN"
    return "" if post in ALLOWED[method] else "POST_REFUSED"


@pytest.mark.refusal("CALLER_UNKNOWN", "POST_REFUSED")
@pytest.mark.clause("hubei-9")
async def test_every_method_admits_whom_the_table_names_and_nobody_else(
    pair: Pair,
) -> None:
    wrong = []
    for method, (credential, post), party in itertools.product(
        METHODS, CALLERS.items(), (FINANCE, UNIT, BANK)
    ):
        if method.endswith("/Watch") and not _expected(method, party, post):
            continue  # tried by the tests of watching, which read from it
        found = await _refusal(pair.town, method, party, credential)
        if found != _expected(method, party, post):
            wrong.append(f"{method} {party} {credential}: {found or 'admitted'}")

    assert wrong == []


async def test_the_table_names_every_method_of_the_desk_and_the_registry() -> None:
    assert set(ALLOWED) == {m for m in METHODS if not m.startswith(EXCHANGE)}


@pytest.mark.refusal("CALLER_UNKNOWN")
async def test_a_party_that_is_not_registered_has_neither_desk_nor_exchange(
    pair: Pair,
) -> None:
    pair.town.ca.add_party(OTHER_BANK, now=datetime.now(UTC))

    for credential, method in (
        ("system-1", "/counterfoil.desk.v1.DeskService/Search"),
        ("gateway-1", EXCHANGE + "GetCheckpoint"),
    ):
        assert (
            await _refusal(pair.town, method, OTHER_BANK, credential)
            == "CALLER_UNKNOWN"
        )
