"""What is exported for others to judge."""

import pytest
from cryptography import x509

from counterfoil.seal.certificates import CertificateRefused, certificate_bag
from counterfoil.seal.export import export_for_openssl
from counterfoil.wire.seals import parse_statement
from tests.unit.seal.makers import NOW_US, PAYLOAD, Signers, der, order_of


def test_everything_but_the_root_is_exported(signers: Signers) -> None:
    authority = der(signers.pki.authority.certificate)
    bag = certificate_bag([*(one.certificate for one in signers.all), authority])
    seals = signers.seals()

    files = export_for_openssl(
        PAYLOAD, seals, parse=parse_statement, certificates=bag, crls=signers.pki.crls
    )

    assert sorted(files) == [
        "certificates.pem",
        "crls.pem",
        "payload.bin",
        *(
            f"seal-{number}.{end}"
            for number in ("01", "02", "03")
            for end in ("pem", "signature", "statement")
        ),
    ]
    assert files["payload.bin"] == PAYLOAD
    assert files["seal-02.statement"] == seals[1].statement
    assert files["seal-02.signature"] == seals[1].signature
    signer = x509.load_pem_x509_certificate(files["seal-02.pem"])
    assert der(signer) == signers.second.certificate
    assert len(x509.load_pem_x509_certificates(files["certificates.pem"])) == 4
    assert files["crls.pem"].count(b"BEGIN X509 CRL") == 2


def test_answers_of_responders_are_exported_as_they_are(signers: Signers) -> None:
    bag = certificate_bag(one.certificate for one in signers.all)

    files = export_for_openssl(
        PAYLOAD,
        signers.seals(),
        parse=parse_statement,
        certificates=bag,
        crls=(),
        answers=[b"one", b"two"],
    )

    assert files["answer-01.ocsp"] == b"one"
    assert files["answer-02.ocsp"] == b"two"


def test_a_batch_path_is_exported_as_text(signers: Signers) -> None:
    sealer = signers.institution
    seals = sealer.seal_batch(
        [order_of(index) for index in range(3)], stated_time_us=NOW_US
    )
    bag = certificate_bag([sealer.certificate])

    files = export_for_openssl(
        b"payload 2",
        seals[2:],
        parse=parse_statement,
        certificates=bag,
        crls=signers.pki.crls,
    )

    assert seals[2].batch is not None
    (sibling,) = seals[2].batch.hashes
    assert files["seal-01.batch"] == b"2 3\n" + sibling.hex().encode() + b"\n"


def test_nothing_is_exported_without_the_signer_s_certificate(signers: Signers) -> None:
    with pytest.raises(CertificateRefused, match="missing"):
        export_for_openssl(
            PAYLOAD, signers.seals(), parse=parse_statement, certificates={}, crls=()
        )
