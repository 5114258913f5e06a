"""The certificates that seals name are found, each once."""

from __future__ import annotations

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.wire.certificates import KeptCertificates
from counterfoil.wire.sealed import close_sealed
from counterfoil.wire.seals import seal_to_bytes
from tests.unit.seal.makers import Pki, Signers


@pytest.fixture(scope="module")
def signers() -> Signers:
    return Signers.new(Pki.new())


def kept(signers: Signers, *missing: bytes) -> KeptCertificates:
    known = {each.certificate_digest: each.certificate for each in signers.all}
    for certificate_digest in missing:
        del known[certificate_digest]
    return KeptCertificates(find=known.get, authorities=lambda: (b"an authority",))


def test_a_documents_signers_come_in_the_order_of_its_seals(signers: Signers) -> None:
    sealed = close_sealed(DocumentKind.VOUCHER, b"payload", signers.seals())

    found = kept(signers).signers(sealed)

    assert found == [each.certificate for each in signers.all]


def test_the_signers_of_an_enclosure_are_signers_too(signers: Signers) -> None:
    seals = signers.seals()
    original = close_sealed(DocumentKind.VOUCHER, b"payload", seals[:2])
    message = sealed_pb2.Sealed.FromString(
        close_sealed(DocumentKind.RECEIPT, b"payload", seals[2:])
    )
    message.enclosures.append(original)

    found = kept(signers).signers(message.SerializeToString())

    last = signers.all[2]
    assert found == [each.certificate for each in (last, signers.first, signers.second)]


def test_a_third_party_gets_the_authorities_too(signers: Signers) -> None:
    sealed = close_sealed(DocumentKind.VOUCHER, b"payload", signers.seals()[:1])

    found = kept(signers).of_document(sealed)

    assert found == [signers.first.certificate, b"an authority"]


def test_a_certificate_that_several_seals_name_comes_once(signers: Signers) -> None:
    seals = [seal_to_bytes(seal) for seal in signers.seals()]

    found = kept(signers).of_seals([seals[0], seals[1], seals[0]])

    assert found == [signers.first.certificate, signers.second.certificate]


def test_a_certificate_that_nobody_kept_is_left_out(signers: Signers) -> None:
    seals = [seal_to_bytes(seal) for seal in signers.seals()]
    without = kept(signers, signers.first.certificate_digest)

    assert without.of_seals(seals[:2]) == [signers.second.certificate]


def test_bytes_that_are_no_document_have_no_signers(signers: Signers) -> None:
    assert kept(signers).signers(b"\xff") == []
