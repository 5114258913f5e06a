"""Proof files: text form, limits, verification."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.tlog.checkpoint import Checkpoint, sign_checkpoint
from counterfoil.tlog.encoding import encode_base64
from counterfoil.tlog.errors import (
    MalformedNote,
    NoteSignatureInvalid,
    NoteUnsigned,
    OriginUnknown,
    ProofError,
)
from counterfoil.tlog.note import NOTE_BYTES_MAX, NoteVerifier, add_signatures
from counterfoil.tlog.proof_file import EXTRA_BYTES_MAX, PROOF_HASHES_MAX, ProofFile
from tests.unit.tlog.oracle import (
    Ed25519Key,
    MlDsaKey,
    head_of,
    inclusion_path,
    leaves_of,
)

ORIGIN = "bank.example/vault"
KEY, ML_DSA, PEER = Ed25519Key(ORIGIN, 1), MlDsaKey(ORIGIN, 2), Ed25519Key("peer", 3)
LEAVES = leaves_of(11)
HEAD = head_of(LEAVES)
CHECKPOINT = sign_checkpoint(
    Checkpoint(origin=ORIGIN, head=HEAD), [KEY.signer, ML_DSA.signer], 1_700_000_000
)
FILE = ProofFile(index=6, proof=tuple(inclusion_path(6, LEAVES)), checkpoint=CHECKPOINT)
REQUIRED: list[NoteVerifier] = [KEY.verifier, ML_DSA.verifier]
HASH = encode_base64(LEAVES[0])


def test_the_file_is_header_index_hashes_and_the_checkpoint_verbatim() -> None:
    file = ProofFile(index=10, proof=(LEAVES[0], LEAVES[1]), checkpoint=b"c\n\nline\n")

    assert file.to_bytes() == (
        b"c2sp.org/tlog-proof@v1\nindex 10\n"
        + encode_base64(LEAVES[0]).encode()
        + b"\n"
        + encode_base64(LEAVES[1]).encode()
        + b"\n\nc\n\nline\n"
    )


def test_extra_data_stands_before_the_index() -> None:
    file = ProofFile(index=0, proof=(), checkpoint=b"checkpoint\n", extra=b"extra")

    assert file.to_bytes() == (
        b"c2sp.org/tlog-proof@v1\nextra ZXh0cmE=\nindex 0\n\ncheckpoint\n"
    )


@pytest.mark.parametrize(
    "file",
    [
        FILE,
        replace(FILE, extra=b"voucher"),
        replace(FILE, extra=b""),
        replace(FILE, proof=()),
        replace(FILE, index=2**63 - 1, proof=tuple(LEAVES[:1] * PROOF_HASHES_MAX)),
        replace(FILE, extra=b"x" * EXTRA_BYTES_MAX),
    ],
)
def test_a_file_reads_back_as_it_was(file: ProofFile) -> None:
    content = file.to_bytes()

    assert ProofFile.from_bytes(content) == file
    assert ProofFile.from_bytes(content).to_bytes() == content


def test_a_file_proves_its_leaf_with_nothing_but_the_keys() -> None:
    file = ProofFile.from_bytes(FILE.to_bytes())

    opened = file.verify(LEAVES[6], origin=ORIGIN, required=REQUIRED)

    assert opened.checkpoint.head == HEAD


def test_cosigners_are_in_the_answer_for_the_caller_to_count() -> None:
    text = Checkpoint(origin=ORIGIN, head=HEAD).to_text()
    line = PEER.cosigner.sign(text, 1_700_000_001)
    file = replace(FILE, checkpoint=add_signatures(CHECKPOINT, [line]))

    opened = file.verify(
        LEAVES[6], origin=ORIGIN, required=REQUIRED, known=[PEER.cosignature_verifier]
    )

    assert opened.note.signature_of(PEER.cosignature_verifier) == line


@pytest.mark.parametrize("index", sorted(set(range(11)) - {6}))
def test_a_file_proves_no_other_index(index: int) -> None:
    with pytest.raises(ProofError):
        replace(FILE, index=index).verify(LEAVES[6], origin=ORIGIN, required=REQUIRED)


def test_a_file_proves_no_other_leaf() -> None:
    with pytest.raises(ProofError):
        FILE.verify(LEAVES[7], origin=ORIGIN, required=REQUIRED)


def test_a_file_without_one_hash_or_with_one_more_proves_nothing() -> None:
    for proof in (FILE.proof[:-1], (*FILE.proof, LEAVES[0]), FILE.proof[::-1]):
        with pytest.raises(ProofError):
            replace(FILE, proof=proof).verify(
                LEAVES[6], origin=ORIGIN, required=REQUIRED
            )


def test_signatures_are_asked_for_before_the_proof() -> None:
    broken = replace(FILE, proof=())
    forged = replace(FILE, checkpoint=CHECKPOINT.replace(b"\n11\n", b"\n12\n"))

    with pytest.raises(NoteUnsigned):
        broken.verify(LEAVES[6], origin=ORIGIN, required=[PEER.verifier])
    with pytest.raises(NoteSignatureInvalid):
        forged.verify(LEAVES[6], origin=ORIGIN, required=REQUIRED)
    with pytest.raises(OriginUnknown):
        broken.verify(LEAVES[6], origin="other", required=REQUIRED)


def test_extra_data_is_not_authenticated() -> None:
    file = replace(FILE, extra=b"anything")

    assert (
        file.verify(LEAVES[6], origin=ORIGIN, required=REQUIRED).checkpoint.head == HEAD
    )


@pytest.mark.parametrize(
    "content",
    [
        "",
        "wrong-header\nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v2\nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nextra !!\nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nextra AA==\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\nextra AA==\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nextra AA==\nextra AA==\nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\n\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex notanumber\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex -5\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 00\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex  0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nINDEX 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n!!notbase64!!\n\ncheckpoint\n",
        f"c2sp.org/tlog-proof@v1\nindex 0\n{'A' * 86}==\n\ncheckpoint\n",
        f"c2sp.org/tlog-proof@v1\nindex 0\n{HASH}\ncheckpoint\n",
        f"c2sp.org/tlog-proof@v1\nindex 0\n{HASH}\n\n",
        f"c2sp.org/tlog-proof@v1\nindex 0\n{HASH} \n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\r\nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\né\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + f"{HASH}\n" * 64 + "\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + "a" * 200_000 + "\n\ncheckpoint\n",
    ],
)
def test_a_content_that_is_no_proof_file_is_refused(content: str) -> None:
    with pytest.raises(MalformedNote):
        ProofFile.from_bytes(content.encode())


def test_a_checkpoint_that_is_too_long_is_refused() -> None:
    content = replace(FILE, checkpoint=b"c" * NOTE_BYTES_MAX).to_bytes()

    assert len(ProofFile.from_bytes(content).checkpoint) == NOTE_BYTES_MAX
    with pytest.raises(MalformedNote, match="too long"):
        ProofFile.from_bytes(content + b"c")


def test_a_long_part_before_the_checkpoint_is_refused_unread() -> None:
    content = b"c2sp.org/tlog-proof@v1\n" + b"a" * 200_000 + b"\n\ncheckpoint\n"

    with pytest.raises(MalformedNote, match="before the checkpoint is too long"):
        ProofFile.from_bytes(content)


def test_extra_data_that_is_too_long_is_refused() -> None:
    extra = encode_base64(b"x" * (EXTRA_BYTES_MAX + 1))
    content = f"c2sp.org/tlog-proof@v1\nextra {extra}\nindex 0\n\ncheckpoint\n"

    with pytest.raises(MalformedNote, match="too long"):
        ProofFile.from_bytes(content.encode())


@pytest.mark.parametrize(
    "file",
    [
        replace(FILE, index=-1),
        replace(FILE, index=2**63),
        replace(FILE, proof=(b"short",)),
        replace(FILE, proof=tuple(LEAVES[:1] * (PROOF_HASHES_MAX + 1))),
        replace(FILE, extra=b"x" * (EXTRA_BYTES_MAX + 1)),
    ],
)
def test_a_file_that_no_reader_would_take_is_not_written(file: ProofFile) -> None:
    with pytest.raises(ValueError, match=r"out of range|not a hash|too long"):
        file.to_bytes()
