"""The commands of `docs/verify-with-openssl.md`, run as they stand there."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.devca.certificates import Authority, Validity, make_crl
from counterfoil.domain.seals import Seal
from counterfoil.seal.certificates import certificate_bag
from counterfoil.seal.export import export_for_openssl
from counterfoil.seal.sign import Sealer
from counterfoil.wire.seals import parse_statement
from tests.unit.seal.makers import (
    CURRENT,
    DAY,
    HOUR,
    NOW,
    NOW_US,
    PAYLOAD,
    Pki,
    Signers,
    der,
    order_of,
)

pytestmark = pytest.mark.tools

DOCUMENT: Final = Path(__file__).parents[2] / "docs/verify-with-openssl.md"
COMMANDS: Final = "\n".join(
    re.findall(r"^```bash\n(.*?)^```$", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
)


@dataclass
class Case:
    """An export, and the judgement of `openssl` about it."""

    pki: Pki
    directory: Path

    def write(self, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            (self.directory / name).write_bytes(content)
        (self.directory / "root.pem").write_bytes(
            self.pki.root.certificate.public_bytes(Encoding.PEM)
        )

    def judge(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", COMMANDS],
            cwd=self.directory,
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "AT": str(NOW_US // 1_000_000),
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def change(self, name: str, change: Callable[[bytes], bytes]) -> None:
        path = self.directory / name
        path.write_bytes(change(path.read_bytes()))


@pytest.fixture(params=["p256", "sm2"])
def case(
    request: pytest.FixtureRequest, tmp_path: Path, program: Callable[[str], Path]
) -> Case:
    program("openssl")
    if request.param == "sm2":
        program("libcrypto")
    return Case(Pki.new(algorithm=request.param), tmp_path)


@pytest.fixture
def p256_case(tmp_path: Path, program: Callable[[str], Path]) -> Case:
    """Only for what SM2 does not have: its authorities certify no other key."""
    program("openssl")
    return Case(Pki.new(), tmp_path)


def exported(
    pki: Pki,
    seals: tuple[Seal, ...],
    sealers: tuple[Sealer, ...],
    payload: bytes = PAYLOAD,
) -> dict[str, bytes]:
    certificates = [one.certificate for one in sealers]
    return export_for_openssl(
        payload,
        seals,
        parse=parse_statement,
        certificates=certificate_bag([*certificates, der(pki.authority.certificate)]),
        crls=pki.crls,
    )


def three_seals(case: Case, algorithm: str | None = None) -> Signers:
    signers = Signers.new(case.pki, algorithm)  # type: ignore[arg-type]
    case.write(exported(case.pki, signers.seals(), signers.all))
    return signers


def batch_seal(case: Case, index: int = 2, size: int = 5) -> Sealer:
    sealer = case.pki.sealer()
    seals = sealer.seal_batch(
        [order_of(place) for place in range(size)], stated_time_us=NOW_US
    )
    case.write(
        exported(case.pki, (seals[index],), (sealer,), payload=b"payload %d" % index)
    )
    return sealer


def flip(place: int) -> Callable[[bytes], bytes]:
    def flipped(content: bytes) -> bytes:
        changed = bytearray(content)
        changed[place] ^= 1
        return bytes(changed)

    return flipped


def refused(verdict: subprocess.CompletedProcess[str], why: str) -> bool:
    return verdict.returncode == 1 and f"does not hold: {why}" in verdict.stderr


def test_three_seals_hold(case: Case) -> None:
    three_seals(case)

    verdict = case.judge()

    assert verdict.returncode == 0, verdict.stderr
    assert verdict.stdout.endswith("3 seals hold\n")
    assert "urn:counterfoil:420000-011:person:wang" in verdict.stdout


def test_an_ed25519_seal_holds(p256_case: Case) -> None:
    three_seals(p256_case, "ed25519")

    verdict = p256_case.judge()

    assert verdict.returncode == 0, verdict.stderr
    assert verdict.stdout.endswith("3 seals hold\n")


@pytest.mark.parametrize(("index", "size"), [(0, 2), (2, 5), (4, 5), (9, 16)])
def test_a_seal_of_a_batch_holds(case: Case, index: int, size: int) -> None:
    batch_seal(case, index, size)

    verdict = case.judge()

    assert verdict.returncode == 0, verdict.stderr
    assert verdict.stdout.endswith("1 seals hold\n")


CHANGES: Final = [
    ("payload.bin", 0, "seal-01: what it says"),
    ("seal-01.statement", 1, "seal-01: what it says"),
    ("seal-01.statement", 38, "seal-01: its signature"),
    ("seal-02.statement", -1, "seal-02: what it says"),
    ("seal-03.signature", -1, "seal-03: its signature"),
]


@pytest.mark.parametrize(("name", "place", "why"), CHANGES)
def test_no_bit_can_change(case: Case, name: str, place: int, why: str) -> None:
    three_seals(case)
    case.change(name, flip(place))

    assert refused(case.judge(), why)


@pytest.mark.parametrize(("name", "place", "why"), CHANGES)
def test_no_bit_can_change_under_ed25519(
    p256_case: Case, name: str, place: int, why: str
) -> None:
    three_seals(p256_case, "ed25519")
    p256_case.change(name, flip(place))

    assert refused(p256_case.judge(), why)


def test_another_kind_of_document(case: Case) -> None:
    three_seals(case)

    assert refused(case.judge(KIND="02"), "seal-01: what it says")


def test_a_seal_beneath_that_was_stripped(case: Case) -> None:
    three_seals(case)
    for path in case.directory.glob("seal-01.*"):
        path.unlink()

    assert refused(case.judge(), "seal-02: what it says")


def test_no_seal_at_all(case: Case) -> None:
    three_seals(case)
    for path in case.directory.glob("seal-*"):
        path.unlink()

    assert case.judge().returncode != 0


def test_a_foreign_root(case: Case) -> None:
    three_seals(case)
    foreign = Pki.new().root.certificate
    (case.directory / "root.pem").write_bytes(foreign.public_bytes(Encoding.PEM))

    assert refused(case.judge(), "seal-01: its path")


def test_a_root_that_this_machine_trusts_is_no_root_here(
    case: Case, tmp_path: Path
) -> None:
    three_seals(case)
    trusted = tmp_path / "trusted"
    trusted.mkdir()
    (trusted / "root.pem").write_bytes((case.directory / "root.pem").read_bytes())
    subprocess.run(["openssl", "rehash", str(trusted)], check=True)
    foreign = Pki.new("foreign").root.certificate
    (case.directory / "root.pem").write_bytes(foreign.public_bytes(Encoding.PEM))

    assert refused(case.judge(SSL_CERT_DIR=str(trusted)), "seal-01: its path")


def test_a_revoked_certificate(case: Case) -> None:
    signers = three_seals(case)
    serial = _serial(signers.second)
    revoked = replace(case.pki, revoked={serial: NOW - HOUR})
    case.write(exported(revoked, signers.seals(), signers.all))

    assert refused(case.judge(), "seal-02: its path")


def lists_of(*lists: x509.CertificateRevocationList) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in lists)


@pytest.mark.parametrize("wrong", ["missing", "foreign", "early", "late"])
def test_without_a_list_of_the_issuer_s_own_nothing_holds(
    case: Case, wrong: str
) -> None:
    three_seals(case)
    pki = case.pki
    of_root = make_crl(pki.root, CURRENT, {})
    validity = {
        "early": Validity(NOW - 2 * DAY, NOW - DAY),
        "late": Validity(NOW + HOUR, NOW + DAY),
    }.get(wrong, CURRENT)
    other_key = Authority(pki.authority.certificate, Pki.new().root.key)
    signer = other_key if wrong == "foreign" else pki.authority
    lists = [] if wrong == "missing" else [make_crl(signer, validity, {})]
    case.write({"crls.pem": lists_of(of_root, *lists)})

    assert refused(case.judge(), "seal-01: its path")


def test_an_instant_outside_the_certificate_s_time(case: Case) -> None:
    sealer = case.pki.sealer(validity=Validity(NOW - DAY, NOW + HOUR))
    order = order_of()
    seal = sealer.seal(order, stated_time_us=NOW_US)
    case.write(exported(case.pki, (seal,), (sealer,), payload=b"payload 0"))
    late = str(int((NOW + timedelta(hours=2)).timestamp()))

    assert case.judge().returncode == 0
    assert refused(case.judge(AT=late), "seal-01: its path")


def test_a_certificate_for_connections(case: Case) -> None:
    sealer = case.pki.sealer("system")
    seal = sealer.seal(order_of(), stated_time_us=NOW_US)
    case.write(exported(case.pki, (seal,), (sealer,), payload=b"payload 0"))

    assert refused(case.judge(), "seal-01: its name")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace(b"2 5", b"3 5"), "its signature"),
        (lambda text: text.replace(b"2 5", b"2 6"), "its signature"),
        (lambda text: text.replace(b"2 5", b"5 5"), "its place"),
        (lambda text: text.replace(b"2 5", b"2 9"), "a hash is missing"),
        (lambda text: text + b"00" * 32 + b"\n", "a hash is left over"),
        (flip(-2), "its signature"),
    ],
)
def test_a_changed_batch_path(
    case: Case, change: Callable[[bytes], bytes], why: str
) -> None:
    batch_seal(case)
    case.change("seal-01.batch", change)

    assert refused(case.judge(), f"seal-01: {why}")


def test_a_batch_seal_without_its_path(case: Case) -> None:
    batch_seal(case)
    (case.directory / "seal-01.batch").unlink()

    assert refused(case.judge(), "seal-01: its signature")


def _serial(sealer: Sealer) -> int:
    return x509.load_der_x509_certificate(sealer.certificate).serial_number
