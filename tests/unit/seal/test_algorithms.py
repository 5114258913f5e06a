"""The bytes that are signed, and the closed list of algorithms."""

import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256K1,
    SECP256R1,
    SECP384R1,
    EllipticCurvePublicNumbers,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.rsa import (
    generate_private_key as generate_rsa_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA384

from counterfoil.domain.seals import Algorithm
from counterfoil.seal.algorithms import (
    SIGNATURE_BYTES_MAX,
    UnfitKey,
    algorithm_of,
    check_with,
    signing_key,
)
from counterfoil.seal.dsse import BATCH_TYPE, SEAL_TYPE, encode_for_signing

VECTORS: Final = Path(__file__).parents[2] / "vectors"
DSSE: Final[dict[str, Any]] = json.loads((VECTORS / "seal_dsse.json").read_text())
ED25519: Final[dict[str, str]] = json.loads((VECTORS / "seal_ed25519.json").read_text())


@pytest.mark.parametrize("vector", DSSE["encodings"], ids=lambda one: one["type"])
def test_the_encoding_counts_bytes(vector: dict[str, str]) -> None:
    encoded = encode_for_signing(vector["type"], vector["body"].encode())

    assert encoded == vector["pae"].encode()


def test_the_types_are_those_of_the_contract() -> None:
    contract = Path(__file__).parents[3] / "proto/counterfoil/sealed/v1/sealed.proto"

    assert f"`{SEAL_TYPE}`" in contract.read_text()
    assert f"`{BATCH_TYPE}`" in contract.read_text()


def test_the_published_p256_signature_verifies() -> None:
    vector = DSSE["signature"]
    value = b64decode(vector["value"])
    key = EllipticCurvePublicNumbers(
        int(vector["x"]), int(vector["y"]), SECP256R1()
    ).public_key()
    r, s = (int.from_bytes(half, "big") for half in (value[:32], value[32:]))

    algorithm, check = check_with(key)

    assert algorithm is Algorithm.ECDSA_P256_SHA256
    check(encode_dss_signature(r, s), DSSE["encodings"][0]["pae"].encode())
    with pytest.raises(InvalidSignature):
        check(encode_dss_signature(r, s), DSSE["encodings"][1]["pae"].encode())


def test_the_published_ed25519_signature_verifies() -> None:
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(ED25519["public_key"]))
    signature = bytes.fromhex(ED25519["signature"])

    algorithm, check = check_with(key)

    assert algorithm is Algorithm.ED25519
    check(signature, bytes.fromhex(ED25519["message"]))
    with pytest.raises(InvalidSignature):
        check(signature, b"")


@pytest.mark.parametrize(
    "make",
    [
        lambda: generate_private_key(SECP384R1()),
        lambda: generate_private_key(SECP256K1()),
        lambda: generate_rsa_key(65537, 2048),
        Ed448PrivateKey.generate,
        X25519PrivateKey.generate,
    ],
    ids=["p384", "secp256k1", "rsa", "ed448", "x25519"],
)
def test_no_other_key_fits(make: Callable[[], Any]) -> None:
    key = make()

    with pytest.raises(UnfitKey):
        algorithm_of(key.public_key())
    with pytest.raises(UnfitKey):
        signing_key(key)


def test_no_other_hash_fits() -> None:
    key = generate_private_key(SECP256R1())
    _, check = check_with(key.public_key())

    with pytest.raises(InvalidSignature):
        check(key.sign(b"message", ECDSA(SHA384())), b"message")


@pytest.mark.parametrize("signature", [b"", b"0", bytes(64), bytes(72)])
def test_what_is_no_signature_is_refused_alike(signature: bytes) -> None:
    keys = (generate_private_key(SECP256R1()), Ed25519PrivateKey.generate())
    for key in keys:
        _, check = check_with(key.public_key())

        with pytest.raises(InvalidSignature):
            check(signature, b"message")


def test_what_a_key_signs_its_public_half_checks() -> None:
    for private in (generate_private_key(SECP256R1()), Ed25519PrivateKey.generate()):
        key = signing_key(private)
        algorithm, check = check_with(private.public_key())

        assert key.algorithm is algorithm
        for _ in range(50):
            signature = key.sign(b"message")
            assert len(signature) <= SIGNATURE_BYTES_MAX
            check(signature, b"message")


def test_a_key_does_not_show_what_it_signs_with() -> None:
    assert "sign=" not in repr(signing_key(Ed25519PrivateKey.generate()))
