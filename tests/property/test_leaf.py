"""No two entries of a log can be mistaken for each other."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.app.arrivals import arrival_hash, arrival_leaf
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.evidence import Evidence
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.standing import Act
from counterfoil.tlog.merkle import leaf_hash

DIGESTS = st.binary(min_size=32, max_size=32)
TIMES = st.integers(0, 2**64 - 1)
NAMES = st.text("0123456789abcdefghijklmnopqrstuvwxyz-,", max_size=255)
LEAVES = st.builds(
    Leaf,
    act=st.sampled_from(Act),
    kind=st.sampled_from(DocumentKind),
    time_us=TIMES,
    subject=DIGESTS,
    document=DIGESTS,
    version=DIGESTS,
    by=NAMES,
    recipients=NAMES,
)


@given(LEAVES)
def test_a_leaf_comes_back_from_its_bytes(leaf: Leaf) -> None:
    assert Leaf.from_bytes(leaf.to_bytes()) == leaf


@given(LEAVES, TIMES)
def test_an_arrival_is_hashed_as_the_changed_leaf_would_be(
    entered: Leaf, time_us: int
) -> None:
    changed = replace(entered, act=Act.ARRIVE, time_us=time_us, recipients="")

    assert arrival_leaf(entered, time_us) == changed
    assert arrival_hash(entered, time_us) == leaf_hash(changed.to_bytes())


@given(NAMES, NAMES, NAMES, NAMES)
def test_no_two_leaves_have_the_same_bytes(
    by: str, recipients: str, other_by: str, other_recipients: str
) -> None:
    # Only the parts of varying length could run into each other.
    encoded = [
        Leaf(
            act=Act.SEND,
            kind=DocumentKind.VOUCHER,
            time_us=1,
            subject=bytes(32),
            document=bytes(32),
            version=bytes(32),
            by=one,
            recipients=two,
        ).to_bytes()
        for one, two in ((by, recipients), (other_by, other_recipients))
    ]

    same = (by, recipients) == (other_by, other_recipients)
    assert (encoded[0] == encoded[1]) == same


@given(st.lists(st.integers(0, 3), min_size=2, max_size=8).map(bytes))
def test_bytes_are_a_leaf_in_one_way_or_not_at_all(tail: bytes) -> None:
    # Behind the head stand two lengths and two texts, here of at most three bytes.
    encoded = b"\x01\x03\x01" + bytes(104) + tail

    try:
        leaf = Leaf.from_bytes(encoded)
    except ValueError:
        by = tail[0]
        assert by + 1 >= len(tail) or len(tail) != by + 2 + tail[by + 1]
    else:
        assert leaf.to_bytes() == encoded


@given(
    st.binary(max_size=300),
    st.integers(0, 2**64 - 1),
    st.lists(DIGESTS, max_size=4),
    st.lists(DIGESTS, max_size=4),
    TIMES,
)
def test_evidence_comes_back_from_its_bytes(
    checkpoint: bytes,
    first_leaf: int,
    leaf_hashes: list[bytes],
    range_proof: list[bytes],
    arrival_time_us: int,
) -> None:
    evidence = Evidence(
        checkpoint=checkpoint,
        first_leaf=first_leaf,
        leaf_hashes=tuple(leaf_hashes),
        range_proof=tuple(range_proof),
        arrival_time_us=arrival_time_us,
    )

    assert Evidence.from_bytes(evidence.to_bytes()) == evidence
