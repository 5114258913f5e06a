"""Without an OpenSSL that can do SM2 everything about it is refused, and says so."""

import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.daemon.config import ConfigurationRefused
from counterfoil.daemon.trust import read_material
from counterfoil.devca.cli import main as devca
from counterfoil.office import Person
from counterfoil.seal.certificates import CertificateRefused, public_key_of
from counterfoil.seal.keys import KeyReference, load_signing_key
from counterfoil.seal.secret import KeyRefused
from counterfoil.sm2 import libcrypto
from counterfoil.sm2.keys import SPKI_HEAD, Sm2PrivateKey, Sm2PublicKey
from counterfoil.sm2.libcrypto import Sm2Unavailable
from counterfoil.sm2.signed import has_sm2_key
from tests.houses import FINANCE, Town

VECTORS: Final = json.loads(
    (Path(__file__).parents[2] / "vectors/sm2.json").read_text("utf-8")
)
ROOT: Final = x509.load_der_x509_certificate(b64decode(VECTORS["certificates"]["root"]))
POINT: Final = bytes.fromhex(VECTORS["signature"]["x"] + VECTORS["signature"]["y"])
PRIVATE_KEY: Final = b"""-----BEGIN PRIVATE KEY-----
MEECAQAwEwYHKoZIzj0CAQYIKoEcz1UBgi0EJzAlAgEBBCA5RSCPeyFEsT824zis
bTn1iJOTaShgtRpC+4HvTffFuA==
-----END PRIVATE KEY-----
"""
"""The private key of the published example, without its public half."""


@pytest.mark.usefixtures("no_libcrypto")
@pytest.mark.parametrize(
    "use",
    [
        Sm2PrivateKey.generate,
        lambda: Sm2PublicKey(SPKI_HEAD + POINT),
        libcrypto.libcrypto,
    ],
)
def test_the_text_says_what_to_install(use: Callable[[], object]) -> None:
    with pytest.raises(Sm2Unavailable, match=r"OpenSSL, 3\.0 or later.*libssl3"):
        use()


def test_a_library_that_lacks_something_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(libcrypto, "_candidates", lambda: iter([("other", object())]))
    libcrypto.libcrypto.cache_clear()
    try:
        with pytest.raises(Sm2Unavailable, match="other: lacks OpenSSL_version_num"):
            libcrypto.libcrypto()
    finally:
        libcrypto.libcrypto.cache_clear()


class Pretended:
    """A library in which every function answers as it is told, and else None."""

    def __init__(self, **answers: object) -> None:
        self._answers = {"OpenSSL_version_num": 0x30000000, **answers}

    def __getattr__(self, name: str) -> Callable[..., object]:
        def function(*arguments: object) -> object:
            del arguments
            return self._answers.get(name)

        return function


@pytest.mark.parametrize(
    ("library", "why"),
    [
        (Pretended(OpenSSL_version_num=0x1010117F), "older than 3.0"),
        (Pretended(EVP_MD_fetch=1), "without SM2 or SM3"),
        (Pretended(EVP_PKEY_CTX_new_from_name=1), "without SM2 or SM3"),
    ],
)
def test_a_library_that_cannot_do_sm2_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, library: Pretended, why: str
) -> None:
    found: object = Pretended(EVP_MD_fetch=1, EVP_PKEY_CTX_new_from_name=1)
    candidates: list[tuple[str, object]] = [("old", library)]
    monkeypatch.setattr(libcrypto, "_candidates", lambda: iter(candidates))
    libcrypto.libcrypto.cache_clear()
    try:
        with pytest.raises(Sm2Unavailable, match=f"old: .*{why}"):
            libcrypto.libcrypto()
        candidates.append(("new", found))
        assert found is libcrypto.libcrypto()
    finally:
        libcrypto.libcrypto.cache_clear()


@pytest.mark.usefixtures("no_libcrypto")
def test_a_certificate_is_read_but_its_key_is_refused() -> None:
    assert has_sm2_key(ROOT)
    with pytest.raises(CertificateRefused, match=r"^SM2 is not checked here$"):
        public_key_of(ROOT)


@pytest.mark.usefixtures("no_libcrypto")
def test_a_key_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.touch(mode=0o600)
    path.write_bytes(PRIVATE_KEY)

    with pytest.raises(KeyRefused, match=f"{path}: SM2 needs the system's OpenSSL"):
        load_signing_key(KeyReference(f"file:{path}", "none"))


@pytest.mark.usefixtures("no_libcrypto")
def test_a_gateway_that_is_to_trust_an_sm2_root_does_not_start(tmp_path: Path) -> None:
    town = Town(directory=tmp_path / "town")
    with (town.pki / "authorities.pem").open("ab") as file:
        file.write(ROOT.public_bytes(Encoding.PEM))

    with pytest.raises(
        ConfigurationRefused, match=r"trust\.authorities: SM2 needs the system's"
    ):
        read_material(town.configuration(FINANCE))


@pytest.mark.usefixtures("no_libcrypto")
def test_the_development_authority_says_so_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = devca(
        ["--out", str(tmp_path), "--party", FINANCE, "--institution-algorithm", "sm2"]
    )

    assert made == 1
    assert "SM2 needs the system's OpenSSL" in capsys.readouterr().err


@pytest.mark.usefixtures("no_libcrypto")
def test_a_person_s_key_is_refused() -> None:
    certificate = ROOT.public_bytes(Encoding.PEM)

    with pytest.raises(ValueError, match="SM2 needs the system's OpenSSL"):
        Person.from_pem(certificate, PRIVATE_KEY)
