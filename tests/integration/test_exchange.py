"""What a peer may put into a vault, and what is refused, over the exchange service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from random import Random

import grpc
import pytest
import pytest_asyncio

from counterfoil.domain.catalogue import SealPurpose
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.exchange.v1 import exchange_pb2_grpc
from counterfoil.office import NotFound
from counterfoil.sealed.v1 import voucher_pb2
from tests.houses import BANK, FINANCE, OTHER_BANK, UNIT, Town, running
from tests.integration.desks import reason_of
from tests.integration.hand import (
    Hand,
    call_error,
    outcomes,
    payload_of,
    with_payload,
    without_seal,
)
from tests.integration.papers import Papers, notice

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB = 1_048_576


@dataclass(frozen=True, slots=True)
class Post:
    """Finance's and the bank's gateways, and the hands of three parties."""

    town: Town
    papers: Papers
    bank: Hand
    other: Hand
    finance: Hand

    async def size(self, party: str = FINANCE) -> int:
        """Return how many leaves a log has, by its checkpoint."""
        async with self.town.channel(party, "gateway") as channel:
            answer = await exchange_pb2_grpc.ExchangeServiceStub(channel).GetCheckpoint(
                pb.GetCheckpointRequest()
            )
        return int(answer.checkpoint.splitlines()[1])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def post(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Post]:
    town = Town(
        directory=tmp_path_factory.mktemp("post"), carriers=(FINANCE, BANK, OTHER_BANK)
    )
    town.initialise(FINANCE, BANK)
    async with running(town, FINANCE, BANK):
        yield Post(
            town,
            Papers(),
            Hand(town, BANK),
            Hand(town, OTHER_BANK),
            Hand(town, FINANCE),
        )


@pytest.mark.clause("hubei-19b")
async def test_the_same_bytes_again_are_answered_with_their_first_place(
    post: Post,
) -> None:
    documents = post.bank.seal([post.papers.notice() for _ in range(3)])
    first = await post.bank.deliver_one(documents, at=FINANCE)
    size = await post.size()

    again = await post.bank.deliver_one([*documents, documents[0]], at=FINANCE)

    assert outcomes(first) == ["stored"] * 3
    assert outcomes(again) == ["known"] * 4
    assert [one.known.leaf for one in again.outcomes] == [
        first.first_leaf,
        first.first_leaf + 1,
        first.first_leaf + 2,
        first.first_leaf,
    ]
    assert again.outcomes[0].known.arrival_time == first.arrival_time
    assert again.new_count == 0
    assert await post.size() == size


async def test_the_same_document_twice_in_a_batch_is_stored_once(post: Post) -> None:
    (document,) = post.bank.seal([post.papers.notice()])

    answer = await post.bank.deliver_one([document, document], at=FINANCE)

    assert outcomes(answer) == ["stored", "known"]
    assert answer.outcomes[1].known.leaf == answer.first_leaf


async def test_a_recorded_stream_can_be_replayed_reordered_and_spliced_in_vain(
    post: Post,
) -> None:
    chance = Random(5)  # noqa: S311 -- an order, no secret
    streams = [
        [
            post.bank.request(
                post.bank.seal([post.papers.notice() for _ in range(2)]), batch
            )
            for batch in (1, 2, 3)
        ]
        for _ in range(2)
    ]
    for stream in streams:
        answers = await post.bank.deliver(stream, at=FINANCE)
        assert [outcomes(one) for one in answers] == [["stored", "stored"]] * 3
    size = await post.size()

    everything = [request for stream in streams for request in stream]
    reordered = chance.sample(everything, len(everything))
    spliced = [
        pb.DeliverRequest(
            batch=1,
            documents=[streams[0][0].documents[1], streams[1][2].documents[0]],
            certificates=streams[1][1].certificates,
        )
    ]
    for recorded in (streams[0], reordered, spliced):
        answers = await post.bank.deliver(recorded, at=FINANCE)
        assert {word for one in answers for word in outcomes(one)} == {"known"}

    assert await post.size() == size


async def test_batches_may_come_in_any_order(post: Post) -> None:
    requests = [
        post.bank.request(post.bank.seal([post.papers.notice()]), number)
        for number in (3, 1, 2)
    ]

    answers = await post.bank.deliver(requests, at=FINANCE)

    assert [answer.batch for answer in answers] == [3, 1, 2]
    assert [outcomes(one) for one in answers] == [["stored"]] * 3


@pytest.mark.clause("hubei-9")
async def test_nobody_delivers_what_another_party_issued(post: Post) -> None:
    (document,) = post.bank.seal([post.papers.notice()])
    size = await post.size()
    async with post.town.channel(OTHER_BANK, "gateway", at=FINANCE) as channel:
        call = exchange_pb2_grpc.ExchangeServiceStub(channel).Deliver(
            iter([post.bank.request([document])])
        )
        (answer,) = [response async for response in call]

    assert outcomes(answer) == ["NOT_THE_ISSUER"]
    assert await post.size() == size
    # The refusal held up nothing: the issuer itself delivers it.
    rightful = await post.bank.deliver_one([document], at=FINANCE)
    assert outcomes(rightful) == ["stored"]


async def test_nothing_is_taken_for_a_party_that_is_hosted_elsewhere(
    post: Post,
) -> None:
    documents = post.bank.seal([notice(880_001, BANK, OTHER_BANK)])

    answer = await post.bank.deliver_one(documents, at=FINANCE)

    assert outcomes(answer) == ["NOT_A_RECIPIENT"]


async def test_a_voucher_goes_only_where_the_catalogue_lets_it_go(post: Post) -> None:
    # An entry notice is for budget units, not for the finance department.
    documents = post.bank.seal([notice(880_002, BANK, FINANCE)])

    answer = await post.bank.deliver_one(documents, at=FINANCE)

    assert outcomes(answer) == ["DIRECTION_REFUSED"]


@pytest.mark.clause("hubei-15a")
async def test_a_document_of_no_agreed_type_is_refused(post: Post) -> None:
    (document,) = post.bank.seal([post.papers.notice()])
    voucher = voucher_pb2.Voucher.FromString(payload_of(document))
    voucher.key.type = 5201  # type: ignore[assignment]
    other_form = post.bank.seal_bytes(
        voucher.SerializeToString(), "ywzyz", SealPurpose.BUSINESS
    )
    voucher.key.type = 4711  # type: ignore[assignment]
    no_type = post.bank.seal_bytes(
        voucher.SerializeToString(), "ywzyz", SealPurpose.BUSINESS
    )
    voucher.key.type = 2205  # type: ignore[assignment]
    voucher.ClearField("form")
    no_form = post.bank.seal_bytes(
        voucher.SerializeToString(), "ywzyz", SealPurpose.BUSINESS
    )

    answer = await post.bank.deliver_one([other_form, no_type, no_form], at=FINANCE)

    words = outcomes(answer)
    assert words[0] == "MALFORMED_PAYLOAD"
    assert words[1] in {"MALFORMED_PAYLOAD", "FORM_REFUSED"}
    assert words[2] == "MALFORMED_PAYLOAD"


@pytest.mark.clause("hubei-33")
async def test_a_number_carries_one_content_for_ever(post: Post) -> None:
    first, second = (
        notice(880_003, BANK, UNIT, amount_fen=fen) for fen in (10_000, 90_000)
    )
    (before,) = post.bank.seal([first])
    (behind,) = post.bank.seal([second])
    await post.bank.deliver_one([before], at=FINANCE)

    answer = await post.bank.deliver_one([behind, before], at=FINANCE)

    assert outcomes(answer) == ["VOUCHER_KEY_REUSED", "known"]


@pytest.mark.clause("hubei-11", "hubei-33")
async def test_a_changed_byte_of_payload_or_signature_is_found(post: Post) -> None:
    (document,) = post.bank.seal([post.papers.notice()])
    payload = payload_of(document)
    changed = payload.replace("武汉光明".encode(), "武汉光民".encode())
    assert changed != payload
    signature = bytearray(document)
    signature[-1] ^= 1

    answer = await post.bank.deliver_one(
        [with_payload(document, changed), bytes(signature), document], at=FINANCE
    )

    assert outcomes(answer) == ["SEAL_FORGED", "SEAL_FORGED", "stored"]


@pytest.mark.clause("hubei-11")
async def test_no_seal_can_be_stripped_from_a_reviewed_voucher(post: Post) -> None:
    document = post.finance.seal_reviewed(post.papers.direct_payment())
    first, second, institution = (without_seal(document, index) for index in range(3))
    bare = without_seal(without_seal(first, 0), 0)

    answer = await post.finance.deliver_one(
        [first, second, institution, bare, document], at=BANK
    )

    assert outcomes(answer) == [
        "SEAL_FORGED",
        "SEAL_FORGED",
        "SEAL_MISSING",
        "SEAL_MISSING",
        "stored",
    ]


@pytest.mark.clause("hubei-19b")
async def test_in_a_mixed_batch_each_document_has_its_own_outcome(post: Post) -> None:
    good = [post.papers.notice() for _ in range(3)]
    sealed = post.bank.seal(good)
    (misdirected,) = post.bank.seal([notice(880_004, BANK, OTHER_BANK)])
    reused = replace(good[0], form=notice(1, BANK, UNIT, amount_fen=77).form)
    fields = {**reused.form.fields, "voucher_no": good[0].key.number}
    (second_content,) = post.bank.seal(
        [replace(reused, form=replace(reused.form, fields=fields))]
    )
    batch = [
        sealed[0],
        b"no document at all",
        sealed[1],
        with_payload(sealed[1], b"something else"),
        misdirected,
        second_content,
        sealed[2],
    ]

    answer = await post.bank.deliver_one(batch, at=FINANCE)

    assert outcomes(answer) == [
        "stored",
        "MALFORMED_PAYLOAD",
        "stored",
        "SEAL_FORGED",
        "NOT_A_RECIPIENT",
        "VOUCHER_KEY_REUSED",
        "stored",
    ]
    assert answer.new_count == 3
    async with post.town.desk(UNIT) as unit:
        for voucher in good:
            way = await unit.inquire(voucher.key)
            assert way.voucher.key == voucher.key
        with pytest.raises(NotFound):
            await unit.inquire(notice(880_004, BANK, UNIT).key)


@pytest.mark.clause("hubei-19b")
async def test_a_refusal_says_why_in_both_languages(post: Post) -> None:
    answer = await post.bank.deliver_one([b"no document"], at=FINANCE)

    refusal = answer.outcomes[0].refusal
    assert refusal.reason == "MALFORMED_PAYLOAD"
    assert refusal.text == "not a sealed document"
    assert refusal.text_zh == "报文不是所声明的凭证"
    assert not refusal.retryable


@pytest.mark.parametrize(
    "documents",
    [
        pytest.param([b"x"] * 257, id="257 documents"),
        pytest.param([b"x" * (MIB // 2 + 1)] * 2, id="two of over half a MiB"),
    ],
)
@pytest.mark.refusal("BATCH_TOO_LARGE")
async def test_a_batch_beyond_its_bounds_is_refused_before_it_is_parsed(
    post: Post, documents: list[bytes]
) -> None:
    # None of these is a document: had one been parsed, the answer would be another.
    async with post.town.channel(BANK, "gateway", at=FINANCE) as channel:
        stub = exchange_pb2_grpc.ExchangeServiceStub(channel)
        call = stub.Deliver(iter([pb.DeliverRequest(batch=1, documents=documents)]))

        error = await call_error(call)

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(error) == "BATCH_TOO_LARGE"


@pytest.mark.refusal("BATCH_TOO_LARGE")
async def test_a_document_beyond_its_bounds_is_refused_and_the_stream_goes_on(
    post: Post,
) -> None:
    documents = [[b"x" * (MIB + 1)], [b"no document"]]
    async with post.town.channel(BANK, "gateway", at=FINANCE) as channel:
        stub = exchange_pb2_grpc.ExchangeServiceStub(channel)
        call = stub.Deliver(
            iter(
                pb.DeliverRequest(batch=at, documents=batch)
                for at, batch in enumerate(documents, 1)
            )
        )
        answers = [answer async for answer in call]

    told = [outcomes(answer) for answer in answers]
    assert told == [["BATCH_TOO_LARGE"], ["MALFORMED_PAYLOAD"]]
    assert answers[0].outcomes[0].refusal.facts == {"max": str(MIB)}


@pytest.mark.parametrize(
    "documents",
    [
        pytest.param([b"x"] * 256, id="256 documents"),
        pytest.param([b"x" * MIB], id="one of a MiB"),
    ],
)
async def test_a_batch_at_its_bounds_is_looked_at(
    post: Post, documents: list[bytes]
) -> None:
    answer = await post.bank.deliver_one(documents, at=FINANCE)

    assert set(outcomes(answer)) == {"MALFORMED_PAYLOAD"}


async def test_a_message_of_more_than_two_mebibytes_is_not_even_read(
    post: Post,
) -> None:
    async with post.town.channel(BANK, "gateway", at=FINANCE) as channel:
        stub = exchange_pb2_grpc.ExchangeServiceStub(channel)
        call = stub.Deliver(
            iter([pb.DeliverRequest(batch=1, documents=[b"x" * (2 * MIB)])])
        )

        error = await call_error(call)

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(pb.DeliverRequest(batch=1), id="no document"),
        pytest.param(
            pb.DeliverRequest(batch=1, documents=[b"x"], certificates=[b"x"] * 65),
            id="65 certificates",
        ),
        pytest.param(
            pb.DeliverRequest(batch=1, documents=[b"x"], certificates=[b"x" * 100_000]),
            id="a certificate of 100 kB",
        ),
        pytest.param(
            pb.DeliverRequest(
                batch=1, documents=[b"x"], revocation_answers=[b"x"] * 65
            ),
            id="65 answers",
        ),
        pytest.param(
            pb.DeliverRequest(
                batch=1, documents=[b"x"], revocation_answers=[b"x" * 16_385]
            ),
            id="an answer of more than 16 kB",
        ),
    ],
)
@pytest.mark.refusal("BATCH_TOO_LARGE")
async def test_a_batch_with_nothing_or_with_too_much_beside_is_refused(
    post: Post, request_: pb.DeliverRequest
) -> None:
    async with post.town.channel(BANK, "gateway", at=FINANCE) as channel:
        stub = exchange_pb2_grpc.ExchangeServiceStub(channel)

        error = await call_error(stub.Deliver(iter([request_])))

    assert reason_of(error) == "BATCH_TOO_LARGE"
