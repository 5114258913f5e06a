"""Keys in tokens, against SoftHSM2: a module that is not ours."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from pkcs11 import Attribute, KeyType

from counterfoil.domain.refusals import SealKeyUnavailable
from counterfoil.seal import token_session
from counterfoil.seal.algorithms import check_with
from counterfoil.seal.key_material import KeyMaterial, load_key_material
from counterfoil.seal.keys import KeyReference
from counterfoil.seal.secret import KeyRefused, SecretText
from counterfoil.seal.token_key import APART_S, TokenKey
from counterfoil.seal.token_session import PinRefused
from counterfoil.seal.token_uri import parse_token_uri
from tests.soft_tokens import Program, SoftToken, TokenStore

pytestmark = pytest.mark.tools

MESSAGE = b"a statement"
P256 = ec.generate_private_key(ec.SECP256R1())
ED25519 = ed25519.Ed25519PrivateKey.generate()


@pytest.fixture
def token(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SoftToken]:
    made = SoftToken(TokenStore.new(tmp_path / "hsm", program, monkeypatch), "seal box")
    yield made
    made.store.close()


def public(private: Any) -> bytes:  # noqa: ANN401
    return private.public_key().public_bytes(  # type: ignore[no-any-return]
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )


def material(token: SoftToken, uri: str, pin: str | None = None) -> KeyMaterial:
    return KeyMaterial(token=parse_token_uri(uri), pin=(pin or token.pin).encode())


def holds(signature: bytes, private: Any) -> None:  # noqa: ANN401
    _, check = check_with(load_der_public_key(public(private)))
    check(signature, MESSAGE)


@pytest.mark.clause("hubei-11")
@pytest.mark.parametrize("private", [P256, ED25519], ids=["p256", "ed25519"])
def test_a_key_in_a_token_signs_what_its_certificate_verifies(
    token: SoftToken,
    private: Any,  # noqa: ANN401
) -> None:
    uri = token.put(private, "机构章")

    key = load_key_material(KeyReference(uri, f"file:{token.pin_file()}")).opened(
        public(private)
    )

    for _ in range(20):
        holds(key.sign(MESSAGE), private)


@pytest.mark.parametrize("asks_each_time", [False, True])
def test_a_key_that_was_made_in_the_token_signs(
    token: SoftToken,
    asks_each_time: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    curve = pkcs11.util.ec.encode_named_curve_parameters("secp256r1")
    with token.session(rw=True) as session:
        parameters = session.create_domain_parameters(
            KeyType.EC, {Attribute.EC_PARAMS: curve}, local=True
        )
        made, private = parameters.generate_keypair(
            store=True,
            label="born here",
            private_template={Attribute.ALWAYS_AUTHENTICATE: asks_each_time},
        )
        assert private[Attribute.NEVER_EXTRACTABLE]
        assert private[Attribute.ALWAYS_AUTHENTICATE] is asks_each_time
        encoded = pkcs11.util.ec.encode_ec_public_key(made)

    key = material(token, token.uri("born here")).opened(encoded)

    for _ in range(3):
        check_with(load_der_public_key(encoded))[1](key.sign(MESSAGE), MESSAGE)


def test_what_is_not_there_is_told_apart(token: SoftToken) -> None:
    uri = token.put(P256, "k")

    def refusal(uri: str, private: Any = P256) -> str:  # noqa: ANN401
        with pytest.raises(KeyRefused) as caught:
            material(token, uri).opened(public(private))
        assert token.pin not in str(caught.value)
        return str(caught.value)

    assert "not there" in refusal(uri.replace("seal%20box", "other"))
    assert "no such private key" in refusal(token.uri("none"))
    assert "another key" in refusal(uri, ec.generate_private_key(ec.SECP256R1()))
    token.put(ec.generate_private_key(ec.SECP256R1()), "k", "02")
    assert "2 private keys fit" in refusal(uri)
    material(token, uri.replace("object=k", "object=k;id=%01")).opened(public(P256))


def test_no_module_is_a_refusal(token: SoftToken, tmp_path: Path) -> None:
    file = tmp_path / "module.so"
    file.write_bytes(b"no library")

    for path, says in ((file, "not a PKCS#11 module"), (Path("/none"), "cannot be")):
        with pytest.raises(KeyRefused, match=says):
            material(token, f"pkcs11:?module-path={path}").opened(public(P256))


def test_after_a_wrong_pin_none_is_tried_until_a_person_has_looked(
    token: SoftToken,
) -> None:
    uri = token.put(P256, "k")

    with pytest.raises(PinRefused, match="the PIN is wrong"):
        material(token, uri, "000000").opened(public(P256))
    # As a service would that is started again, with the right one even.
    with pytest.raises(PinRefused, match="a wrong PIN was entered"):
        material(token, uri).opened(public(P256))

    with token.session():
        pass
    material(token, uri).opened(public(P256))


@pytest.mark.refusal("SEAL_KEY_UNAVAILABLE")
def test_a_token_that_was_taken_out_is_refused_and_found_again(
    token: SoftToken,
) -> None:
    now = [1000.0]
    uri = parse_token_uri(token.put(P256, "k"))
    key = TokenKey(uri, SecretText(token.pin.encode()), public(P256), lambda: now[0])
    holds(key.sign(MESSAGE), P256)

    token.store.take_out()
    for _ in range(3):
        with pytest.raises(SealKeyUnavailable, match="not there"):
            key.sign(MESSAGE)
        now[0] += APART_S

    token.store.put_back()
    holds(key.sign(MESSAGE), P256)


def _sign(material: KeyMaterial, public_key: bytes) -> bytes:
    return material.signing_key(public_key).sign(MESSAGE)


def test_each_process_opens_its_own_session(token: SoftToken) -> None:
    uri = token.put(P256, "k")
    handed = material(token, uri)
    holds(handed.opened(public(P256)).sign(MESSAGE), P256)

    with multiprocessing.get_context("spawn").Pool(2) as pool:
        signatures = pool.starmap(_sign, [(handed, public(P256))] * 4)

    for signature in signatures:
        holds(signature, P256)
    holds(handed.opened(public(P256)).sign(MESSAGE), P256)


def _opens(material: KeyMaterial, public_key: bytes) -> list[str]:
    refusals = []
    for _ in range(10):
        try:
            material.check(public_key)
        except KeyRefused as refused:
            refusals.append(str(refused))
    return refusals


def test_processes_that_open_at_the_same_time_do_not_disturb_each_other(
    token: SoftToken,
) -> None:
    handed = material(token, token.put(P256, "k")), public(P256)

    with multiprocessing.get_context("spawn").Pool(4) as pool:
        refusals = pool.starmap(_opens, [handed] * 4, chunksize=1)

    # SoftHSM reads a token's file when it begins, and writes it at each login.
    assert refusals == [[]] * 4


def test_a_session_does_not_cross_a_fork(token: SoftToken) -> None:
    handed = material(token, token.put(P256, "k"))
    handed.opened(public(P256))
    assert token_session._modules

    with multiprocessing.get_context("fork").Pool(1) as pool:
        answer = pool.apply_async(_sign, (handed, public(P256)))
        with pytest.raises(SealKeyUnavailable, match="do not cross a fork"):
            answer.get(timeout=30)
