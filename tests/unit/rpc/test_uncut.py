"""Drafts and seals stay as they came; everything else of a request is read."""

from __future__ import annotations

import pytest

from counterfoil.desk.v1 import desk_pb2 as pb
from counterfoil.domain.refusals import FormRefused, MalformedPayload
from counterfoil.rpc.uncut import reviews_of, uncut_handlers
from counterfoil.sealed.v1 import sealed_pb2

DRAFTS = [
    pb.Draft(),
    pb.Draft(national=pb.NationalDocument(document=b"<xml/>", recipients=["x"])),
]


HANDLERS = uncut_handlers(None, None, None)


def test_a_submission_is_read_but_for_its_drafts() -> None:
    encoded = pb.SubmitRequest(batch=2**63, drafts=DRAFTS).SerializeToString()

    request = HANDLERS["Submit"].request_deserializer(encoded)

    assert request.batch == 2**63
    assert list(request.drafts) == [draft.SerializeToString() for draft in DRAFTS]


def test_drafts_to_write_are_not_read_either() -> None:
    encoded = pb.WriteRequest(drafts=DRAFTS).SerializeToString()

    request = HANDLERS["Write"].request_deserializer(encoded)

    assert list(request.drafts) == [draft.SerializeToString() for draft in DRAFTS]


SEAL = sealed_pb2.Seal(
    statement=b"statement",
    signature=b"signature",
    batch=sealed_pb2.BatchPath(index=1, size=2, hashes=[bytes(32)]),
)


def read_reviews(request: pb.ReviewRequest) -> list[tuple[bytes, bytes]]:
    encoded = request.SerializeToString()
    return reviews_of(HANDLERS["Review"].request_deserializer(encoded))


def test_reviews_are_read_but_for_their_seals() -> None:
    digests = [bytes((number,)) * 32 for number in range(3)]
    reviews = [pb.ReviewItem(digest=digest, seal=SEAL) for digest in digests]

    assert read_reviews(pb.ReviewRequest(reviews=reviews)) == [
        (digest, SEAL.SerializeToString()) for digest in digests
    ]


@pytest.mark.parametrize(
    ("item", "path"),
    [
        (pb.ReviewItem(digest=bytes(31), seal=SEAL), "reviews[1].digest"),
        (pb.ReviewItem(digest=bytes(33), seal=SEAL), "reviews[1].digest"),
        (pb.ReviewItem(seal=SEAL), "reviews[1].digest"),
        (pb.ReviewItem(digest=bytes(32)), "reviews[1].seal"),
    ],
)
def test_one_review_that_breaks_a_rule_stops_the_request(
    item: pb.ReviewItem, path: str
) -> None:
    plain = pb.ReviewItem(digest=bytes(32), seal=SEAL)

    with pytest.raises(FormRefused) as refused:
        read_reviews(pb.ReviewRequest(reviews=[plain, item, plain]))

    assert [one.path for one in refused.value.violations] == [path]


def test_a_request_without_reviews_is_refused() -> None:
    with pytest.raises(FormRefused) as refused:
        read_reviews(pb.ReviewRequest())

    assert [one.path for one in refused.value.violations] == ["reviews"]


def test_a_seal_that_says_nothing_is_for_the_judge_of_seals() -> None:
    item = pb.ReviewItem(digest=bytes(32), seal=sealed_pb2.Seal())

    assert read_reviews(pb.ReviewRequest(reviews=[item])) == [(bytes(32), b"")]


@pytest.mark.refusal("MALFORMED_PAYLOAD")
@pytest.mark.parametrize(
    "review",
    [
        b"\xff",
        pb.ReviewItem(seal=SEAL).SerializeToString() + b"\x12\x01\xff",
    ],
)
def test_bytes_that_are_no_review_are_refused_as_such(review: bytes) -> None:
    request = pb.ReviewRequest().SerializeToString() + bytes((10, len(review))) + review

    with pytest.raises(MalformedPayload):
        reviews_of(HANDLERS["Review"].request_deserializer(request))
