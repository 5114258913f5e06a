"""What `counterfoil register propose` refuses says which option it is, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from counterfoil.daemon import cli
from counterfoil.daemon.applied_key import public_key_in
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.seal.certificates import CertificateRefused
from tests.houses import BANK, FINANCE

DAYS = ("--valid-from", "20260101", "--valid-until", "20271231")
HOLDER = ("--holder", f"urn:counterfoil:{FINANCE}:person:first")
PARTIES = ("--parties", f"{FINANCE},{BANK}", *DAYS)
TOLD = ("--told", BANK)


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentCa:
    now = datetime.now(UTC).replace(microsecond=0)
    return DevelopmentCa.create(tmp_path_factory.mktemp("pki"), [FINANCE], now=now)


@pytest.fixture
def person(ca: DevelopmentCa) -> list[str]:
    one = ca.credential(FINANCE, "person", "manager")
    return [
        *("--certificate", str(one.chain_file), "--key", f"file:{one.key_file}"),
        *("--passphrase", f"file:{one.pass_file}"),
    ]


def propose(person: list[str], output: Path, *options: str) -> int:
    return cli.main(
        [
            *("register", "propose", *options, "--by", FINANCE, "--number", "1"),
            *("--output", str(output), *person),
        ]
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("assign", *HOLDER, "--post", "clerk"), "--post: clerk is none of business-"),
        (("withdraw", *HOLDER, "--post", "clerk"), "--post: clerk is none of"),
        (
            ("assign", "--holder", "li", "--post", "archivist"),
            "holder: not an identity",
        ),
        (
            ("agree", *PARTIES, "--ways", f"{FINANCE}:52x", *TOLD),
            "--ways: not a number",
        ),
        (("agree", *PARTIES, "--ways", FINANCE, *TOLD), "--ways: not CODE:TYPE"),
        (("agree", *PARTIES, "--ways", f"{FINANCE}:9999", *TOLD), "no such type"),
        (
            ("agree", *DAYS, "--parties", BANK, "--ways", f"{BANK}:2203", *TOLD),
            "--parties: not two codes",
        ),
        (
            ("file", *HOLDER, *DAYS[:3], "2027", *TOLD),
            "filing.valid_until: does not match",
        ),
        (
            ("file", *HOLDER, *DAYS[2:], "--valid-from", "20280101", *TOLD),
            "日期无效或早于起始日",
        ),
        (("file", *HOLDER, *DAYS, "--types", "x", *TOLD), "--types: not a number"),
        (
            ("file", *HOLDER, *DAYS, "--amount-max-fen", "1.5", *TOLD),
            "--amount-max-fen: not a number",
        ),
        (("suspend", "--digest", "abc", *TOLD), "--digest: not 64 hexadecimal digits"),
        (("suspend", "--digest", "ab" * 31, *TOLD), "--digest: not 64"),
        (
            ("admit", "--party", BANK, "--name", "银行", "--kind", "bank"),
            "--kind: bank is none of finance, ",
        ),
        (
            ("connect", "--party", BANK, "--addresses", "here", "--heads", "x"),
            "peer_connection.addresses: not host:port: 'here' (不是主机与端口)",
        ),
    ],
)
def test_an_option_that_a_gateway_would_refuse_is_refused_at_once(
    person: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    says: str,
) -> None:
    assert propose(person, tmp_path / "out", *options) == cli.USAGE

    told = capsys.readouterr().err
    assert told.startswith(f"counterfoil: {options[0]}: ")
    assert says in told
    assert "命令参数不可用" in told
    # Nobody signs what is refused.
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("matter", ["suspend", "resume", "end", "unfile"])
def test_what_concerns_another_party_says_who_is_told(
    person: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    matter: str,
) -> None:
    options = (matter, "--digest", "ab" * 32)
    assert propose(person, tmp_path / "out", *options) == cli.USAGE
    assert f"{matter}: --told is needed" in capsys.readouterr().err

    assert propose(person, tmp_path / "out", *options, "--told", "none") == cli.DONE
    assert propose(person, tmp_path / "out", *options, *TOLD) == cli.DONE


def test_what_concerns_nobody_else_is_told_to_nobody(
    person: list[str], tmp_path: Path
) -> None:
    done = propose(person, tmp_path / "out", "assign", *HOLDER, "--post", "archivist")

    assert done == cli.DONE


def test_a_certificate_is_applied_for_before_there_is_one(ca: DevelopmentCa) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([])
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .sign(key, hashes.SHA256())
    )
    expected = key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    public = key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )

    assert public_key_in(request.public_bytes(Encoding.PEM)) == expected
    assert public_key_in(public) == expected
    chain = ca.credential(FINANCE, "person", "manager").chain_file.read_bytes()
    assert public_key_in(chain) == x509.load_pem_x509_certificate(
        chain
    ).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_a_request_that_its_key_did_not_sign_is_no_application() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    der = bytearray(request.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))
    der[-1] ^= 1
    forged = x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM)

    with pytest.raises(CertificateRefused, match="not signed by its own key"):
        public_key_in(forged)
    for name in (b"NOTHING", b"PUBLIC KEY", b"CERTIFICATE REQUEST"):
        marks = b"-----BEGIN " + name + b"-----", b"-----END " + name + b"-----"
        broken = b"\nAAAA\n".join(marks)
        with pytest.raises(CertificateRefused, match="not a PEM file"):
            public_key_in(broken)
