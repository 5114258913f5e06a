"""What became of items, encoded by hand, is what the messages say."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from counterfoil.desk.v1 import desk_pb2 as pb
from counterfoil.desk.v1 import standing_pb2
from counterfoil.domain.deeds import Outcome, Recorded
from counterfoil.domain.draft_seals import DraftSeals
from counterfoil.domain.drafts import DraftRow
from counterfoil.domain.refusals import FormRefused, NotInState, VoucherKeyReused
from counterfoil.domain.standing import Standing
from counterfoil.domain.violation import Violation
from counterfoil.domain.voucher import VoucherKey
from counterfoil.rpc.results import (
    draft_result,
    encoded_with_results,
    result,
    results,
    with_results,
    write_result,
)
from counterfoil.wire.refusals import refusal_to_message

DIGEST = hashlib.sha256(b"a voucher").digest()
OTHER = hashlib.sha256(b"another").digest()
REFUSED = NotInState("a void voucher is not sent", state="DISCARDED", act="SEND")
PARTY = "420000-011"


def recorded(leaf: int, standing: Standing = Standing.SENT) -> Recorded:
    return Recorded(leaf=leaf, standing=standing, time_us=1)


def row(seals: int, payload: bytes = b"payload") -> DraftRow:
    key = VoucherKey(
        issuer=PARTY,
        adm_div="420000",
        fiscal_year=2026,
        type_code=5201,
        number="P1",
    )
    return DraftRow(
        party=PARTY,
        digest=DIGEST,
        key=key,
        payload=payload,
        seals=(b"seal",) * seals,
        recipients=("420000-102",),
    )


@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize("leaf", [0, 1, 127, 128, 16_383, 16_384, 2**32, 2**63 - 1])
def test_an_act_is_told_with_its_leaf(leaf: int, standing: Standing) -> None:
    told = pb.Result.FromString(result(DIGEST, recorded(leaf, standing)))

    # Leaf 0 is a leaf: unset would mean that there is none.
    assert told == pb.Result(
        done=pb.Done(digest=DIGEST, leaf=leaf, standing=int(standing))  # type: ignore[arg-type]
    )
    assert told.done.HasField("leaf")


@pytest.mark.parametrize("seals", [0, 1, 2, 16, 200])
def test_a_draft_is_told_with_its_seals_and_without_a_leaf(seals: int) -> None:
    of_desk = DraftSeals(
        party=PARTY, digest=DIGEST, type_code=5201, seals=(b"seal",) * seals
    )
    for draft in (row(seals), of_desk):
        assert pb.Result.FromString(draft_result(draft)) == pb.Result(
            done=pb.Done(
                digest=DIGEST, standing=standing_pb2.STANDING_DRAFT, seals=seals
            )
        )


def test_a_refusal_is_told_whole() -> None:
    told = pb.Result(refusal=refusal_to_message(REFUSED))

    assert pb.Result.FromString(result(DIGEST, REFUSED)) == told
    assert pb.Result.FromString(draft_result(REFUSED)) == told
    written = pb.WriteResult.FromString(write_result(REFUSED))
    assert written == pb.WriteResult(result=told)


@pytest.mark.parametrize("length", [0, 1, 127, 128, 20_000, 200_000])
def test_a_draft_that_was_written_is_told_with_its_payload(length: int) -> None:
    payload = bytes(range(256)) * (length // 256 + 1)
    draft = row(1, payload[:length])

    told = pb.WriteResult.FromString(write_result(draft))

    assert told == pb.WriteResult(
        result=pb.Result.FromString(draft_result(draft)), payload=payload[:length]
    )


def test_a_response_holds_the_results_in_their_order() -> None:
    refused = VoucherKeyReused("the key is used", key="P1")
    outcomes: list[Outcome] = [recorded(7), refused, recorded(300)]

    told = with_results(pb.SendResponse, results([DIGEST, b"", OTHER], outcomes))

    assert [one.WhichOneof("result") for one in told.results] == [
        "done",
        "refusal",
        "done",
    ]
    assert [one.done.leaf for one in told.results] == [7, 0, 300]
    assert [one.done.digest for one in told.results] == [DIGEST, b"", OTHER]
    assert told.results[1].refusal == refusal_to_message(refused)


def test_a_response_that_is_encoded_already_is_the_same() -> None:
    made = [write_result(row(1)), write_result(REFUSED)]

    encoded = encoded_with_results(pb.WriteResponse, made)

    assert pb.WriteResponse.FromString(encoded) == pb.WriteResponse(
        results=[pb.WriteResult.FromString(one) for one in made]
    )
    # Not byte by byte: the order of a refusal's facts is not fixed.
    assert with_results(pb.WriteResponse, made) == pb.WriteResponse.FromString(encoded)


def test_results_of_a_batch_that_is_numbered_stand_in_their_own_field() -> None:
    told = with_results(pb.SubmitResponse, [result(DIGEST, recorded(1))] * 200)

    assert len(told.results) == 200
    assert told == pb.SubmitResponse(
        results=[pb.Result.FromString(result(DIGEST, recorded(1)))] * 200
    )


def test_nothing_is_answered_when_digests_and_outcomes_are_not_one_for_one() -> None:
    with pytest.raises(ValueError, match="zip"):
        with_results(pb.SendResponse, results([DIGEST, OTHER], [recorded(1)]))


@pytest.mark.parametrize("written", [True, False])
def test_an_answer_of_nothing_but_long_refusals_is_one_that_callers_take(
    *, written: bool
) -> None:
    broken = Violation(
        path="rows[99].payee_acct_name",
        rule="text.width",
        text="t" * 90,
        text_zh="超长",
    )
    refused = FormRefused("the form breaks rules", [broken] * 100)
    kind: Any = pb.WriteResponse if written else pb.SubmitResponse
    make: Any = write_result if written else draft_result
    items = [make(row(2)), *[make(refused)] * 254, make(row(1, b"p" * 100_000))]

    encoded = encoded_with_results(kind, items)

    assert len(encoded) < 1_048_576 < sum(map(len, items))
    answer = kind.FromString(encoded)
    told = [getattr(one, "result", one) for one in answer.results]
    assert [one.WhichOneof("result") for one in told] == [
        "done",
        *["refusal"] * 254,
        "done",
    ]
    assert all(one.refusal.violations for one in told[1:-1])
    if written:
        assert answer.results[-1].payload == b"p" * 100_000
