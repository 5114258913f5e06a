"""What became of each item of a batch, encoded as it is answered.

Every voucher has some four results on its way over a desk. As messages, each of which
is a `Result` around a `Done`, they would take more of the event loop than all else
that the desk does with a voucher (docs/adr/0005).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import starmap
from typing import Any, Final, TypeVar

from google.protobuf.message import Message

from counterfoil.desk.v1 import desk_pb2 as pb
from counterfoil.domain.deeds import Outcome
from counterfoil.domain.draft_seals import DraftSeals
from counterfoil.domain.drafts import DraftRow
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.domain.standing import Standing
from counterfoil.wire.delimited import before, varint
from counterfoil.wire.refusals import (
    REFUSALS_BYTES_MAX,
    refusal_to_message,
    shorten,
)

Response = TypeVar("Response", bound=Message)

_DONE: Final = pb.Result.DONE_FIELD_NUMBER
_DIGEST: Final = pb.Done.DIGEST_FIELD_NUMBER
_LEAF_TAG: Final = varint(pb.Done.LEAF_FIELD_NUMBER << 3)
_WRITTEN: Final = pb.WriteResult.RESULT_FIELD_NUMBER
_PAYLOAD: Final = pb.WriteResult.PAYLOAD_FIELD_NUMBER
_REFUSAL_TAG: Final = before(pb.Result.REFUSAL_FIELD_NUMBER, 0)[:1]
_WRITTEN_TAG: Final = before(_WRITTEN, 0)[:1]
"""`Result.done` has the same one; no field of a `Done` has that of a refusal."""
_GOES_ON: Final = 0x80  # set in every byte of a length but the last


def result(digest: bytes, outcome: Outcome) -> bytes:
    """Return what became of an act about a voucher, a `Result`."""
    if isinstance(outcome, CounterfoilError):
        return _refusal(outcome)
    rest = _LEAF_TAG + varint(outcome.leaf) + _rest(outcome.standing, 0)
    return _done(digest, rest)


def results(digests: Iterable[bytes], outcomes: Iterable[Outcome]) -> Iterator[bytes]:
    """Yield what became of acts about vouchers, one outcome for each digest."""
    return starmap(result, zip(digests, outcomes, strict=True))


def draft_result(draft: DraftRow | DraftSeals | CounterfoilError) -> bytes:
    """Return what became of a draft, a `Result`."""
    if isinstance(draft, CounterfoilError):
        return _refusal(draft)
    return _done(draft.digest, _rest(Standing.DRAFT, len(draft.seals)))


def write_result(draft: DraftRow | CounterfoilError) -> bytes:
    """Return what became of a draft and, if it is on the desk, its payload."""
    its_result = draft_result(draft)
    told = before(_WRITTEN, len(its_result)) + its_result
    if isinstance(draft, CounterfoilError):
        return told
    return b"".join((told, before(_PAYLOAD, len(draft.payload)), draft.payload))


def with_results(kind: type[Response], encoded: Iterable[bytes]) -> Response:
    """Return a response in whose field `results` these stand."""
    return kind.FromString(encoded_with_results(kind, encoded))


def encoded_with_results(kind: type[Message], encoded: Iterable[bytes]) -> bytes:
    """Return the same as it is sent: what is large is not copied for a message."""
    field = kind.DESCRIPTOR.fields_by_name["results"].number
    parts: list[bytes] = []
    refused_bytes = 0
    for one in encoded:
        parts += (before(field, len(one)), one)
        if _is_refused(one):
            refused_bytes += len(one)
    whole = b"".join(parts)
    return whole if refused_bytes <= REFUSALS_BYTES_MAX else _shortened(kind, whole)


def _is_refused(encoded: bytes) -> bool:
    """Tell whether a result, or a `WriteResult` around one, is a refusal."""
    if encoded[:1] == _WRITTEN_TAG:
        at = 1
        while encoded[at] >= _GOES_ON:
            at += 1
        encoded = encoded[at + 1 : at + 2]
    return encoded[:1] == _REFUSAL_TAG


def _shortened(kind: type[Message], whole: bytes) -> bytes:
    """Return an answer in which refusals are not longer than it holds."""
    answer: Any = kind.FromString(whole)
    told = [getattr(one, "result", one) for one in answer.results]
    shorten([one.refusal for one in told if one.HasField("refusal")])
    encoded: bytes = answer.SerializeToString()
    return encoded


def _done(digest: bytes, rest: bytes) -> bytes:
    inside = before(_DIGEST, len(digest)) + digest + rest
    return before(_DONE, len(inside)) + inside


@lru_cache
def _rest(standing: Standing, seals: int) -> bytes:
    """Return what stands behind digest and leaf; the same few come again and again."""
    done = pb.Done(standing=int(standing), seals=seals)  # type: ignore[arg-type]
    return done.SerializeToString()


def _refusal(refused: CounterfoilError) -> bytes:
    return pb.Result(refusal=refusal_to_message(refused)).SerializeToString()
