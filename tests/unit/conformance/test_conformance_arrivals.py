"""The suite's own reading of the published formats, against ours."""

from __future__ import annotations

from hashlib import sha256

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from counterfoil.conformance.arrivals import arrival_leaf
from counterfoil.conformance.papers import ACCEPTANCE, Paper
from counterfoil.conformance.verdicts import CheckFailed
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.standing import Act
from counterfoil.office import Reference, VoucherKey

KEY = VoucherKey(
    issuer="420000-011", adm_div="420000", fiscal_year=2026, type_code=5201, number="1"
)
PAPER = Paper(
    kind=ACCEPTANCE,
    voucher=Reference(KEY, sha256(b"voucher").digest()),
    payload=b"payload",
    sealed=b"sealed",
)


def test_the_leaf_is_the_one_that_a_gateway_keeps() -> None:
    time = Timestamp(seconds=1_800_000_000, nanos=123_456_000)

    assert (
        arrival_leaf(PAPER, "420000-102", time)
        == Leaf(
            act=Act.ARRIVE,
            kind=DocumentKind.ACCEPTANCE,
            time_us=1_800_000_000_123_456,
            subject=PAPER.voucher.digest,
            document=sha256(b"payload").digest(),
            version=sha256(b"sealed").digest(),
            by="420000-102",
        ).to_bytes()
    )


@pytest.mark.parametrize(
    ("time", "why"),
    [
        (Timestamp(), "states no arrival time"),
        (Timestamp(seconds=1, nanos=1), "finer than a microsecond"),
        (Timestamp(seconds=2**62), "is no time"),
        (Timestamp(seconds=1, nanos=-1000), "is no time"),
        (Timestamp(seconds=1, nanos=10**9), "is no time"),
    ],
)
def test_a_time_that_no_leaf_has_fails_the_check(time: Timestamp, why: str) -> None:
    with pytest.raises(CheckFailed, match=why):
        arrival_leaf(PAPER, "420000-102", time)
