"""Which versions of TLS a gateway speaks, asked with openssl's own client."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from tests.houses import BANK, FINANCE, Process, Town

pytestmark = pytest.mark.tools

Program = Callable[[str], Path]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Run finance's gateway as a process, started as operators start it."""
    made = Town(directory=tmp_path_factory.mktemp("tls"))
    made.initialise(FINANCE)
    process = Process(town=made, party=FINANCE)
    process.start()
    yield made
    process.stop()


def _connect(
    openssl: Path, town: Town, *options: str, certificate: bool = True
) -> subprocess.CompletedProcess[str]:
    """Connect as the bank's gateway and hang up."""
    own: list[str] = []
    if certificate:
        credential = town.ca.credential(BANK, "gateway")
        key = town.directory / "bank.pem"
        key.touch(mode=0o600)
        key.write_bytes(
            credential.load_key().private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        own = ["-cert", str(credential.chain_file), "-key", str(key)]
        own += ["-cert_chain", str(town.pki / "authority.pem")]
    return subprocess.run(
        [
            openssl,
            "s_client",
            "-connect",
            f"127.0.0.1:{town.ports[FINANCE]}",
            "-CAfile",
            town.pki / "root.pem",
            "-verify_return_error",
            "-alpn",
            "h2",
            *own,
            *options,
        ],
        input="",
        capture_output=True,
        text=True,
        errors="replace",  # HTTP/2 frames are no text
        timeout=30,
        check=False,
    )


@pytest.mark.clause("hubei-9")
def test_tls_1_3_with_a_certificate_makes_a_connection(
    program: Program, town: Town
) -> None:
    answer = _connect(program("openssl"), town, "-tls1_3")

    assert "Verify return code: 0 (ok)" in answer.stdout, answer.stderr
    assert "TLSv1.3" in answer.stdout
    assert "ALPN protocol: h2" in answer.stdout


@pytest.mark.clause("hubei-9")
@pytest.mark.parametrize("suites", ["", "DEFAULT", "ALL:@SECLEVEL=0"])
def test_tls_1_2_gets_no_session_whatever_it_offers(
    program: Program, town: Town, suites: str
) -> None:
    options = ["-cipher", suites] if suites else []

    answer = _connect(program("openssl"), town, "-tls1_2", *options)

    assert answer.returncode != 0
    assert "New, (NONE), Cipher is (NONE)" in answer.stdout
    assert "BEGIN CERTIFICATE" not in answer.stdout


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_older_versions_get_no_session(
    program: Program, town: Town, version: str
) -> None:
    answer = _connect(program("openssl"), town, version, "-cipher", "ALL:@SECLEVEL=0")

    assert answer.returncode != 0
    assert "Cipher is (NONE)" in answer.stdout


@pytest.mark.clause("hubei-9")
def test_without_a_certificate_the_handshake_fails(
    program: Program, town: Town
) -> None:
    # In TLS 1.3 the client learns of it only when it reads; so it waits for data.
    answer = _connect(
        program("openssl"), town, "-tls1_3", "-ign_eof", certificate=False
    )

    assert answer.returncode != 0
    assert "unexpected eof" in answer.stderr or "certificate" in answer.stderr
    with_one = _connect(program("openssl"), town, "-tls1_3")
    assert "unexpected eof" not in with_one.stderr
