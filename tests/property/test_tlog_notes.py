"""Every text form reads back as written, and nothing else is read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.tlog.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from counterfoil.tlog.encoding import decode_base64, decode_count, encode_base64
from counterfoil.tlog.errors import MalformedNote, NoteError, OriginUnknown
from counterfoil.tlog.keys import VerifierKey
from counterfoil.tlog.merkle import SIZE_MAX, TreeHead
from counterfoil.tlog.note import (
    NoteSignature,
    add_signatures,
    open_note,
    parse_note,
    sign_note,
)
from counterfoil.tlog.proof_file import ProofFile
from tests.unit.tlog.oracle import Ed25519Key, MlDsaKey

KEY, ML_DSA = Ed25519Key("log.example/1"), MlDsaKey("log.example/1")
CHARACTERS = st.characters(min_codepoint=32, exclude_categories=["Cs"])
LINES = st.text(CHARACTERS, min_size=1)
TEXTS = st.lists(st.text(CHARACTERS)).map(lambda lines: "\n".join([*lines, ""]) or "\n")
NAMES = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1
).filter(lambda name: "+" not in name)
HASHES = st.binary(min_size=32, max_size=32)
HEADS = st.builds(TreeHead, st.integers(0, SIZE_MAX), HASHES)
CHECKPOINTS = st.builds(
    Checkpoint,
    origin=LINES,
    head=HEADS,
    extensions=st.lists(LINES, max_size=3).map(tuple),
)
SIGNATURES = st.builds(
    NoteSignature,
    name=NAMES,
    key_id=st.binary(min_size=4, max_size=4),
    value=st.binary(min_size=1, max_size=80),
)
FILES = st.builds(
    ProofFile,
    index=st.integers(0, SIZE_MAX),
    proof=st.lists(HASHES, max_size=63).map(tuple),
    checkpoint=st.binary(min_size=1),
    extra=st.none() | st.binary(),
)
NOTE = sign_checkpoint(
    Checkpoint(origin="log.example/1", head=TreeHead(7, bytes(32))),
    [KEY.signer, ML_DSA.signer],
    1_700_000_000,
)


@given(TEXTS, st.lists(SIGNATURES, max_size=20))
def test_a_note_reads_back_whatever_its_text_and_lines(
    text: str, signatures: list[NoteSignature]
) -> None:
    signed = sign_note(text.encode(), [KEY.signer], 0)

    note = add_signatures(signed, signatures)

    assert parse_note(note).text == text.encode()
    assert parse_note(note).signatures[1:] == tuple(signatures)
    assert open_note(note, [KEY.verifier]).text == text.encode()


@given(CHECKPOINTS)
def test_a_checkpoint_reads_back(checkpoint: Checkpoint) -> None:
    assert parse_checkpoint(checkpoint.to_text()) == checkpoint


@given(st.text())
def test_a_text_is_a_checkpoint_in_one_spelling_or_none(text: str) -> None:
    try:
        checkpoint = parse_checkpoint(text.encode(errors="replace"))
    except MalformedNote:
        return

    assert checkpoint.to_text() == text.encode(errors="replace")


@given(FILES)
def test_a_proof_file_reads_back(file: ProofFile) -> None:
    assert ProofFile.from_bytes(file.to_bytes()) == file


@given(FILES, st.data())
def test_a_damaged_proof_file_is_refused_or_says_something_else(
    file: ProofFile, data: st.DataObject
) -> None:
    content = bytearray(file.to_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))

    try:
        damaged = ProofFile.from_bytes(bytes(content))
    except MalformedNote:
        return

    assert damaged != file
    assert damaged.to_bytes() == bytes(content)


@given(st.data())
@settings(max_examples=200)
def test_no_byte_of_a_signed_checkpoint_can_be_changed(data: st.DataObject) -> None:
    damaged = bytearray(NOTE)
    at = data.draw(st.integers(0, len(NOTE) - 1))
    damaged[at] ^= data.draw(st.integers(1, 255))

    with pytest.raises((NoteError, OriginUnknown)):
        open_checkpoint(
            bytes(damaged),
            origin="log.example/1",
            required=[KEY.verifier, ML_DSA.verifier],
        )


@given(st.binary())
def test_any_bytes_are_refused_and_never_a_crash(content: bytes) -> None:
    with pytest.raises(NoteError):
        open_note(content, [KEY.verifier])
    with pytest.raises(MalformedNote):
        ProofFile.from_bytes(content)


@given(st.text())
def test_a_key_text_has_one_spelling(text: str) -> None:
    try:
        key = VerifierKey.from_text(text)
    except MalformedNote:
        return

    assert key.to_text() == text


@given(st.binary())
def test_base64_reads_back(value: bytes) -> None:
    assert decode_base64(encode_base64(value)) == value


@given(st.integers(0, SIZE_MAX))
def test_a_count_reads_back(value: int) -> None:
    assert decode_count(str(value)) == value
