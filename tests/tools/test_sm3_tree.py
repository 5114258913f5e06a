"""SM2 lines on notes and roots by SM3: ours, and what the openssl command says."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from counterfoil.sm2.keys import Sm2PrivateKey
from counterfoil.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from counterfoil.tlog.errors import MalformedNote, NoteSignatureInvalid
from counterfoil.tlog.keys import SignatureType, VerifierKey
from counterfoil.tlog.merkle import Frontier, TreeHead, leaf_hash
from counterfoil.tlog.note import parse_note
from counterfoil.tlog.sm2 import Sm2Signer, Sm2Verifier
from counterfoil.tlog.sm3 import sm3
from tests.unit.tlog.oracle import split

pytestmark = pytest.mark.tools

Program: TypeAlias = Callable[[str], Path]

ORIGIN: Final = "420000-011/log-sm3"
CHECKPOINT: Final = Checkpoint(origin=ORIGIN, head=TreeHead(7, b"\7" * 32))


@pytest.fixture
def key(program: Program) -> Sm2PrivateKey:
    program("libcrypto")
    return Sm2PrivateKey.generate()


def signer_of(key: Sm2PrivateKey, name: str = ORIGIN) -> Sm2Signer:
    public = VerifierKey(
        name=name,
        signature_type=SignatureType.SM2_SM3,
        public_key=key.public_key().point,
    )
    return Sm2Signer(public, key.sign)


def test_a_checkpoint_that_sm2_signed_is_opened_and_no_other(
    key: Sm2PrivateKey,
) -> None:
    signer = signer_of(key)
    verifier = Sm2Verifier(VerifierKey.from_text(signer.key.to_text()))

    note = sign_checkpoint(CHECKPOINT, [signer], 1)

    opened = open_checkpoint(note, origin=ORIGIN, required=[verifier])
    assert opened.checkpoint == CHECKPOINT
    changed = note.replace(b"\n7\n", b"\n8\n")
    with pytest.raises(NoteSignatureInvalid):
        open_checkpoint(changed, origin=ORIGIN, required=[verifier])
    other = Sm2Verifier(signer_of(Sm2PrivateKey.generate()).key)
    with pytest.raises(NoteSignatureInvalid):
        other.verify(*_signed(note))


def test_a_point_beside_the_curve_is_no_key(program: Program) -> None:
    program("libcrypto")
    point = VerifierKey(
        name=ORIGIN,
        signature_type=SignatureType.SM2_SM3,
        public_key=b"\4" + bytes(64),
    )

    with pytest.raises(MalformedNote, match="curve"):
        Sm2Verifier(point).verify(b"text\n", b"signature")


def test_the_openssl_command_verifies_an_sm2_line(
    key: Sm2PrivateKey, tmp_path: Path, program: Program
) -> None:
    text, signature = _signed(sign_checkpoint(CHECKPOINT, [signer_of(key)], 1))
    spki = key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    for name, content in (("key", spki), ("text", text), ("signature", signature)):
        (tmp_path / name).write_bytes(content)

    verdict = subprocess.run(
        [
            *(program("openssl"), "dgst", "-sm3", "-verify", tmp_path / "key"),
            *("-sigopt", "distid:1234567812345678"),
            *("-signature", tmp_path / "signature", tmp_path / "text"),
        ],
        capture_output=True,
        check=False,
        timeout=60,
    )

    assert verdict.returncode == 0, verdict.stderr


@pytest.mark.parametrize("count", [1, 2, 5, 7])
def test_the_openssl_command_comes_to_the_same_root(
    count: int, program: Program
) -> None:
    openssl = program("openssl")

    def dgst(content: bytes) -> bytes:
        return subprocess.run(
            [openssl, "dgst", "-sm3", "-binary"],
            input=content,
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout

    def root(leaves: list[bytes]) -> bytes:
        if len(leaves) == 1:
            return dgst(b"\0" + leaves[0])
        middle = split(len(leaves))
        return dgst(b"\1" + root(leaves[:middle]) + root(leaves[middle:]))

    leaves = [b"leaf %d" % number for number in range(count)]
    frontier = Frontier(hash_function=sm3)

    frontier.extend([leaf_hash(leaf, sm3) for leaf in leaves])

    assert frontier.root() == root(leaves)


def _signed(note: bytes) -> tuple[bytes, bytes]:
    parsed = parse_note(note)
    return parsed.text, parsed.signatures[0].value
