"""What the desk's methods answer, from what the use cases return."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Sequence

from counterfoil.app.inquire import Way
from counterfoil.app.ports import FoundRow, LogRecord, Query, Waiting
from counterfoil.app.stamped_acts import StampedActs
from counterfoil.app.works import Certificates
from counterfoil.desk.v1 import desk_pb2 as pb
from counterfoil.desk.v1 import standing_pb2
from counterfoil.domain.refusals import CounterfoilError, PageTokenRefused
from counterfoil.domain.standing import Standing
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.wire.keys import (
    reference_to_message,
    timestamp_from_us,
)
from counterfoil.wire.refusals import refusal_to_message

_PAGE_SIZE = 50
_LEAVES = range(2**63)  # log indices that a ledger can hold

LISTS_BYTES_MAX = 16 * 1024 * 1024
"""Most bytes of revocation lists in one answer: an authority of a whole country may
have revoked more certificates than any caller takes in one message."""


def arrival(waiting: Waiting) -> pb.Arrival:
    """Return a document that waits to be read."""
    leaf = waiting.leaf
    return pb.Arrival(
        sealed=waiting.sealed,
        digest=leaf.document,
        voucher=reference_to_message(waiting.key, leaf.subject),
        by=leaf.by,
        leaf=waiting.leaf_index,
        arrival_time=timestamp_from_us(leaf.time_us),
        times_read=waiting.times_read + 1,
    )


def change(record: LogRecord) -> Iterator[pb.Change]:
    """Yield the changes of standing that one act made."""
    for recipient, standing in record.changes:
        yield pb.Change(
            leaf=record.index,
            voucher=reference_to_message(record.key, record.leaf.subject),
            recipient=recipient,
            standing=_standing(standing),
        )


def found(row: FoundRow) -> pb.Found:
    """Return one row of a search."""
    return pb.Found(
        voucher=reference_to_message(row.key, row.digest),
        recipient=row.recipient,
        standing=_standing(row.standing),
        amount_fen=row.amount_fen,
        changed_time=timestamp_from_us(row.changed_us),
    )


def query_of(request: pb.SearchRequest, *, desk: str) -> Query:
    """Return what a search asks.

    Raises:
        PageTokenRefused: The token was not issued for these conditions.
    """
    query = Query(
        desk=desk,
        types=tuple(request.types),
        standings=tuple(Standing(s) for s in request.standings if s),
        party=request.party,
        number_prefix=request.number_prefix,
        fiscal_year=request.fiscal_year,
        limit=request.page_size or _PAGE_SIZE,
    )
    if not request.page_token:
        return query
    try:
        conditions, leaf, recipient = json.loads(
            base64.urlsafe_b64decode(request.page_token.encode())
        )
    except (binascii.Error, TypeError, UnicodeError, ValueError) as error:
        raise PageTokenRefused("not a page token") from error
    if conditions != _conditions(query) or type(leaf) is not int or leaf not in _LEAVES:
        raise PageTokenRefused("the page token belongs to another search")
    return Query(
        desk=desk,
        types=query.types,
        standings=query.standings,
        party=query.party,
        number_prefix=query.number_prefix,
        fiscal_year=query.fiscal_year,
        limit=query.limit,
        before=(leaf, str(recipient)),
    )


def next_page_token(query: Query, rows: Sequence[FoundRow]) -> str:
    """Return the token of the page behind `rows`; empty if that is the last."""
    if len(rows) < query.limit:
        return ""
    last = rows[-1]
    token = json.dumps([_conditions(query), last.leaf, last.recipient])
    return base64.urlsafe_b64encode(token.encode()).decode()


def _conditions(query: Query) -> str:
    stated = repr(
        (
            query.desk,
            query.types,
            query.standings,
            query.party,
            query.number_prefix,
            query.fiscal_year,
        )
    )
    return hashlib.sha256(stated.encode()).hexdigest()[:16]


def way_response(way: Way, certificates: Certificates) -> pb.InquireResponse:
    """Return a voucher's whole way."""
    return pb.InquireResponse(
        voucher=reference_to_message(way.key, way.entry.digest),
        recipients=[
            pb.RecipientStanding(
                recipient=passage.recipient,
                standing=_standing(passage.standing),
                refused_reason=passage.refused_reason,
            )
            for passage in way.entry.passages
        ],
        acts=[
            pb.ActRecord(
                leaf_index=act.index,
                leaf=act.leaf.to_bytes(),
                inclusion_proof=act.inclusion_proof,
                act=f"{act.leaf.act.name} {act.leaf.kind.name}",
                act_time=timestamp_from_us(act.leaf.time_us),
                recipient=act.leaf.recipients,
                peer_proof=act.peer_proof,
                sm3_inclusion_proof=act.sm3_inclusion_proof,
                earlier_proof=act.earlier_proof,
                witness_proof=act.witness_proof,
            )
            for act in way.acts
        ],
        documents=[
            sealed_pb2.SealedWithChain(
                sealed=sealed, certificates=certificates.of_document(sealed)
            )
            for sealed in way.documents
        ],
        checkpoint=way.checkpoint,
        revocation_lists=_short(certificates.revocation_lists()),
        revocation_answers=certificates.revocation_answers(way.documents),
        sm3_checkpoint=way.sm3_checkpoint,
        stamped_heads=[_stamped(one) for one in way.time_stamps],
    )


def _short(lists: Sequence[bytes]) -> list[bytes]:
    """Return the shortest lists, as many as an answer has room for, in their order."""
    room, chosen = LISTS_BYTES_MAX, set()
    for place in sorted(range(len(lists)), key=lambda at: len(lists[at])):
        room -= len(lists[place])
        if room >= 0:
            chosen.add(place)
    return [one for place, one in enumerate(lists) if place in chosen]


def _stamped(stamped: StampedActs) -> pb.StampedHead:
    return pb.StampedHead(
        checkpoint=stamped.head.checkpoint,
        time_stamp_response=stamped.head.response,
        leaves=[
            pb.StampedLeaf(leaf_index=index, inclusion_proof=proof)
            for index, proof in stamped.proofs.items()
        ],
    )


def _standing(standing: Standing) -> standing_pb2.Standing.ValueType:
    return standing_pb2.Standing.ValueType(int(standing))


def sealed_result(document: bytes | CounterfoilError) -> pb.SealedResult:
    """Return a voucher as it was sealed, or why it is not given."""
    if isinstance(document, CounterfoilError):
        return pb.SealedResult(refusal=refusal_to_message(document))
    return pb.SealedResult(sealed=document)


def national_result(document: bytes | CounterfoilError) -> pb.NationalResult:
    """Return a national document, or why there is none."""
    if isinstance(document, CounterfoilError):
        return pb.NationalResult(refusal=refusal_to_message(document))
    return pb.NationalResult(document=document)
