"""No number that a field can hold is a defect: it is answered, or refused."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any, cast

import grpc
import pytest
from google.protobuf.message import Message

from counterfoil.desk.v1 import desk_pb2, desk_pb2_grpc
from counterfoil.exchange.v1 import exchange_pb2, exchange_pb2_grpc
from counterfoil.registry.v1 import registry_pb2, registry_pb2_grpc
from counterfoil.rpc.answers import _conditions, query_of
from counterfoil.sealed.v1 import voucher_pb2
from tests.houses import BANK, FINANCE
from tests.integration.conftest import Pair

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNSIGNED: list[Any] = [2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1]
SIGNED: list[Any] = [-(2**31), -1, 2**31 - 1]
DIGEST = b"d" * 32


def key(**changes: Any) -> voucher_pb2.VoucherKey:  # noqa: ANN401
    stated: dict[str, Any] = {
        "issuer": "9" * 9 + "-" + "z" * 21,
        "adm_div": "9" * 9,
        "fiscal_year": 2999,
        "type": 108_201,
        "number": "~" * 42,
        "issue": 999,
    }
    return voucher_pb2.VoucherKey(**(stated | changes))


LEAVES = [-1, 2**63 - 1, 2**63, 2**64, 10**40, True, 1.5]


def token(leaf: float) -> str:
    """Return a page token of a search without conditions, from this leaf on."""
    query = query_of(desk_pb2.SearchRequest(), desk=BANK)
    text = json.dumps([_conditions(query), leaf, FINANCE])
    return urlsafe_b64encode(text.encode()).decode()


REFERENCE = voucher_pb2.VoucherReference(key=key(), digest=DIGEST)
DESK: list[tuple[str, Message]] = [
    *[("Watch", desk_pb2.WatchRequest(after=each)) for each in UNSIGNED],
    *[("Acknowledge", desk_pb2.AcknowledgeRequest(leaves=[each])) for each in UNSIGNED],
    *[("Search", desk_pb2.SearchRequest(fiscal_year=each)) for each in SIGNED],
    *[("Search", desk_pb2.SearchRequest(types=[each])) for each in SIGNED],
    *[("Search", desk_pb2.SearchRequest(types=[each] * 40_000)) for each in SIGNED],
    ("Search", desk_pb2.SearchRequest(types=cast("Any", range(1, 70_000)))),
    *[("Search", desk_pb2.SearchRequest(standings=[each])) for each in SIGNED],
    *[("Read", desk_pb2.ReadRequest(types=[each] * 40_000)) for each in SIGNED],
    *[
        ("Search", desk_pb2.SearchRequest(page_token=each))
        for each in map(token, LEAVES)
    ],
    ("Search", desk_pb2.SearchRequest(party="𠀀" * 31, number_prefix="\0%_'𠀀")),
    ("Search", desk_pb2.SearchRequest(page_size=500, number_prefix="~" * 42)),
    *[
        ("Inquire", desk_pb2.InquireRequest(key=key(type=each, issue=1)))
        for each in [*SIGNED, 0]
    ],
    ("Inquire", desk_pb2.InquireRequest(key=key())),
    ("GetSealed", desk_pb2.GetSealedRequest(vouchers=[REFERENCE] * 256)),
    ("GetNational", desk_pb2.GetNationalRequest(vouchers=[REFERENCE] * 256)),
    ("Send", desk_pb2.SendRequest(vouchers=[REFERENCE] * 256)),
    *[
        (
            "Return",
            desk_pb2.ReturnRequest(
                items=[desk_pb2.StepItem(voucher=REFERENCE, explanation="𠀀" * 200)]
            ),
        )
    ],
]
EXCHANGE: list[tuple[str, Message]] = [
    *[("GetProof", exchange_pb2.GetProofRequest(leaf=each)) for each in UNSIGNED],
    *[("GetProof", exchange_pb2.GetProofRequest(older_size=each)) for each in UNSIGNED],
    *[
        ("GetProof", exchange_pb2.GetProofRequest(leaf=0, tree_size=each))
        for each in UNSIGNED
    ],
    *[
        ("GetProof", exchange_pb2.GetProofRequest(older_size=1, tree_size=each))
        for each in UNSIGNED
    ],
    ("GetProgress", exchange_pb2.GetProgressRequest(vouchers=[REFERENCE] * 256)),
]
REGISTRY: list[tuple[str, Message]] = [
    *[
        ("ListRegistrations", registry_pb2.ListRegistrationsRequest(after=each))
        for each in UNSIGNED
    ],
    ("ListCertificates", registry_pb2.ListCertificatesRequest(party="𠀀" * 31)),
]


async def answered(call: Any) -> grpc.StatusCode:  # noqa: ANN401
    """Return how a call ends; a stream that stays open ends by being cancelled."""
    try:
        if hasattr(call, "__aiter__"):
            async for _ in call:
                pass
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def named(case: tuple[str, Message]) -> str:
    return f"{case[0]} {str(case[1])[:40].strip()}"


FINE = {
    grpc.StatusCode.OK,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.DEADLINE_EXCEEDED,
}


@pytest.mark.parametrize("case", DESK, ids=named)
async def test_a_desk_answers_whatever_number_it_is_asked(
    pair: Pair, case: tuple[str, Message]
) -> None:
    method, request = case
    async with pair.town.channel(BANK) as channel:
        stub = desk_pb2_grpc.DeskServiceStub(channel)
        assert await answered(getattr(stub, method)(request, timeout=10)) in FINE


@pytest.mark.parametrize("case", EXCHANGE, ids=named)
async def test_a_peer_is_answered_whatever_number_it_asks(
    pair: Pair, case: tuple[str, Message]
) -> None:
    method, request = case
    async with pair.town.channel(BANK, "gateway", at=FINANCE) as channel:
        stub = exchange_pb2_grpc.ExchangeServiceStub(channel)
        assert await answered(getattr(stub, method)(request, timeout=10)) in FINE


@pytest.mark.parametrize("case", REGISTRY, ids=named)
async def test_the_register_answers_whatever_number_it_is_asked(
    pair: Pair, case: tuple[str, Message]
) -> None:
    method, request = case
    async with pair.town.channel(FINANCE, "person", "officer") as channel:
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        assert await answered(getattr(stub, method)(request, timeout=10)) in FINE


@pytest.mark.parametrize(
    "case",
    [
        ("Search", desk_pb2.SearchRequest(types=cast("Any", range(257)))),
        ("Search", desk_pb2.SearchRequest(standings=cast("Any", [1] * 65))),
        ("Read", desk_pb2.ReadRequest(types=cast("Any", range(257)))),
    ],
    ids=named,
)
async def test_no_list_is_longer_than_a_database_takes(
    pair: Pair, case: tuple[str, Message]
) -> None:
    method, request = case
    async with pair.town.channel(BANK) as channel:
        stub = desk_pb2_grpc.DeskServiceStub(channel)
        code = await answered(getattr(stub, method)(request, timeout=10))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
