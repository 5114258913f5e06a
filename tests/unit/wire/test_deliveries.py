"""A batch that was encoded by hand is the message that its fields make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.exchange.v1 import exchange_pb2
from counterfoil.wire.deliveries import encoded_delivery

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
