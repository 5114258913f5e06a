"""Every method, every caller: allowed or refused as docs/posts.md says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

import grpc
import pytest
import pytest_asyncio

from counterfoil.desk.v1 import desk_pb2
from counterfoil.domain.posts import ALLOWED, Post
from counterfoil.exchange.v1 import exchange_pb2
from counterfoil.keeping.v1 import audit_pb2
from counterfoil.registry.v1 import registry_pb2
from tests.houses import BANK, FINANCE, OTHER_BANK, UNIT
from tests.integration.conftest import Pair
from tests.integration.desks import reason_of
from tools.tree import ROOT

pytestmark = pytest.mark.asyncio(loop_scope="module")

GATEWAY = "gateway"
NOBODY = ""
CALLERS = {
    "system-1": Post.BUSINESS_SYSTEM.value,
    "person-first": Post.FIRST_REVIEWER.value,
    "person-second": Post.SECOND_REVIEWER.value,
    "person-manager": Post.SYSTEM_MANAGER.value,
    "person-supervisor": Post.SUPERVISOR.value,
    "person-officer": Post.SECURITY_OFFICER.value,
    "person-archivist": Post.ARCHIVIST.value,
    "person-nobody": NOBODY,
    "gateway-1": GATEWAY,
}
"""Credentials that every party has, and the post that each one holds."""
HOSTED = {FINANCE: {FINANCE, UNIT}, BANK: {BANK}}
"""Whose desks each gateway has."""

SERVICES = {
    service.full_name: service
    for file in (desk_pb2, registry_pb2, exchange_pb2, audit_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
}
METHODS = [
    f"/{name}/{method.name}"
    for name, service in SERVICES.items()
    for method in service.methods
]
EXCHANGE = "/counterfoil.exchange.v1.ExchangeService/"
NEVER = 2**40
"""A leaf that no log of a test has."""
REQUESTS: Mapping[str, bytes] = {
    # Else an admitted watcher would wait for something to happen.
    "/counterfoil.desk.v1.DeskService/Watch": desk_pb2.WatchRequest(
        after=NEVER
    ).SerializeToString(),
}
"""What is asked where an empty request would not be answered."""


def stated() -> dict[str, set[str]]:
    """Return which posts may call each method, as docs/posts.md says."""
    allowed: dict[str, set[str]] = {}
    service, posts = "", [""]
    for line in (ROOT / "docs" / "posts.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if line.startswith("#"):
            service = line.removeprefix("### ").strip("`")
        elif line.startswith("| method"):
            posts = cells
        elif line.startswith("| `") and service in SERVICES:
            pairs = zip(posts[1:], cells[1:], strict=True)
            allowed[f"/{service}/{cells[0]}"] = {post for post, yes in pairs if yes}
        elif line.startswith("* `counterfoil."):
            allowed["/" + line[2:].strip("`")] = {GATEWAY}
    return allowed


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def staffed(pair: Pair) -> Pair:
    """Return the pair; every party has somebody more, who holds no post."""
    for party in pair.town.parties:
        pair.town.ca.issue(party, "person", "nobody", now=datetime.now(UTC))
    return pair


async def _refusal(channel: grpc.aio.Channel, method: str) -> str:
    """Call a method with an empty request; return why the caller may not, or "".

    A refusal for any other reason than the caller's is one behind the guard.
    """
    service = SERVICES[method.split("/")[1]]
    described = service.methods_by_name[method.rpartition("/")[2]]
    kind = (
        ("stream" if described.client_streaming else "unary")
        + "_"
        + ("stream" if described.server_streaming else "unary")
    )
    request = REQUESTS.get(method, b"")
    call = getattr(channel, kind)(method)(
        request if kind.startswith("unary") else iter([request]), timeout=20
    )
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
            return await _refusal(channel, method)
        # Whoever was admitted is refused for the empty request, with a reason.
        return "" if reason else f"{error.code()}"
    return ""


def _expected(allowed: set[str], post: str, *, is_own: bool, is_known: bool) -> str:
    """Return the refusal that a caller must get; "" for none.

    Args:
        allowed: Who may, as the page says.
        post: What the caller holds.
        is_own: Whether the caller's party is hosted on the gateway.
        is_known: Whether the configuration names it.
    """
    if GATEWAY in allowed:
        return "" if post == GATEWAY and is_known else "CALLER_UNKNOWN"
    if post == GATEWAY or not is_own:
        return "CALLER_UNKNOWN"
    return "" if post in allowed else "POST_REFUSED"


@pytest.mark.parametrize("gateway", [FINANCE, BANK])
@pytest.mark.parametrize("party", [FINANCE, UNIT, BANK])
@pytest.mark.refusal("CALLER_UNKNOWN", "POST_REFUSED")
@pytest.mark.clause("hubei-9", "hubei-24", "hubei-36")
async def test_every_method_admits_whom_the_table_names_and_nobody_else(
    staffed: Pair, party: str, gateway: str
) -> None:
    page = stated()
    wrong, admitted = [], 0
    for credential, post in CALLERS.items():
        use, _, name = credential.partition("-")
        async with staffed.town.channel(party, use, name, at=gateway) as channel:
            found = await asyncio.gather(
                *(_refusal(channel, method) for method in METHODS)
            )
        for method, refusal in zip(METHODS, found, strict=True):
            is_own = party in HOSTED[gateway]
            expected = _expected(page[method], post, is_own=is_own, is_known=True)
            admitted += not refusal
            if refusal != expected:
                wrong.append(f"{method} {credential}: {refusal or 'admitted'}")

    assert wrong == []
    # The page has no empty columns: somebody of every party was let in somewhere.
    assert admitted


async def test_the_page_names_every_method_and_every_post() -> None:
    page = stated()

    assert set(page) == set(METHODS)
    assert set(ALLOWED) == {m for m in METHODS if not m.startswith(EXCHANGE)}
    assert set().union(*page.values()) == {*(post.value for post in Post), GATEWAY}


@pytest.mark.refusal("CALLER_UNKNOWN")
async def test_a_party_that_is_not_registered_has_neither_desk_nor_exchange(
    pair: Pair,
) -> None:
    pair.town.ca.add_party(OTHER_BANK, now=datetime.now(UTC))
    page = stated()

    for credential, post in (("system-1", "business-system"), ("gateway-1", GATEWAY)):
        use, _, name = credential.partition("-")
        async with pair.town.channel(OTHER_BANK, use, name, at=FINANCE) as channel:
            for method in METHODS:
                expected = _expected(page[method], post, is_own=False, is_known=False)
                assert await _refusal(channel, method) == expected
