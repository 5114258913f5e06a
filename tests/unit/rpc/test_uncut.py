"""Drafts stay as they came; everything else of a request is read."""

from __future__ import annotations

from counterfoil.desk.v1 import desk_pb2 as pb
from counterfoil.rpc.uncut import uncut_handlers

DRAFTS = [
    pb.Draft(),
    pb.Draft(national=pb.NationalDocument(document=b"<xml/>", recipients=["x"])),
]


HANDLERS = uncut_handlers(None, None)


def test_a_submission_is_read_but_for_its_drafts() -> None:
    encoded = pb.SubmitRequest(batch=2**63, drafts=DRAFTS).SerializeToString()

    request = HANDLERS["Submit"].request_deserializer(encoded)

    assert request.batch == 2**63
    assert list(request.drafts) == [draft.SerializeToString() for draft in DRAFTS]


def test_drafts_to_write_are_not_read_either() -> None:
    encoded = pb.WriteRequest(drafts=DRAFTS).SerializeToString()

    request = HANDLERS["Write"].request_deserializer(encoded)

    assert list(request.drafts) == [draft.SerializeToString() for draft in DRAFTS]
