"""Answers about revocation between this program and the `openssl` command."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from counterfoil.devca.certificates import Authority, Validity, make_crl
from counterfoil.domain.party import Use
from counterfoil.seal.certificates import CertificateRevoked, RevocationUnknown
from counterfoil.seal.ocsp_names import question_of
from counterfoil.seal.trust import TrustStore
from tests.responders import answer_of, delegate_of
from tests.unit.seal.makers import IN_FORCE, Pki, der

pytestmark = pytest.mark.tools

DOCUMENT: Final = Path(__file__).parents[2] / "docs/verify-with-openssl.md"
SEALS: Final = frozenset({Use.INSTITUTION})
NOW: Final = datetime.now(UTC).replace(microsecond=0)
NOW_US: Final = int(NOW.timestamp()) * 1_000_000
CURRENT: Final = Validity(NOW - timedelta(minutes=5), NOW + timedelta(hours=1))


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.new()


@pytest.fixture(scope="module")
def seal(pki: Pki) -> x509.Certificate:
    return x509.load_der_x509_certificate(pki.sealer().certificate)


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def answered_by_openssl(
    openssl: Path,
    directory: Path,
    *,
    issuer: Authority,
    seal: x509.Certificate,
    signer: Authority,
    entry: str,
) -> bytes:
    """Return what `openssl ocsp` answers to our question, with its own index."""
    (directory / "question.der").write_bytes(question_of(seal, issuer.certificate))
    (directory / "authority.pem").write_bytes(pem(issuer.certificate))
    (directory / "signer.pem").write_bytes(pem(signer.certificate))
    (directory / "signer.key").write_bytes(
        signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    serial = f"{seal.serial_number:x}".upper()
    serial = serial.zfill(len(serial) + len(serial) % 2)
    line = "\t".join((*entry.split("|"), serial, "unknown", "/CN=seal"))
    (directory / "index.txt").write_text(f"{line}\n")
    subprocess.run(
        [
            openssl,
            *["ocsp", "-index", "index.txt", "-CA", "authority.pem", "-nmin", "60"],
            *["-rsigner", "signer.pem", "-rkey", "signer.key"],
            *["-reqin", "question.der", "-respout", "answer.der"],
        ],
        cwd=directory,
        check=True,
        capture_output=True,
        timeout=30,
    )
    return (directory / "answer.der").read_bytes()


def store_with(pki: Pki, answer: bytes) -> TrustStore:
    of_root = der(make_crl(pki.root, CURRENT, {}))
    return TrustStore(pki.material(crls=(of_root,), answers=(answer,)))


@pytest.mark.parametrize("charged", [False, True], ids=["issuer", "responder"])
def test_what_openssl_answers_is_understood(
    pki: Pki,
    seal: x509.Certificate,
    tmp_path: Path,
    program: Callable[[str], Path],
    charged: bool,  # noqa: FBT001
) -> None:
    openssl = program("openssl")
    signer = delegate_of(pki.authority, IN_FORCE) if charged else pki.authority
    good, revoked = (
        answered_by_openssl(
            openssl,
            tmp_path,
            issuer=pki.authority,
            seal=seal,
            signer=signer,
            entry=entry,
        )
        for entry in ("V|301231000000Z|", "R|301231000000Z|261001000000Z")
    )
    later_us = NOW_US + 30_000_000

    store_with(pki, good).vet(der(seal), uses=SEALS, at_us=later_us)
    with pytest.raises(CertificateRevoked):
        store_with(pki, revoked).vet(der(seal), uses=SEALS, at_us=later_us)
    with pytest.raises(RevocationUnknown):
        store_with(pki, b"").vet(der(seal), uses=SEALS, at_us=later_us)


@pytest.mark.parametrize("is_revoked", [False, True], ids=["good", "revoked"])
def test_the_command_of_the_manual_judges_an_exported_answer(
    pki: Pki,
    seal: x509.Certificate,
    tmp_path: Path,
    program: Callable[[str], Path],
    is_revoked: bool,  # noqa: FBT001
) -> None:
    program("openssl")
    (command,) = re.findall(
        r"^```sh\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    answer = answer_of(
        pki.authority,
        seal,
        CURRENT,
        revoked=NOW - timedelta(minutes=10) if is_revoked else None,
        signer=delegate_of(pki.authority, IN_FORCE),
    )
    (tmp_path / "root.pem").write_bytes(pem(pki.root.certificate))
    (tmp_path / "issuer.pem").write_bytes(pem(pki.authority.certificate))
    (tmp_path / "certificates.pem").write_bytes(pem(pki.authority.certificate))
    (tmp_path / "seal-01.pem").write_bytes(pem(seal))
    (tmp_path / "answer-01.ocsp").write_bytes(answer)

    def judged() -> str:
        done = subprocess.run(
            ["bash", "-eu", "-c", command],
            cwd=tmp_path,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "ROOT": "root.pem"},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        return done.stdout + done.stderr

    said = judged()
    assert "Response verify OK" in said
    assert f"seal-01.pem: {'revoked' if is_revoked else 'good'}" in said

    forged = answer[:-1] + bytes((answer[-1] ^ 1,))
    (tmp_path / "answer-01.ocsp").write_bytes(forged)
    # The changed byte is in the responder's certificate: nobody charged that one.
    assert "Response verify OK" not in judged()
