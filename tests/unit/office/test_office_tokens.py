"""A person's key in a token: the office signs there, and says why where it cannot."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pkcs11
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from grpc import experimental
from grpc.experimental import PrivateKeySignatureAlgorithm

from counterfoil.devca.certificates import Algorithm
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.office import Access, KeyAway, Person, plan_of, read_settings
from counterfoil.office import seal_voucher as put_seal
from counterfoil.office.token_access import _signs
from counterfoil.seal import dsse, token_session
from counterfoil.seal.algorithms import check_with
from tests.unit.office.loopback import PARTY, access_of
from tests.unit.seal.fake_token import PIN, FakeKey, FakeModule, FakeToken

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


class Card:
    """A person's token, their certificate in a file, and a configuration."""

    def __init__(
        self, ca: DevelopmentCa, folder: Path, algorithm: Algorithm = "p256"
    ) -> None:
        ca.issue(PARTY, "person", "card", now=datetime.now(UTC), algorithm=algorithm)
        self.credential = ca.credential(PARTY, "person", "card")
        self.authorities = ca.directory / "root.pem"
        self.key = FakeKey(self.credential.load_key(), LABEL="k")
        self.token = FakeToken([self.key], label="card")
        self.module = FakeModule(self.token)
        self.path = folder / "module.so"
        self.path.write_bytes(b"not loaded")
        pin = folder / "card.pin"
        pin.write_text(f"{PIN}\n")
        pin.chmod(0o600)
        self.uri = f"pkcs11:token=card;object=k?module-path={self.path}"
        self.file = folder / "system.toml"
        self.file.write_text(
            f"""
            [office]
            party = "{PARTY}"
            address = "127.0.0.1:1"
            authorities = "{self.authorities}"
            [office.caller.card]
            certificate = "{self.credential.chain_file}"
            key = "{self.uri}"
            passphrase = "file:card.pin"
            """
        )

    def person(self) -> Person:
        station, _ = read_settings(self.file)
        return station.person("card")


@pytest.fixture
def card(ca: DevelopmentCa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Card:
    made = Card(ca, tmp_path)
    monkeypatch.setattr(pkcs11, "lib", made.module.library)
    monkeypatch.setattr(token_session, "_modules", {})
    return made


def test_a_person_seals_with_a_token(card: Card) -> None:
    person = card.person()

    seal = put_seal(b"payload", plan_of(5201)[0], person, stated_time=NOW)

    _, check = check_with(load_der_public_key(person.key.public_key))
    check(seal.signature, dsse.encode_for_signing(dsse.SEAL_TYPE, seal.statement))
    assert card.token.pins == [PIN]
    assert PIN not in repr(person)


def test_a_token_that_is_away_is_a_refusal_of_the_office(card: Card) -> None:
    person = card.person()
    card.key.fails = [pkcs11.DeviceRemoved()]
    card.module.slots = []

    with pytest.raises(KeyAway, match="the token is not there"):
        person.sign(b"message")


def test_a_token_that_cannot_be_opened_is_told_before_anything_is_called(
    card: Card,
) -> None:
    card.token.pin = "another"

    with pytest.raises(ValueError, match="the PIN is wrong") as caught:
        card.person()

    assert PIN not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_certificate_of_another_person_is_refused(
    card: Card, ca: DevelopmentCa
) -> None:
    other = ca.credential(PARTY, "person", "first").chain_file
    text = card.file.read_text()
    card.file.write_text(text.replace(str(card.credential.chain_file), str(other)))

    with pytest.raises(ValueError, match="for another key"):
        card.person()


def test_a_key_on_ed25519_seals_and_makes_no_connection(
    ca: DevelopmentCa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Card(ca, tmp_path, "ed25519")
    monkeypatch.setattr(pkcs11, "lib", card.module.library)
    monkeypatch.setattr(token_session, "_modules", {})
    station, _ = read_settings(card.file)

    assert station.person("card").sign(b"message")
    with pytest.raises(ValueError, match="needs one on P-256"):
        station.callers["card"].credentials()


def test_a_handshake_for_another_algorithm_is_not_signed(card: Card) -> None:
    sign = _signs(card.person().key)
    asked = PrivateKeySignatureAlgorithm

    assert sign(b"handshake", asked.ECDSA_SECP256R1_SHA256.value, None)
    for other in asked:
        if other != asked.ECDSA_SECP256R1_SHA256:
            with pytest.raises(ValueError, match="another algorithm"):
                sign(b"handshake", other.value, None)


def test_a_grpc_that_cannot_is_told_and_harms_nobody_else(
    card: Card, ca: DevelopmentCa, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(experimental, "ssl_channel_credentials_with_custom_signer")
    station, _ = read_settings(card.file)

    with pytest.raises(ValueError, match="no handshakes by a key in a token"):
        station.callers["card"].credentials()
    assert isinstance(
        access_of(ca, "person", "first").credentials(), grpc.ChannelCredentials
    )


def test_the_key_is_not_in_what_a_caller_shows(card: Card) -> None:
    station, _ = read_settings(card.file)
    access: Access = station.callers["card"]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(access.credentials(), grpc.ChannelCredentials)
    assert access.key == b""
