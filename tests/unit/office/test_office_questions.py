"""What a desk tells without changing anything: sealed vouchers again, and searches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import grpc
import pytest

from counterfoil.desk.v1 import desk_pb2
from counterfoil.desk.v1.standing_pb2 import STANDING_ACCEPTED
from counterfoil.domain.refusals import VaultCorrupt, VoucherNotFound
from counterfoil.office import Corrupt, Defect, Desk, DeskRefused, Reference, VoucherKey
from counterfoil.wire.refusals import refusal_to_message
from tests.unit.office.loopback import Fails, Loopback, refused

KEY = VoucherKey(
    issuer="420000-011",
    adm_div="420000",
    fiscal_year=2026,
    type_code=5201,
    number="A1",
)


def references(count: int) -> list[Reference]:
    return [Reference(KEY, bytes([n % 256]) * 32) for n in range(count)]


def sealed_in(results: int) -> Callable[[bytes, object], AsyncIterator[bytes]]:
    """Give each voucher's digest as its document, so many results in a message."""

    async def give(encoded: bytes, _context: object) -> AsyncIterator[bytes]:
        wanted = desk_pb2.GetSealedRequest.FromString(encoded).vouchers
        for at in range(0, len(wanted), results):
            given = [
                desk_pb2.SealedResult(sealed=one.digest)
                for one in wanted[at : at + results]
            ]
            yield desk_pb2.GetSealedResponse(results=given).SerializeToString()

    return give


def asked_of_sealed(gateway: Loopback) -> list[int]:
    """Return how many vouchers each request asked for."""
    requests = map(desk_pb2.GetSealedRequest.FromString, gateway.requests["GetSealed"])
    return [len(one.vouchers) for one in requests]


def test_sealed_vouchers_come_in_order_a_few_at_a_time(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    gateway.streams["GetSealed"] = sealed_in(results=100)
    wanted = references(300)

    batches = list(desk().sealed(wanted))

    assert [len(batch) for batch in batches] == [100, 100, 56, 44]
    assert [one for batch in batches for one in batch] == [one.digest for one in wanted]
    assert asked_of_sealed(gateway) == [256, 44]


def test_the_next_request_waits_until_the_first_was_taken(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    gateway.streams["GetSealed"] = sealed_in(results=100)
    batches = desk().sealed(references(300))

    for _ in range(3):
        next(batches)
        assert asked_of_sealed(gateway) == [256]
    next(batches)

    assert asked_of_sealed(gateway) == [256, 44]


def test_a_voucher_that_is_not_given_is_returned_as_its_refusal(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    async def give(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        refusal = refusal_to_message(VoucherNotFound("not here"))
        results = [
            desk_pb2.SealedResult(refusal=refusal),
            desk_pb2.SealedResult(sealed=b"sealed"),
        ]
        yield desk_pb2.GetSealedResponse(results=results).SerializeToString()

    gateway.streams["GetSealed"] = give

    [(first, second)] = desk().sealed(references(2))

    assert isinstance(first, DeskRefused)
    assert first.reason == "VOUCHER_NOT_FOUND"
    assert second == b"sealed"


def test_after_the_line_broke_only_what_was_not_given_is_asked_again(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    give = sealed_in(results=2)

    async def breaking(request: bytes, context: object) -> AsyncIterator[bytes]:
        async for response in give(request, context):
            yield response
            if len(gateway.requests["GetSealed"]) < 3:
                raise Fails(grpc.StatusCode.UNAVAILABLE)

    gateway.streams["GetSealed"] = breaking
    wanted = references(7)

    given = [one for batch in desk().sealed(wanted) for one in batch]

    assert given == [one.digest for one in wanted]
    assert asked_of_sealed(gateway) == [7, 5, 3]


def test_what_no_longer_matches_the_log_is_not_asked_again(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    async def damaged(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        yield desk_pb2.GetSealedResponse(
            results=[desk_pb2.SealedResult(sealed=b"sound")]
        ).SerializeToString()
        raise refused(VaultCorrupt("a document does not match its leaf"))

    gateway.streams["GetSealed"] = damaged
    batches = desk().sealed(references(3))

    assert next(batches) == (b"sound",)
    with pytest.raises(Corrupt):
        next(batches)
    assert asked_of_sealed(gateway) == [3]


@pytest.mark.parametrize("results", [0, 1, 3])
def test_a_stream_that_gives_more_or_less_than_was_asked_is_a_defect(
    gateway: Loopback, desk: Callable[[], Desk], results: int
) -> None:
    async def give(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        given = [desk_pb2.SealedResult(sealed=b"sealed")] * results
        yield desk_pb2.GetSealedResponse(results=given).SerializeToString()

    gateway.streams["GetSealed"] = give

    with pytest.raises(Defect, match="GetSealed"):
        list(desk().sealed(references(2)))


def test_a_result_that_says_nothing_is_a_defect(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    async def give(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        yield desk_pb2.GetSealedResponse(
            results=[desk_pb2.SealedResult()]
        ).SerializeToString()

    gateway.streams["GetSealed"] = give

    with pytest.raises(Defect, match="neither given nor refused"):
        list(desk().sealed(references(1)))


def test_a_search_is_told_page_by_page_and_whole(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    pages = {"": (("a", "b"), "2"), "2": (("c",), "3"), "3": ((), "")}

    def search(encoded: bytes) -> bytes:
        request = desk_pb2.SearchRequest.FromString(encoded)
        recipients, token = pages[request.page_token]
        found = [
            desk_pb2.Found(recipient=one, standing=STANDING_ACCEPTED)
            for one in recipients
        ]
        return desk_pb2.SearchResponse(
            found=found, next_page_token=token
        ).SerializeToString()

    gateway.unary["Search"] = search
    asking = desk()

    by_page = [[one.recipient for one in page] for page in asking.search_pages()]

    assert by_page == [["a", "b"], ["c"]]
    assert [one.recipient for one in asking.search()] == ["a", "b", "c"]
