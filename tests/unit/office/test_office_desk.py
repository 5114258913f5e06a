from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import grpc
import pytest

from counterfoil.desk.v1 import desk_pb2
from counterfoil.desk.v1.standing_pb2 import STANDING_ACCEPTED
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.domain.refusals import (
    BatchTooLarge,
    CounterfoilError,
    PostRefused,
    VaultBusy,
    VaultFull,
    VoucherNotFound,
)
from counterfoil.office import (
    AsyncDesk,
    Busy,
    Defect,
    Desk,
    DeskRefused,
    Done,
    Forbidden,
    NationalDraft,
    OfficeError,
    Patience,
    Reference,
    Unreachable,
    VoucherKey,
    streams,
)
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.wire.refusals import refusal_to_message
from tests.unit.office.loopback import QUICK, Fails, Loopback, access_of, refused

KEY = VoucherKey(
    issuer="420000-011",
    adm_div="420000",
    fiscal_year=2026,
    type_code=5201,
    number="A1",
)


def references(count: int) -> list[Reference]:
    return [Reference(KEY, bytes([n % 256]) * 32) for n in range(count)]


def accept_all(request: bytes) -> bytes:
    items = desk_pb2.AcceptRequest.FromString(request).items
    return desk_pb2.AcceptResponse(
        results=[
            desk_pb2.Result(
                done=desk_pb2.Done(
                    digest=item.voucher.digest, leaf=7, standing=STANDING_ACCEPTED
                )
            )
            for item in items
        ]
    ).SerializeToString()


def failing(times: int, failure: Exception) -> Callable[[bytes], bytes]:
    left = [failure] * times

    def answer(request: bytes) -> bytes:
        if left:
            raise left.pop()
        return accept_all(request)

    return answer


def test_who_has_nothing_to_ask_waits_for_nobody(
    desk: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = desk()
    with monkeypatch.context() as patch:
        patch.delattr("counterfoil.office.blocking._Loop.wait_for")

        assert asking.accept(()) == []
        assert asking.seal((), send=True) == []


def test_300_items_go_in_two_requests_and_come_back_in_order(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    gateway.unary["Accept"] = accept_all

    outcomes = desk().accept(references(300))

    assert len(gateway.requests["Accept"]) == 2
    digests = [one.digest for one in outcomes if isinstance(one, Done)]
    assert digests == [one.digest for one in references(300)]


def write_all(request: bytes) -> bytes:
    """Write every voucher but the first as its digest."""
    _, *others = desk_pb2.GetNationalRequest.FromString(request).vouchers
    refusal = refusal_to_message(VoucherNotFound("not here"))
    return desk_pb2.GetNationalResponse(
        results=[
            desk_pb2.NationalResult(refusal=refusal),
            *(desk_pb2.NationalResult(document=one.digest) for one in others),
        ]
    ).SerializeToString()


@pytest.mark.parametrize(
    ("gb18030", "encoding"),
    [
        (None, desk_pb2.NATIONAL_ENCODING_UNSPECIFIED),
        (False, desk_pb2.NATIONAL_ENCODING_GBK),
        (True, desk_pb2.NATIONAL_ENCODING_GB18030),
    ],
)
def test_national_documents_come_in_order_or_are_refused_one_by_one(
    gateway: Loopback, desk: Callable[[], Desk], *, gb18030: bool | None, encoding: int
) -> None:
    gateway.unary["GetNational"] = write_all
    wanted = references(300)

    documents = desk().national(wanted, gb18030=gb18030)

    asked = map(desk_pb2.GetNationalRequest.FromString, gateway.requests["GetNational"])
    assert [(len(one.vouchers), one.encoding) for one in asked] == [
        (256, encoding),
        (44, encoding),
    ]
    for at, (document, one) in enumerate(zip(documents, wanted, strict=True)):
        if at in {0, 256}:
            assert isinstance(document, DeskRefused)
            assert document.reason == "VOUCHER_NOT_FOUND"
        else:
            assert document == one.digest


def test_what_an_answer_had_no_room_for_is_asked_for_again(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    def write_two(request: bytes) -> bytes:
        full = refusal_to_message(BatchTooLarge("the answer is full"))
        asked = desk_pb2.GetNationalRequest.FromString(request).vouchers
        return desk_pb2.GetNationalResponse(
            results=[
                desk_pb2.NationalResult(document=one.digest)
                if at < 2
                else desk_pb2.NationalResult(refusal=full)
                for at, one in enumerate(asked)
            ]
        ).SerializeToString()

    gateway.unary["GetNational"] = write_two
    wanted = references(7)

    assert desk().national(wanted) == [one.digest for one in wanted]
    assert len(gateway.requests["GetNational"]) == 4


def test_what_is_refused_for_good_is_not_asked_for_again(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    full = refusal_to_message(BatchTooLarge("the answer is full"))
    gateway.unary["GetNational"] = lambda _: desk_pb2.GetNationalResponse(
        results=[desk_pb2.NationalResult(refusal=full)]
    ).SerializeToString()

    (refused,) = desk().national(references(1))

    assert isinstance(refused, DeskRefused)
    assert len(gateway.requests["GetNational"]) == 1


def test_nothing_to_ask_asks_nothing(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    gateway.unary["Accept"] = accept_all

    assert desk().accept([]) == []
    assert gateway.requests["Accept"] == []
    assert list(desk().sealed([])) == []


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
    ],
)
def test_a_broken_call_is_tried_again_with_the_same_bytes(
    gateway: Loopback, desk: Callable[[], Desk], code: grpc.StatusCode
) -> None:
    gateway.unary["Accept"] = failing(2, Fails(code))

    [outcome] = desk().accept(references(1))

    assert isinstance(outcome, Done)
    first, second, third = gateway.requests["Accept"]
    assert first == second == third


def test_a_busy_vault_is_tried_again(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    gateway.unary["Accept"] = failing(1, refused(VaultBusy("slow down")))

    [outcome] = desk().accept(references(1))

    assert isinstance(outcome, Done)


@pytest.mark.parametrize(
    ("refusal", "kind"), [(PostRefused("no"), Forbidden), (VaultFull("full"), Busy)]
)
def test_a_refusal_is_raised_at_once(
    gateway: Loopback,
    desk: Callable[[], Desk],
    refusal: CounterfoilError,
    kind: type[DeskRefused],
) -> None:
    gateway.unary["Accept"] = failing(1, refused(refusal))

    with pytest.raises(kind) as caught:
        desk().accept(references(1))

    assert caught.value.reason == refusal.reason
    assert len(gateway.requests["Accept"]) == 1


def test_patience_ends(gateway: Loopback, desk: Callable[..., Desk]) -> None:
    gateway.unary["Accept"] = failing(10_000, Fails(grpc.StatusCode.UNAVAILABLE))

    with pytest.raises(Unreachable):
        desk(Patience(total_s=0.1, wait_s_min=0.01)).accept(references(1))

    assert len(gateway.requests["Accept"]) > 1


def test_every_call_has_a_deadline(
    gateway: Loopback, desk: Callable[..., Desk]
) -> None:
    async def never(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    gateway.streams["Inquire"] = never

    with pytest.raises(Unreachable, match="DEADLINE_EXCEEDED"):
        desk(Patience(call_s=0.2, total_s=0.0)).inquire(KEY)


def test_a_defect_of_the_gateway_is_not_tried_again(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    gateway.unary["Accept"] = failing(1, Fails(grpc.StatusCode.INTERNAL))

    with pytest.raises(Defect):
        desk().accept(references(1))


def test_an_answer_that_lacks_items_is_a_defect(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    gateway.unary["Accept"] = lambda _request: b""

    with pytest.raises(Defect, match="1 items were sent, 0 were answered"):
        desk().accept(references(1))


def test_a_refused_item_is_returned_in_its_place(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    refusal = sealed_pb2.Refusal(reason="DRAFT_NOT_FOUND", text="none")
    gateway.unary["Seal"] = lambda _request: desk_pb2.SealResponse(
        results=[
            desk_pb2.Result(refusal=refusal),
            desk_pb2.Result(
                done=desk_pb2.Done(digest=b"2", standing=STANDING_ACCEPTED)
            ),
        ]
    ).SerializeToString()

    first, second = desk().seal([b"1" * 32, b"2" * 32], send=True)

    assert isinstance(first, DeskRefused)
    assert first.reason == "DRAFT_NOT_FOUND"
    assert isinstance(second, Done)
    assert desk_pb2.SealRequest.FromString(gateway.requests["Seal"][0]).send


def test_a_person_without_a_trusted_certificate_gets_no_line(
    ca: DevelopmentCa, gateway: Loopback, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = DevelopmentCa.create(
        tmp_path_factory.mktemp("other"), ["420000-011"], now=datetime.now(UTC)
    )
    gateway.unary["Accept"] = accept_all
    gateway.start()
    stranger = access_of(other, "system", "1")

    with (
        Desk(gateway.address, stranger, Patience(call_s=2.0, total_s=0.0)) as desk,
        pytest.raises(Unreachable),
    ):
        desk.accept(references(1))

    assert gateway.requests["Accept"] == []


def arrivals(*leaves: int) -> bytes:
    return desk_pb2.ReadResponse(
        arrivals=[desk_pb2.Arrival(leaf=leaf, digest=bytes([leaf])) for leaf in leaves]
    ).SerializeToString()


def test_reading_goes_on_after_the_line_broke(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    streams = [[arrivals(1, 2)], [arrivals(2, 3)]]

    async def read(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        for response in streams.pop(0):
            yield response
        if streams:
            raise Fails(grpc.StatusCode.UNAVAILABLE)
        await asyncio.Event().wait()

    gateway.streams["Read"] = read
    batches = desk().read(follow=True)

    told = [[one.leaf for one in next(batches)] for _ in range(2)]
    batches.close()  # type: ignore[attr-defined]

    assert told == [[1, 2], [2, 3]]
    assert len(set(gateway.requests["Read"])) == 1


def test_a_silent_stream_that_breaks_now_and_then_is_read_for_ever(
    gateway: Loopback, desk: Callable[..., Desk]
) -> None:
    breaks = 5

    async def read(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        nonlocal breaks
        if breaks:
            breaks -= 1
            # Longer than a call may take, together longer than patience lasts.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 0.1)
            raise Fails(grpc.StatusCode.UNAVAILABLE)
        yield arrivals(1)
        await asyncio.Event().wait()

    gateway.streams["Read"] = read
    batches = desk(Patience(call_s=0.1, total_s=0.2, wait_s_min=0.01)).read(follow=True)

    [arrival] = next(batches)
    batches.close()  # type: ignore[attr-defined]

    assert arrival.leaf == 1
    assert breaks == 0


def test_what_is_known_is_not_told_again(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    async def read(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        yield arrivals(1, 2, 3)

    gateway.streams["Read"] = read

    [batch] = desk().read(known=lambda arrival: arrival.digest == b"\2")

    assert [one.leaf for one in batch] == [1, 3]


def test_silence_is_told_and_does_not_break_the_stream(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    told = threading.Event()

    async def read(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        await asyncio.to_thread(told.wait, 5)
        yield arrivals(1)

    gateway.streams["Read"] = read
    batches = desk().read(idle_s=0.02)

    assert next(batches) == ()
    told.set()
    rest = [batch for batch in batches if batch]

    assert [one.leaf for [one] in rest] == [1]
    assert len(gateway.requests["Read"]) == 1


def test_what_comes_soon_after_the_first_comes_with_it(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    told = threading.Event()

    async def read(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        for leaf in (1, 2, 3):
            yield arrivals(leaf)
        await asyncio.to_thread(told.wait, 5)
        yield arrivals(4)

    gateway.streams["Read"] = read
    batches = desk().read(gather_s=0.5)

    together = next(batches)
    told.set()

    assert [one.leaf for one in together] == [1, 2, 3]
    assert [[one.leaf for one in batch] for batch in batches] == [[4]]


def test_who_gathers_is_told_of_what_came_before_a_refusal(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    async def read(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        yield arrivals(1)
        raise Fails(grpc.StatusCode.PERMISSION_DENIED)

    gateway.streams["Read"] = read
    batches = desk().read(gather_s=30)

    assert [one.leaf for one in next(batches)] == [1]
    with pytest.raises(OfficeError):
        next(batches)


def test_a_gathered_batch_is_no_larger_than_a_request(
    gateway: Loopback, desk: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "BATCH_BYTES_MAX", len(arrivals(1)) * 2)

    async def read(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        for leaf in (1, 2, 3):
            yield arrivals(leaf)

    gateway.streams["Read"] = read

    told = [[one.leaf for one in batch] for batch in desk().read(gather_s=30)]

    assert told == [[1, 2], [3]]


def drafts(count: int) -> list[NationalDraft]:
    # Of half a batch each, so that every third begins a new batch.
    return [
        NationalDraft(document=b"x" * 500_000, recipients=(f"420000-{n:03}",))
        for n in range(count)
    ]


def answer_to(request: desk_pb2.SubmitRequest, number: int) -> bytes:
    results = [
        desk_pb2.Result(
            done=desk_pb2.Done(
                digest=draft.national.recipients[0].encode(), standing=STANDING_ACCEPTED
            )
        )
        for draft in request.drafts
    ]
    return desk_pb2.SubmitResponse(batch=number, results=results).SerializeToString()


async def test_no_more_batches_are_under_way_than_the_window_has(
    ca: DevelopmentCa, gateway: Loopback
) -> None:
    waiting_max = 0

    async def submit(
        requests: AsyncIterator[bytes], _context: object
    ) -> AsyncIterator[bytes]:
        nonlocal waiting_max
        waiting: list[bytes] = []
        number = 0
        async for request in requests:
            waiting.append(request)
            waiting_max = max(waiting_max, len(waiting))
            if len(waiting) < 2 and number < 4:
                continue
            for one in waiting:
                number += 1
                yield answer_to(desk_pb2.SubmitRequest.FromString(one), number)
            waiting.clear()

    gateway.streams["Submit"] = submit
    gateway.start()
    async with AsyncDesk(gateway.address, access_of(ca, "system", "1"), QUICK) as desk:
        outcomes = await desk.submit(drafts(10), window=2)

    assert waiting_max == 2
    assert [one.digest for one in outcomes if isinstance(one, Done)] == [
        f"420000-{n:03}".encode() for n in range(10)
    ]


async def test_a_submission_goes_on_behind_the_last_answer(
    ca: DevelopmentCa, gateway: Loopback
) -> None:
    seen: list[list[str]] = []

    async def submit(
        requests: AsyncIterator[bytes], _context: object
    ) -> AsyncIterator[bytes]:
        seen.append([])
        number = 0
        async for encoded in requests:
            request = desk_pb2.SubmitRequest.FromString(encoded)
            seen[-1].append(request.drafts[0].national.recipients[0])
            number += 1
            assert request.batch == number
            if len(seen) == 1 and number == 2:
                raise Fails(grpc.StatusCode.UNAVAILABLE)
            yield answer_to(request, number)

    gateway.streams["Submit"] = submit
    gateway.start()
    async with AsyncDesk(gateway.address, access_of(ca, "system", "1"), QUICK) as desk:
        outcomes = await desk.submit(drafts(6), window=1)

    assert seen == [["420000-000", "420000-002"], ["420000-002", "420000-004"]]
    assert len(outcomes) == 6


def test_a_watch_goes_on_behind_the_last_change(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    async def watch(request: bytes, _context: object) -> AsyncIterator[bytes]:
        after = desk_pb2.WatchRequest.FromString(request).after
        yield desk_pb2.WatchResponse(
            changes=[desk_pb2.Change(leaf=after + 1, standing=STANDING_ACCEPTED)]
        ).SerializeToString()
        raise Fails(grpc.StatusCode.UNAVAILABLE)

    gateway.streams["Watch"] = watch
    changes = desk().watch(41)

    told = [next(changes)[0].leaf for _ in range(3)]
    changes.close()  # type: ignore[attr-defined]

    assert told == [42, 43, 44]


def test_a_watch_from_the_start_goes_on_behind_what_it_saw(
    gateway: Loopback, desk: Callable[[], Desk]
) -> None:
    asked: list[desk_pb2.WatchRequest] = []

    async def watch(request: bytes, _context: object) -> AsyncIterator[bytes]:
        asked.append(desk_pb2.WatchRequest.FromString(request))
        if len(asked) > 1:
            # The first call broke before anything was told.
            leaf = asked[-1].after + 1 if asked[-1].HasField("after") else 0
            yield desk_pb2.WatchResponse(
                changes=[desk_pb2.Change(leaf=leaf, standing=STANDING_ACCEPTED)]
            ).SerializeToString()
        raise Fails(grpc.StatusCode.UNAVAILABLE)

    gateway.streams["Watch"] = watch
    changes = desk().watch(from_start=True)

    told = [next(changes)[0].leaf for _ in range(3)]
    changes.close()  # type: ignore[attr-defined]

    assert told == [0, 1, 2]
    assert [one.HasField("after") for one in asked[:3]] == [False, False, True]
    assert all(one.from_start for one in asked)


def test_a_search_reads_all_pages(gateway: Loopback, desk: Callable[[], Desk]) -> None:
    def search(request: bytes) -> bytes:
        token = desk_pb2.SearchRequest.FromString(request).page_token
        found = desk_pb2.Found(recipient=token, standing=STANDING_ACCEPTED)
        following = {"": "a", "a": "b", "b": ""}[token]
        return desk_pb2.SearchResponse(
            found=[found], next_page_token=following
        ).SerializeToString()

    gateway.unary["Search"] = search

    found = desk().search(types=[5201], party="420000-102")

    assert [one.recipient for one in found] == ["", "a", "b"]
