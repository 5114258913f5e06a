from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.devca.directory import DevelopmentCa
from counterfoil.office import read_settings
from counterfoil.office.channel import read_passphrase
from tests.unit.office.loopback import PARTY


@pytest.fixture
def settings(ca: DevelopmentCa, tmp_path: Path) -> Path:
    stem = os.path.relpath(ca.credential(PARTY, "person", "first").stem, tmp_path)
    root = os.path.relpath(ca.directory / "root.pem", tmp_path)
    file = tmp_path / "system.toml"
    file.write_text(
        f"""
        [office]
        party = "{PARTY}"
        address = "127.0.0.1:1"
        authorities = "{root}"
        [office.caller.first_reviewer]
        certificate = "{stem}.pem"
        key = "file:{stem}.key"
        passphrase = "file:{stem}.pass"
        [books]
        url = "sqlite://"
        """
    )
    return file


def test_a_station_knows_its_callers_and_leaves_other_tables(settings: Path) -> None:
    station, tables = read_settings(settings)

    assert (station.party, station.address) == (PARTY, "127.0.0.1:1")
    assert station.person("first_reviewer").certificate
    assert tables == {"books": {"url": "sqlite://"}}


def test_a_person_may_seal_by_another_certificate_than_the_connections(
    ca: DevelopmentCa, settings: Path
) -> None:
    stem = os.path.relpath(
        ca.credential(PARTY, "person", "second").stem, settings.parent
    )
    seal = f"""
        [office.caller.first_reviewer.seal]
        certificate = "{stem}.pem"
        key = "file:{stem}.key"
        passphrase = "file:{stem}.pass"
        """
    text = settings.read_text()
    settings.write_text(text.replace("[books]", f"{seal}\n[books]"))

    station, _ = read_settings(settings)

    card = ca.credential(PARTY, "person", "second").certificate
    person = station.person("first_reviewer")
    assert person.certificate == card.public_bytes(Encoding.DER)
    assert person.sign(b"x")
    shown = station.callers["first_reviewer"].certificate
    assert shown == ca.credential(PARTY, "person", "first").chain_file.read_bytes()
    with pytest.raises(ValueError, match=r"office\.caller\.other"):
        station.person("other")

    settings.write_text(settings.read_text().replace(f'key = "file:{stem}', 'key = "x'))
    with pytest.raises(ValueError, match="key"):
        read_settings(settings)


def test_a_caller_that_is_not_configured_is_named(settings: Path) -> None:
    station, _ = read_settings(settings)

    with pytest.raises(ValueError, match=r"office\.caller\.system"):
        station.desk("system")


@pytest.mark.parametrize("key", ["party", "address", "authorities"])
def test_a_missing_key_is_named(settings: Path, key: str) -> None:
    lines = settings.read_text().splitlines()
    kept = [line for line in lines if not line.strip().startswith(f"{key} =")]
    settings.write_text("\n".join(kept))

    with pytest.raises(ValueError, match=f"{key} is missing"):
        read_settings(settings)


def test_a_key_that_is_nowhere_known_is_refused(settings: Path) -> None:
    settings.write_text(settings.read_text().replace('key = "file:', 'key = "https:'))

    with pytest.raises(ValueError, match="is a file: or, in a token, a pkcs11:"):
        read_settings(settings)


def test_a_passphrase_that_is_not_there_is_told(settings: Path) -> None:
    settings.write_text(settings.read_text().replace(".pass", ".none"))

    with pytest.raises(ValueError, match="cannot be opened"):
        read_settings(settings)


def test_a_passphrase_comes_from_a_file_of_the_owner(tmp_path: Path) -> None:
    (tmp_path / "pass").write_bytes(b"word\n")
    (tmp_path / "pass").chmod(0o600)

    assert read_passphrase("file:pass", tmp_path) == b"word"


def test_a_passphrase_that_others_may_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pass").write_bytes(b"word")
    (tmp_path / "pass").chmod(0o640)

    with pytest.raises(ValueError, match="others can read it, mode 0640"):
        read_passphrase("file:pass", tmp_path)


def test_a_passphrase_comes_from_a_descriptor(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"word")
    os.close(writing)

    assert read_passphrase(f"fd:{reading}", tmp_path) == b"word"


def test_a_passphrase_comes_from_the_service_manager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tls").write_bytes(b"word")
    (tmp_path / "tls").chmod(0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert read_passphrase("credential:tls", Path("/nowhere")) == b"word"


def test_no_passphrase_is_none(tmp_path: Path) -> None:
    assert read_passphrase("none", tmp_path) is None


def test_another_kind_of_reference_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a reference"):
        read_passphrase("env:SECRET", tmp_path)


def test_a_key_that_does_not_open_says_whose_it_is(
    ca: DevelopmentCa, settings: Path
) -> None:
    text = settings.read_text()
    stem = os.path.relpath(
        ca.credential(PARTY, "person", "second").stem, settings.parent
    )
    own = os.path.relpath(ca.credential(PARTY, "person", "first").stem, settings.parent)
    assert f"file:{own}.pass" in text
    settings.write_text(text.replace(f"file:{own}.pass", f"file:{stem}.pass"))

    with pytest.raises(ValueError, match=r"^office\.caller\.first_reviewer: "):
        read_settings(settings)
