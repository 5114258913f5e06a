"""Verifier keys: their identifiers and their text."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode

import pytest

from counterfoil.tlog.cosignature import Ed25519CosignatureVerifier, Ed25519Cosigner
from counterfoil.tlog.ed25519 import (
    Ed25519Signer,
    Ed25519Verifier,
    verify_ed25519,
)
from counterfoil.tlog.errors import MalformedNote, NoteSignatureInvalid
from counterfoil.tlog.keys import SignatureType, VerifierKey
from counterfoil.tlog.ml_dsa import MlDsa44Signer, MlDsa44Verifier
from counterfoil.tlog.sm2 import Sm2Signer, Sm2Verifier
from counterfoil.tlog.verifiers import verifier_of
from tests.unit.tlog.oracle import Ed25519Key, MlDsaKey, vectors

NOTES = vectors("tlog_notes.json")
PUBLISHED_KEYS = [
    NOTES["specification_example"]["key"],
    *NOTES["two_signers"]["keys"],
    *NOTES["good_keys"],
    *(checkpoint["key"] for checkpoint in NOTES["checkpoints"]),
]
GOOD = PUBLISHED_KEYS[0]


@pytest.mark.parametrize("text", PUBLISHED_KEYS)
def test_a_published_key_is_read_and_written_without_a_change(text: str) -> None:
    key = VerifierKey.from_text(text)

    assert key.to_text() == text
    assert key.key_id.hex() == text.split("+")[1]


def test_the_published_ml_dsa_key_is_read_under_its_right_identifier_only() -> None:
    published = NOTES["ml_dsa_44_key"]["key"]
    name, _, material = published.split("+", 2)
    right = hashlib.sha256(f"{name}\n".encode() + b64decode(material)).hexdigest()[:8]

    key = VerifierKey.from_text(f"{name}+{right}+{material}")

    assert key.signature_type is SignatureType.ML_DSA_44
    assert MlDsa44Verifier(key).key_id.hex() == right
    with pytest.raises(MalformedNote, match="key ID"):
        VerifierKey.from_text(published)


@pytest.mark.parametrize("text", NOTES["bad_keys"])
def test_a_published_bad_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedNote):
        VerifierKey.from_text(text)


def test_every_true_part_of_a_key_is_refused() -> None:
    for start in range(len(GOOD)):
        for end in range(start + 1, len(GOOD) + 1):
            if (start, end) != (0, len(GOOD)):
                with pytest.raises(MalformedNote):
                    VerifierKey.from_text(GOOD[start:end])


@pytest.mark.parametrize("at", range(len(GOOD)))
def test_a_key_with_one_other_character_is_refused(at: int) -> None:
    changed = GOOD[:at] + chr(ord(GOOD[at]) + 1) + GOOD[at + 1 :]

    with pytest.raises(MalformedNote):
        VerifierKey.from_text(changed)


@pytest.mark.parametrize("text", ["", "+", "++", "a+b", "a+00000000+"])
def test_a_text_that_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedNote):
        VerifierKey.from_text(text)


def test_the_key_id_depends_on_the_use() -> None:
    key = Ed25519Key("alice.example")

    assert key.verifier.key_id != key.cosignature_verifier.key_id
    assert len(key.verifier.key_id) == 4


@pytest.mark.parametrize("name", ["", "a b", "a+b"])
def test_a_key_with_a_name_that_breaks_its_line_is_refused(name: str) -> None:
    with pytest.raises(MalformedNote, match="key name"):
        Ed25519Key(name)


def test_a_public_key_of_another_length_is_refused() -> None:
    for signature_type in SignatureType:
        with pytest.raises(MalformedNote, match="wrong length"):
            VerifierKey(
                name="alice", signature_type=signature_type, public_key=b"k" * 33
            )


@pytest.mark.parametrize(
    "use",
    [
        Ed25519Verifier,
        Ed25519CosignatureVerifier,
        MlDsa44Verifier,
        lambda key: Ed25519Signer(key, bytes),
        lambda key: Ed25519Cosigner(key, bytes),
        lambda key: MlDsa44Signer(key, bytes),
    ],
)
def test_a_key_serves_its_own_use_only(use: type[Ed25519Verifier]) -> None:
    ed25519, ml_dsa = Ed25519Key("alice.example"), MlDsaKey("alice.example")
    keys = [ed25519.verifier.key, ed25519.cosignature_verifier.key, ml_dsa.verifier.key]
    refused = 0

    for key in keys:
        try:
            use(key)
        except ValueError:
            refused += 1

    assert refused == 2


def test_the_verifier_is_chosen_by_the_type() -> None:
    ed25519, ml_dsa = Ed25519Key("alice.example"), MlDsaKey("alice.example")

    for verifier in (ed25519.verifier, ed25519.cosignature_verifier, ml_dsa.verifier):
        assert verifier_of(verifier.key) == verifier


def test_an_ed25519_signature_holds_for_its_message_only() -> None:
    key = Ed25519Key("alice.example")
    signature = key.private.sign(b"message")
    public_key = key.verifier.key.public_key

    verify_ed25519(public_key, signature, b"message")
    for signed, value in ((b"massage", signature), (b"message", signature[:-1])):
        with pytest.raises(NoteSignatureInvalid):
            verify_ed25519(public_key, value, signed)


# --- SM2, whose type C2SP has not assigned ----------------------------------------

POINT = bytes.fromhex(vectors("sm2.json")["signature"]["x"]) + bytes.fromhex(
    vectors("sm2.json")["signature"]["y"]
)
SM2_KEY = VerifierKey(
    name="420000-011/log-sm3",
    signature_type=SignatureType.SM2_SM3,
    public_key=b"\4" + POINT,
)


def test_an_sm2_key_is_named_by_the_type_without_a_number_and_its_name() -> None:
    material = b"\xffcounterfoil/sm2-sm3/v1\4" + POINT
    mark = hashlib.sha256(b"420000-011/log-sm3\n" + material).hexdigest()[:8]

    text = SM2_KEY.to_text()

    assert text.split("+", 2)[:2] == ["420000-011/log-sm3", mark]
    assert b64decode(text.split("+", 2)[2]) == material
    assert VerifierKey.from_text(text) == SM2_KEY
    assert SM2_KEY.key_id.hex() == mark
    assert verifier_of(SM2_KEY) == Sm2Verifier(SM2_KEY)


@pytest.mark.parametrize(
    "identifier", [b"\xff", b"\xffcounterfoil/sm2-sm3/v2", b"\xffexample.org/sm2"]
)
def test_another_type_without_a_number_is_not_taken_for_ours(identifier: bytes) -> None:
    material = identifier + b"\4" + POINT
    mark = hashlib.sha256(b"420000-011/log-sm3\n" + material).hexdigest()[:8]

    with pytest.raises(MalformedNote, match="not used here"):
        VerifierKey.from_text(
            f"420000-011/log-sm3+{mark}+{b64encode(material).decode()}"
        )


def test_a_key_of_another_type_signs_no_sm2_line() -> None:
    key = Ed25519Key("alice.example").verifier.key

    for use in (Sm2Verifier, lambda key: Sm2Signer(key, bytes)):
        with pytest.raises(ValueError, match="another signature type"):
            use(key)
