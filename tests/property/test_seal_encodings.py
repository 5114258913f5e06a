"""No two things that are signed are signed as the same bytes."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.domain.catalogue import DocumentKind, SealPurpose
from counterfoil.domain.seals import Algorithm, BatchPath, SealStatement
from counterfoil.seal.batch import batch_message, climb, plant
from counterfoil.seal.dsse import SEAL_TYPE, encode_for_signing
from counterfoil.tlog.merkle import leaf_hash
from counterfoil.wire.seals import encode_statement, parse_statement

# Alike on purpose: digits and spaces are what could be mistaken for a length.
TEXTS = st.text(st.sampled_from("a1 é"), max_size=6)
BODIES = st.one_of(
    st.binary(max_size=8),
    st.builds(str.encode, TEXTS),
    st.builds(
        lambda text, body: b"%d %b" % (len(body), text),
        TEXTS.map(str.encode),
        st.binary(max_size=4),
    ),
)
DIGESTS = st.sampled_from([bytes(32), b"\xff" * 32, sha256(b"x").digest()])
STATEMENTS = st.builds(
    SealStatement,
    document_kind=st.sampled_from(DocumentKind),
    payload_digest=DIGESTS,
    position=st.text("abz09", min_size=1, max_size=16),
    purpose=st.sampled_from(SealPurpose),
    certificate_digest=DIGESTS,
    algorithm=st.sampled_from(Algorithm),
    stated_time_us=st.integers(0, 4 * 10**15),
    beneath=st.lists(DIGESTS, max_size=3).map(tuple),
)


@given(TEXTS, BODIES, TEXTS, BODIES)
def test_types_and_bodies_are_never_confused(
    type_: str, body: bytes, other_type: str, other_body: bytes
) -> None:
    one = encode_for_signing(type_, body)
    other = encode_for_signing(other_type, other_body)

    assert (one == other) == ((type_, body) == (other_type, other_body))


@given(STATEMENTS, STATEMENTS)
def test_statements_are_never_confused(
    one: SealStatement, other: SealStatement
) -> None:
    encoded, other_encoded = encode_statement(one), encode_statement(other)

    assert (encoded == other_encoded) == (one == other)
    assert parse_statement(encoded) == one


@given(
    st.binary(max_size=80), st.binary(min_size=32, max_size=32), st.integers(2, 1024)
)
def test_a_statement_is_never_signed_as_a_batch(
    statement: bytes, root: bytes, size: int
) -> None:
    assert encode_for_signing(SEAL_TYPE, statement) != batch_message(root, size)


@given(st.binary(min_size=64, max_size=64), st.binary(max_size=100))
def test_a_node_is_never_a_statement(pair: bytes, statement: bytes) -> None:
    assert sha256(b"\x01" + pair).digest() != leaf_hash(statement)


@given(st.lists(st.binary(max_size=40), min_size=2, max_size=70), st.data())
def test_every_path_leads_to_the_root_and_from_nowhere_else(
    statements: list[bytes], data: st.DataObject
) -> None:
    root, paths = plant(statements)
    index = data.draw(st.integers(0, len(statements) - 1))
    other = data.draw(st.integers(0, len(statements) - 1))

    assert climb(statements[index], paths[index], {}) == root
    if statements[other] != statements[index]:
        assert climb(statements[other], paths[index], {}) != root


@given(
    st.integers(-2, 2**33),
    st.integers(-2, 2**33),
    st.lists(st.one_of(st.binary(max_size=40), st.just(bytes(32))), max_size=12),
)
def test_no_path_whatever_is_a_defect(
    index: int, size: int, hashes: list[bytes]
) -> None:
    path = BatchPath(index=index, size=size, hashes=tuple(hashes))

    try:
        root = climb(b"statement", path, {})
    except ValueError:
        return

    assert 2 <= size <= 1024
    assert 0 <= index < size
    assert len(root) == 32


@given(st.lists(st.binary(max_size=9), min_size=2, max_size=40), st.data())
def test_a_path_with_a_hash_more_or_less_is_refused(
    statements: list[bytes], data: st.DataObject
) -> None:
    _, paths = plant(statements)
    path = paths[data.draw(st.integers(0, len(statements) - 1))]
    for hashes in (path.hashes[:-1], (*path.hashes, bytes(32))):
        changed = BatchPath(index=path.index, size=path.size, hashes=hashes)

        with pytest.raises(ValueError, match="the path"):
            climb(statements[0], changed, {})
