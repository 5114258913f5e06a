"""Statements and seals: what was received is kept byte by byte, or refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.domain.catalogue import DocumentKind, SealPurpose
from counterfoil.domain.refusals import MalformedPayload
from counterfoil.domain.seals import Algorithm, BatchPath, Seal, SealStatement
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.wire.seals import (
    _encode_all,
    _encode_once,
    _parse_all,
    _parse_once,
    encode_statement,
    parse_statement,
    seal_from_bytes,
    seal_to_bytes,
)

DIGESTS = st.binary(min_size=32, max_size=32)
STATEMENTS = st.builds(
    SealStatement,
    document_kind=st.sampled_from(DocumentKind),
    payload_digest=DIGESTS,
    position=st.text("abcdefghijklmnopqrstuvwxyz0123456789", max_size=16),
    purpose=st.sampled_from(SealPurpose),
    certificate_digest=DIGESTS,
    algorithm=st.sampled_from(Algorithm),
    stated_time_us=st.integers(0, 10**16),
    beneath=st.lists(DIGESTS, max_size=15).map(tuple),
)
STATEMENT = SealStatement(
    document_kind=DocumentKind.VOUCHER,
    payload_digest=b"p" * 32,
    position="gz",
    purpose=SealPurpose.OFFICIAL,
    certificate_digest=b"c" * 32,
    algorithm=Algorithm.ED25519,
    stated_time_us=1_000_001,
    beneath=(b"1" * 32,),
)


@given(STATEMENTS)
def test_a_statement_comes_back_from_its_bytes(statement: SealStatement) -> None:
    assert parse_statement(encode_statement(statement)) == statement


@given(STATEMENTS, DIGESTS)
def test_what_is_encoded_once_is_what_would_be_encoded_anew(
    statement: SealStatement, digest: bytes
) -> None:
    for one in (
        statement,
        replace(statement, payload_digest=digest, beneath=()),
        replace(statement, beneath=(*statement.beneath, digest)),
        replace(statement, beneath=(*statement.beneath, digest[1:])),
    ):
        assert encode_statement(one) == _encode_all(one)


@given(STATEMENTS, STATEMENTS)
def test_no_two_statements_are_signed_as_the_same_bytes(
    one: SealStatement, other: SealStatement
) -> None:
    assert (encode_statement(one) == encode_statement(other)) == (one == other)


def changed(change: Callable[[sealed_pb2.SealStatement], object]) -> bytes:
    message = sealed_pb2.SealStatement.FromString(encode_statement(STATEMENT))
    change(message)
    return message.SerializeToString()


@pytest.mark.parametrize(
    "wrong",
    [
        b"\xff",
        encode_statement(STATEMENT)[:-1],
        # A field that nobody knows: what it says would be signed unread.
        encode_statement(STATEMENT) + b"\x98\x06\x01",
        changed(lambda m: m.ClearField("document_kind")),
        changed(lambda m: setattr(m, "document_kind", 99)),
        changed(lambda m: m.ClearField("purpose")),
        changed(lambda m: setattr(m, "purpose", 99)),
        changed(lambda m: m.ClearField("algorithm")),
        changed(lambda m: setattr(m, "algorithm", 99)),
        changed(lambda m: m.ClearField("payload_digest")),
        changed(lambda m: setattr(m, "payload_digest", b"p" * 31)),
        changed(lambda m: setattr(m, "certificate_digest", b"c" * 33)),
        changed(lambda m: m.beneath.append(b"")),
        changed(lambda m: setattr(m.stated_time, "seconds", -1)),
        changed(lambda m: setattr(m.stated_time, "seconds", 253_402_300_800)),
        changed(lambda m: setattr(m.stated_time, "nanos", -1)),
        changed(lambda m: setattr(m.stated_time, "nanos", 10**9)),
    ],
)
def test_a_statement_that_is_not_understood_completely_is_none(wrong: bytes) -> None:
    with pytest.raises(ValueError, match=r"[sS]tatement"):
        parse_statement(wrong)


@given(
    STATEMENTS,
    DIGESTS,
    st.integers(0, 200),
    st.one_of(st.binary(max_size=3), DIGESTS.map(lambda digest: b"\x12\x20" + digest)),
    st.booleans(),
)
def test_a_statement_is_read_as_if_none_like_it_had_been_read_before(
    statement: SealStatement,
    digest: bytes,
    at: int,
    other: bytes,
    inserted: bool,  # noqa: FBT001 -- drawn by Hypothesis
) -> None:
    parse_statement(encode_statement(replace(statement, payload_digest=digest)))
    encoded = encode_statement(statement)
    behind = encoded[at:] if inserted else encoded[at + len(other) :]

    for each in (encoded, encoded[:at], encoded[:at] + other + behind):
        assert what_is_read(parse_statement, each) == what_is_read(_parse_all, each)


def what_is_read(
    parse: Callable[[bytes], SealStatement], encoded: bytes
) -> SealStatement | str:
    try:
        return parse(encoded)
    except ValueError as refused:
        return str(refused)


def test_only_behind_its_own_tag_is_a_digest_the_payloads() -> None:
    first = encode_statement(STATEMENT)
    digest = b"\x12\x20" + STATEMENT.payload_digest
    certificate = b"\x2a\x20" + STATEMENT.certificate_digest
    swapped = (
        first.replace(digest, b"*")
        .replace(certificate, digest)
        .replace(b"*", certificate)
    )

    assert swapped != first
    assert parse_statement(swapped) == STATEMENT


def test_a_statement_about_another_payload_is_read_once() -> None:
    _parse_once.cache_clear()

    for digest in (b"1" * 32, b"2" * 32, b"3" * 32):
        parse_statement(encode_statement(replace(STATEMENT, payload_digest=digest)))

    assert _parse_once.cache_info().misses == 1


def test_a_statement_about_other_seals_is_read_and_encoded_once() -> None:
    _parse_once.cache_clear()
    _encode_once.cache_clear()

    for count in range(4):
        beneath = tuple(bytes((count, at)) * 16 for at in range(count))
        statement = replace(STATEMENT, beneath=beneath)
        assert parse_statement(encode_statement(statement)) == statement

    assert _parse_once.cache_info().misses == 1
    assert _encode_once.cache_info().misses == 1


@pytest.mark.parametrize("seals", [0, 1, 2])
def test_what_only_looks_like_a_seal_beneath_is_what_it_is(seals: int) -> None:
    position = "gz B " + "x" * 32
    tail = sealed_pb2.SealStatement(position=position).SerializeToString()
    beneath = (b"1" * 32,) * seals
    bare = encode_statement(replace(STATEMENT, beneath=beneath))
    moved = bare.replace(b"\x1a\x02gz", b"") + tail

    assert parse_statement(moved) == replace(
        STATEMENT, position=position, beneath=beneath
    )


def test_seals_beneath_that_stand_apart_are_all_read_in_their_order() -> None:
    first, second = b"1" * 32, b"2" * 32
    bare = encode_statement(replace(STATEMENT, beneath=(first,)))
    position = b"\x1a\x02gz"
    apart = bare.replace(position, b"") + position + b"B " + second

    assert parse_statement(apart) == replace(STATEMENT, beneath=(first, second))


@pytest.mark.parametrize("batch", [None, BatchPath(index=1, size=3, hashes=(b"h",))])
def test_a_seal_comes_back_with_its_statement_verbatim(batch: BatchPath | None) -> None:
    # Not as we would encode it: a received statement is never encoded again.
    seal = Seal(statement=b"\x10\x00as received", signature=b"s", batch=batch)

    assert seal_from_bytes(seal_to_bytes(seal)) == seal


@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_bytes_that_are_no_seal_are_refused() -> None:
    with pytest.raises(MalformedPayload) as refused:
        seal_from_bytes(b"\xff")

    assert refused.value.facts == {"field": "seal"}
