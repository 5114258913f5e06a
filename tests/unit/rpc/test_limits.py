"""A batch is bounded before any work is spent on it."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.domain.refusals import BatchTooLarge
from counterfoil.domain.witnessing import HASHES_MAX, LEAF_BYTES_MAX
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.rpc.limits import CERTIFICATES_MAX, Limits
from counterfoil.seal.certificates import CERTIFICATE_BYTES_MAX

LIMITS = Limits(batch_documents_max=3, batch_bytes_max=100, document_bytes_max=90)


@pytest.mark.parametrize(
    "documents", [[b"x"], [b"x"] * 3, [b"x" * 90], [b"x" * 50, b"y" * 50]]
)
def test_a_batch_at_its_bounds_is_taken(documents: list[bytes]) -> None:
    LIMITS.check_documents(documents)


@pytest.mark.refusal("BATCH_TOO_LARGE")
def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(BatchTooLarge) as refused:
        LIMITS.check_documents([])

    assert refused.value.facts == {"min": "1"}


@pytest.mark.refusal("BATCH_TOO_LARGE")
def test_too_many_documents_are_refused() -> None:
    with pytest.raises(BatchTooLarge) as refused:
        LIMITS.check_documents([b"x"] * 4)

    assert refused.value.facts == {"max": "3"}


@pytest.mark.refusal("BATCH_TOO_LARGE")
def test_a_document_that_is_too_long_is_refused_even_alone() -> None:
    with pytest.raises(BatchTooLarge) as refused:
        LIMITS.check_document(b"x" * 91)

    assert refused.value.facts == {"max": "90"}
    assert LIMITS.check_document(b"x" * 90) == b"x" * 90
    # Of it alone: it does not end the stream.
    LIMITS.check_documents([b"x" * 91])


@pytest.mark.refusal("BATCH_TOO_LARGE")
def test_documents_that_are_too_long_together_are_refused() -> None:
    with pytest.raises(BatchTooLarge) as refused:
        LIMITS.check_documents([b"x" * 51, b"y" * 50])

    assert refused.value.facts == {"max": "100"}


@pytest.mark.refusal("BATCH_TOO_LARGE")
def test_too_many_certificates_are_refused() -> None:
    LIMITS.check_certificates([b"c"] * CERTIFICATES_MAX)

    with pytest.raises(BatchTooLarge) as refused:
        LIMITS.check_certificates([b"c"] * (CERTIFICATES_MAX + 1))

    assert refused.value.facts == {"max": str(CERTIFICATES_MAX)}


@pytest.mark.refusal("BATCH_TOO_LARGE")
def test_a_certificate_that_is_too_long_is_refused() -> None:
    LIMITS.check_certificates([b"c" * CERTIFICATE_BYTES_MAX])

    with pytest.raises(BatchTooLarge) as refused:
        LIMITS.check_certificates([b"c" * (CERTIFICATE_BYTES_MAX + 1)])

    assert refused.value.facts == {"max": str(CERTIFICATE_BYTES_MAX)}


@pytest.mark.refusal("BATCH_TOO_LARGE")
@pytest.mark.parametrize(
    "wrong",
    [
        {"leaf": b"l" * (LEAF_BYTES_MAX + 1)},
        {"hashes": [b"h" * 32] * (HASHES_MAX + 1)},
        {"hashes": [b"h" * 32, b"h" * 31]},
    ],
)
def test_what_shows_that_a_document_is_older_has_bounds(wrong: dict[str, Any]) -> None:
    good = pb.EarlierProof(leaf=b"l" * LEAF_BYTES_MAX, hashes=[b"h" * 32] * HASHES_MAX)
    LIMITS.check_earlier([good] * 3)

    with pytest.raises(BatchTooLarge) as refused:
        LIMITS.check_earlier([good, pb.EarlierProof(**wrong)])
    assert refused.value.facts == {"field": "earlier_proofs[1]"}
    with pytest.raises(BatchTooLarge) as refused:
        LIMITS.check_earlier([good] * 4)
    assert refused.value.facts == {"max": "3"}


def test_a_peer_may_send_what_the_contract_allows_whatever_is_configured() -> None:
    documents = [b"x" * 4096] * 256
    with pytest.raises(BatchTooLarge):
        LIMITS.check_documents(documents)

    LIMITS.of_contract().check_documents(documents)

    assert LIMITS.of_contract().document_bytes_max == 90
    wider = Limits(batch_documents_max=300, batch_bytes_max=2_000_000)
    assert wider.of_contract() == wider
    for more in ([b"x"] * 257, [b"x" * 600_000] * 2):
        with pytest.raises(BatchTooLarge):
            LIMITS.of_contract().check_documents(more)
