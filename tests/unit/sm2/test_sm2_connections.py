"""SM2 is for seals: for connections it is refused, whatever this machine can do."""

from base64 import b64decode
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.daemon.config import ConfigurationRefused
from counterfoil.daemon.tls import TlsKeeper
from counterfoil.office import Access
from tests.houses import FINANCE, Town
from tests.unit.sm2.test_sm2_unavailable import PRIVATE_KEY, VECTORS


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(directory=tmp_path_factory.mktemp("town"))


def sm2_certificate() -> bytes:
    der = b64decode(VECTORS["certificates"]["authority"])
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def test_a_gateway_shows_no_sm2_certificate(town: Town) -> None:
    shown = town.pki / FINANCE / "gateway-1.pem"
    before = shown.read_bytes()
    shown.write_bytes(sm2_certificate())
    try:
        with pytest.raises(
            ConfigurationRefused,
            match=r"tls\.certificate: connections need a key on P-256 or Ed25519",
        ):
            TlsKeeper(town.configuration(FINANCE))
    finally:
        shown.write_bytes(before)
    TlsKeeper(town.configuration(FINANCE))


@pytest.mark.usefixtures("no_libcrypto")
def test_a_gateway_has_no_sm2_key_for_connections(town: Town, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_bytes(PRIVATE_KEY)
    configuration = town.file(FINANCE).read_text()
    stem = f"file:pki/{FINANCE}/gateway-1"
    town.file(FINANCE).write_text(
        configuration.replace(f"{stem}.key", f"file:{key}").replace(
            f"{stem}.pass", "none"
        )
    )
    try:
        with pytest.raises(ConfigurationRefused, match=r"\[tls\]: .*SM2 needs"):
            TlsKeeper(town.configuration(FINANCE))
    finally:
        town.file(FINANCE).write_text(configuration)


def test_a_business_system_has_no_sm2_key_for_connections(
    town: Town, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_bytes(PRIVATE_KEY)

    with pytest.raises(ValueError, match=f"{key}: connections need a key on P-256"):
        Access.from_files(
            certificate=town.pki / FINANCE / "system-1.pem",
            key=key,
            authorities=town.pki / "authorities.pem",
            passphrase=None,
        )
