"""Keys and secrets are read from where they are kept, and never shown."""

import os
import pickle
import traceback
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import (
    generate_private_key as generate_rsa_key,
)
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from counterfoil.domain.seals import Algorithm
from counterfoil.seal.head_keys import cosigners, head_signers, load_log_keys
from counterfoil.seal.keys import (
    KeyReference,
    load_private_key,
    load_signing_key,
    load_tls_key,
)
from counterfoil.seal.secret import (
    SECRET_BYTES_MAX,
    KeyRefused,
    SecretText,
    read_secret,
)
from counterfoil.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from counterfoil.tlog.merkle import empty_head
from counterfoil.tlog.note import add_signatures
from counterfoil.tlog.verifiers import verifier_of

PASSPHRASE = b"correct horse"


def private_file(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def encrypted(key: object) -> bytes:
    return key.private_bytes(  # type: ignore[attr-defined, no-any-return]
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE)
    )


def plain(key: object, form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
    return key.private_bytes(  # type: ignore[attr-defined, no-any-return]
        Encoding.PEM, form, NoEncryption()
    )


@pytest.fixture
def reference(tmp_path: Path) -> KeyReference:
    key = private_file(tmp_path / "key", encrypted(generate_private_key(SECP256R1())))
    secret = private_file(tmp_path / "pass", PASSPHRASE + b"\n")
    return KeyReference(f"file:{key}", f"file:{secret}")


def path_of(reference: KeyReference) -> Path:
    return Path(reference.uri.removeprefix("file:"))


def refused(reference: KeyReference) -> str:
    with pytest.raises(KeyRefused) as caught:
        load_private_key(reference)
    shown = "".join(traceback.format_exception(caught.value))
    assert PASSPHRASE.decode() not in shown
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_an_encrypted_key_is_opened(reference: KeyReference) -> None:
    key = load_signing_key(reference)

    assert key.algorithm is Algorithm.ECDSA_P256_SHA256


def test_an_unencrypted_key_must_be_meant(
    reference: KeyReference, tmp_path: Path
) -> None:
    path = private_file(tmp_path / "plain", plain(Ed25519PrivateKey.generate()))
    meant = KeyReference(f"file:{path}", "none")

    assert load_signing_key(meant).algorithm is Algorithm.ED25519
    assert "not encrypted" in refused(KeyReference(meant.uri, reference.passphrase))
    assert "no passphrase" in refused(KeyReference(meant.uri, ""))


def test_an_encrypted_key_needs_a_passphrase(reference: KeyReference) -> None:
    assert "no passphrase" in refused(KeyReference(reference.uri, ""))
    assert "said to be none" in refused(KeyReference(reference.uri, "none"))


def test_a_wrong_passphrase(reference: KeyReference, tmp_path: Path) -> None:
    wrong = private_file(tmp_path / "wrong", b"wrong horse")

    assert "does not open" in refused(KeyReference(reference.uri, f"file:{wrong}"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644])
def test_others_must_not_read_it(reference: KeyReference, mode: int) -> None:
    path_of(reference).chmod(mode)
    assert f"others can read it, mode {mode:04o}" in refused(reference)

    path_of(reference).chmod(0o400)
    load_private_key(reference)
    Path(reference.passphrase.removeprefix("file:")).chmod(mode)
    assert f"others can read it, mode {mode:04o}" in refused(reference)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_it_must_not_be_another_user_s(reference: KeyReference) -> None:
    os.chown(path_of(reference), 12_345, -1)

    assert "another user's" in refused(reference)


def test_a_key_that_is_not_there(reference: KeyReference) -> None:
    missing = KeyReference(reference.uri + "x", reference.passphrase)

    assert "cannot be opened" in refused(missing)


def test_what_is_no_ordinary_file(reference: KeyReference, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)

    for name in ("", "pipe"):
        uri = f"file:{tmp_path / name}"
        assert "ordinary" in refused(KeyReference(uri, reference.passphrase))


@pytest.mark.parametrize("uri", ["", "/key", "https:key", "file", "FILE:/key"])
def test_only_known_schemes(uri: str) -> None:
    assert "not a key URI" in refused(KeyReference(uri, "none"))


def test_a_path_is_absolute() -> None:
    assert "not absolute" in refused(KeyReference("file:key.pem", "none"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n",
        plain(generate_private_key(SECP256R1()), PrivateFormat.TraditionalOpenSSL),
        plain(generate_rsa_key(65537, 2048)),
        bytes(SECRET_BYTES_MAX + 1),
    ],
    ids=["empty", "damaged", "cut", "traditional", "rsa", "giant"],
)
def test_what_is_no_key_for_us(reference: KeyReference, content: bytes) -> None:
    path_of(reference).write_bytes(content)
    secret = reference.passphrase if b"ENCRYPTED" in content else "none"

    assert refused(KeyReference(reference.uri, secret))


def test_a_log_s_key_makes_no_seals_and_no_connections(tmp_path: Path) -> None:
    path = private_file(tmp_path / "key", plain(MLDSA44PrivateKey.generate()))
    reference = KeyReference(f"file:{path}", "none")

    with pytest.raises(KeyRefused):
        load_signing_key(reference)
    with pytest.raises(KeyRefused):
        load_tls_key(reference)


def test_a_key_for_connections_is_plain_but_hidden(reference: KeyReference) -> None:
    secret = load_tls_key(reference)

    load_pem_private_key(secret.reveal(), None)
    assert "PRIVATE" not in f"{secret} {secret!r} {[secret]}"


# --- secrets ---------------------------------------------------------------------


def test_a_secret_is_not_shown() -> None:
    secret = SecretText(PASSPHRASE)

    assert secret.reveal() == PASSPHRASE
    for shown in (str(secret), repr(secret), f"{secret}", str([secret])):
        assert "horse" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_one_newline_at_the_end_is_no_part_of_it(tmp_path: Path, end: bytes) -> None:
    path = private_file(tmp_path / "secret", b" two words " + end)

    assert read_secret(f"file:{path}").reveal() == b" two words "


def test_a_secret_from_a_descriptor() -> None:
    reading, writing = os.pipe()
    os.write(writing, PASSPHRASE)
    os.close(writing)

    assert read_secret(f"fd:{reading}").reveal() == PASSPHRASE
    with pytest.raises(KeyRefused, match="cannot be read"):
        read_secret(f"fd:{reading}")


@pytest.mark.parametrize("number", ["0", "1", "2", "-1", "x", "", "3x"])
def test_descriptors_that_are_none(number: str) -> None:
    with pytest.raises(KeyRefused, match="fd: wants"):
        read_secret(f"fd:{number}")


def test_a_giant_secret_from_a_descriptor(tmp_path: Path) -> None:
    path = private_file(tmp_path / "giant", bytes(SECRET_BYTES_MAX + 1))

    with pytest.raises(KeyRefused, match="too long"):
        read_secret(f"fd:{os.open(path, os.O_RDONLY)}")


def test_a_secret_from_the_service_manager(tmp_path: Path) -> None:
    # Access by a list shows up as access by the group; others stay out.
    path = private_file(tmp_path / "seal", PASSPHRASE, mode=0o440)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}

    assert read_secret("credential:seal", environ).reveal() == PASSPHRASE
    path.chmod(0o444)
    with pytest.raises(KeyRefused, match="others can read"):
        read_secret("credential:seal", environ)
    with pytest.raises(KeyRefused, match="passes no credentials"):
        read_secret("credential:seal", {})


@pytest.mark.parametrize("name", ["", ".", "..", "../seal", "/etc/shadow"])
def test_a_credential_is_a_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(KeyRefused, match="not the name"):
        read_secret(f"credential:{name}", {"CREDENTIALS_DIRECTORY": str(tmp_path)})


def test_what_is_no_reference_is_not_repeated() -> None:
    for mistake in ("hunter2", "hunter2:x", "env:hunter2"):
        with pytest.raises(KeyRefused) as caught:
            read_secret(mistake)
        assert "hunter2" not in str(caught.value)


def test_an_empty_secret(tmp_path: Path) -> None:
    path = private_file(tmp_path / "empty", b"\n")

    with pytest.raises(KeyRefused, match="empty"):
        read_secret(f"file:{path}")


# --- keys of the log -------------------------------------------------------------


def test_both_keys_of_a_log_sign_its_heads(tmp_path: Path) -> None:
    references = [
        KeyReference(f"file:{private_file(tmp_path / name, plain(made))}", "none")
        for name, made in (
            ("ed25519", Ed25519PrivateKey.generate()),
            ("ml-dsa-44", MLDSA44PrivateKey.generate()),
        )
    ]

    signers = head_signers("example.org/log", *load_log_keys(*references))
    note = sign_checkpoint(
        Checkpoint(origin="example.org/log", head=empty_head()), signers, 1_780_000_000
    )

    opened = open_checkpoint(
        note,
        origin="example.org/log",
        required=[verifier_of(signer.key) for signer in signers],
    )
    assert opened.checkpoint.head == empty_head()
    with pytest.raises(KeyRefused, match="not an Ed25519 key"):
        load_log_keys(references[1], references[1])
    with pytest.raises(KeyRefused, match="not an ML-DSA-44 key"):
        load_log_keys(references[0], references[0])


def test_both_keys_of_a_witness_cosign(tmp_path: Path) -> None:
    del tmp_path
    log = head_signers(
        "example.org/log", Ed25519PrivateKey.generate(), MLDSA44PrivateKey.generate()
    )
    witness = cosigners(
        "example.org/us", Ed25519PrivateKey.generate(), MLDSA44PrivateKey.generate()
    )
    checkpoint = Checkpoint(origin="example.org/log", head=empty_head())
    note = sign_checkpoint(checkpoint, log, 1_780_000_000)
    lines = [one.sign(checkpoint.to_text(), 1_780_000_001) for one in witness]

    open_checkpoint(
        add_signatures(note, lines),
        origin="example.org/log",
        required=[verifier_of(one.key) for one in (*log, *witness)],
    )


def test_a_key_in_a_token_serves_for_seals_only() -> None:
    reference = KeyReference("pkcs11:token=a?module-path=/a.so", "none")

    for load in (load_private_key, load_tls_key):
        with pytest.raises(KeyRefused, match="for seals only"):
            load(reference)
    with pytest.raises(KeyRefused, match="for seals only"):
        load_log_keys(reference, reference)
