"""A batch that was encoded by hand is the message that its fields make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.domain.witnessing import ShownProof
from counterfoil.exchange.v1 import exchange_pb2
from counterfoil.wire.deliveries import earlier_from_messages, encoded_delivery

SEVERAL = st.lists(st.binary(max_size=300), max_size=5)


@given(st.integers(0, 2**64 - 1), SEVERAL, SEVERAL, SEVERAL)
def test_a_delivery_is_read_as_what_it_was_made_of(
    batch: int, documents: list[bytes], certificates: list[bytes], answers: list[bytes]
) -> None:
    encoded = encoded_delivery(batch, documents, certificates, answers)

    assert exchange_pb2.DeliverRequest.FromString(
        encoded
    ) == exchange_pb2.DeliverRequest(
        batch=batch,
        documents=documents,
        certificates=certificates,
        revocation_answers=answers,
    )


@pytest.mark.parametrize("length", [0, 127, 128, 16_383, 16_384, 1_048_576, 2_097_152])
def test_a_document_keeps_its_length(length: int) -> None:
    documents = [bytes(length), b"behind it"]

    encoded = encoded_delivery(1, documents, [])

    assert list(exchange_pb2.DeliverRequest.FromString(encoded).documents) == documents


def test_what_is_shown_of_documents_arrives_as_it_was_sent() -> None:
    shown = [
        ShownProof(
            place=place,
            document=7 - place,
            size=2**40,
            index=place,
            leaf=b"leaf %d" % place,
            hashes=(b"h" * 32, b"i" * 32),
        )
        for place in range(2)
    ]

    encoded = encoded_delivery(1, [b"a"], [], earlier=shown)

    request = exchange_pb2.DeliverRequest.FromString(encoded)
    assert earlier_from_messages(request.earlier_proofs) == {7: shown[0], 6: shown[1]}


def test_of_two_proofs_of_one_document_the_last_counts() -> None:
    messages = [
        exchange_pb2.EarlierProof(document=1, tree_size=size) for size in (3, 4)
    ]

    (shown,) = earlier_from_messages(messages).values()

    assert (shown.size, shown.place) == (4, 1)
