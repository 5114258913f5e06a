"""However many signed what a register begins with, each finds its certificates."""

from __future__ import annotations

from hashlib import sha256

import pytest

from counterfoil.daemon.founding import together
from counterfoil.seal.verify import BAG_MAX
from counterfoil.sealed.v1 import sealed_pb2

AUTHORITIES = [b"authority 1", b"authority 2"]


def registration(number: int, *signers: bytes) -> bytes:
    """Return what looks like a registration with these signatures."""
    seals = [
        sealed_pb2.Seal(
            statement=sealed_pb2.SealStatement(
                certificate_digest=sha256(signer).digest()
            ).SerializeToString()
        )
        for signer in signers
    ]
    return sealed_pb2.Sealed(payload=b"%d" % number, seals=seals).SerializeToString()


def test_of_many_signers_only_those_come_along_who_signed() -> None:
    ours, theirs = b"our supervisor", [b"supervisor %d" % n for n in range(400)]
    documents = [registration(n, ours, one) for n, one in enumerate(theirs)]

    parts = list(together(documents, [*AUTHORITIES, ours, *theirs]))

    assert [one for some, _ in parts for one in some] == documents
    for some, certificates in parts:
        assert len(certificates) <= BAG_MAX
        assert set(certificates) >= {*AUTHORITIES, ours}
        at = documents.index(some[0])
        assert set(theirs[at : at + len(some)]) <= set(certificates)


@pytest.mark.parametrize(
    "broken",
    [
        b"\xff",
        sealed_pb2.Sealed(
            seals=[sealed_pb2.Seal(statement=b"\xff")]
        ).SerializeToString(),
    ],
)
def test_what_is_no_registration_is_left_to_whoever_judges_it(broken: bytes) -> None:
    ((documents, certificates),) = together([broken, registration(1, b"a")], [b"a"])

    assert documents[0] == broken
    assert certificates == [b"a"]


def test_nothing_is_nothing() -> None:
    assert list(together([], [b"a"])) == []
