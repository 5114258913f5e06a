"""Cosignatures: what is signed, byte by byte, and by whom."""

from __future__ import annotations

from base64 import b64decode

import pytest

from counterfoil.tlog.checkpoint import Checkpoint
from counterfoil.tlog.cosignature import ed25519_message
from counterfoil.tlog.errors import MalformedNote, NoteSignatureInvalid
from counterfoil.tlog.merkle import TreeHead
from counterfoil.tlog.ml_dsa import Subtree, ml_dsa_44_message
from counterfoil.tlog.note import (
    NoteSignature,
    add_signatures,
    open_note,
    sign_note,
)
from counterfoil.tlog.timestamp import TIME_S_MAX, cosignature_time_s
from tests.unit.tlog.oracle import Ed25519Key, MlDsaKey, vectors

TIME_S = 1_679_315_147
# The example of the specification.
TEXT = b"""example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
"""
ROOT = b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
TREE = Subtree(origin="example.com/behind-the-sofa", start=0, end=20_852_163, root=ROOT)
PART = Subtree(origin="log.example", start=8, end=13, root=ROOT)
ED25519, ML_DSA = Ed25519Key("w.example/1", 1), MlDsaKey("w.example/1", 2)


def test_the_ed25519_message_is_that_of_the_specification() -> None:
    assert ed25519_message(TEXT, TIME_S) == b"cosignature/v1\ntime 1679315147\n" + TEXT


def test_the_ml_dsa_message_is_laid_out_as_specified() -> None:
    expected = (
        bytes.fromhex("737562747265652f76310a00")  # subtree/v1, newline, zero
        + bytes.fromhex("0b")
        + b"w.example/1"
        + bytes.fromhex("00000000641850cb")
        + bytes.fromhex("1b")
        + b"example.com/behind-the-sofa"
        + bytes.fromhex("0000000000000000")
        + bytes.fromhex("00000000013e2dc3")
        + ROOT
    )

    assert ml_dsa_44_message("w.example/1", TIME_S, TREE) == expected


def test_a_checkpoint_is_cosigned_as_the_whole_tree() -> None:
    checkpoint = Checkpoint(
        origin="log.example", head=TreeHead(13, ROOT), extensions=("not covered",)
    )

    assert Subtree.of_checkpoint(checkpoint) == Subtree(
        origin="log.example", start=0, end=13, root=ROOT
    )


def test_an_ed25519_cosignature_is_time_and_signature_of_that_message() -> None:
    line = ED25519.cosigner.sign(TEXT, TIME_S)

    assert line.value[:8] == TIME_S.to_bytes(8, "big")
    ED25519.private.public_key().verify(line.value[8:], ed25519_message(TEXT, TIME_S))
    assert len(line.value) == 72


def test_an_ml_dsa_cosignature_is_time_and_signature_of_that_message() -> None:
    line = ML_DSA.signer.sign(TEXT, TIME_S)

    assert line.value[:8] == TIME_S.to_bytes(8, "big")
    ML_DSA.private.public_key().verify(
        line.value[8:], ml_dsa_44_message("w.example/1", TIME_S, TREE)
    )
    assert len(line.value) == 2428


def test_both_forms_stand_on_one_note_and_verify() -> None:
    log = Ed25519Key("example.com/behind-the-sofa", 7)
    note = sign_note(TEXT, [log.signer], 0)
    note = add_signatures(
        note, [ED25519.cosigner.sign(TEXT, TIME_S), ML_DSA.signer.sign(TEXT, TIME_S)]
    )

    opened = open_note(
        note, [log.verifier, ED25519.cosignature_verifier, ML_DSA.verifier]
    )

    assert [cosignature_time_s(found) for found in opened.signatures[1:]] == [
        TIME_S
    ] * 2


def test_of_two_cosignatures_by_one_key_the_first_counts() -> None:
    lines = [ED25519.cosigner.sign(TEXT, TIME_S + later) for later in (1, 0)]

    opened = open_note(
        add_signatures(TEXT + b"\n", lines), [ED25519.cosignature_verifier]
    )

    assert opened.signatures == (lines[0],)


def test_the_published_cosignatures_time_is_read() -> None:
    published = vectors("tlog_notes.json")["cosignature_time"]
    value = b64decode(published["signature"])

    signature = NoteSignature(name="w", key_id=value[:4], value=value[4:])

    assert cosignature_time_s(signature) == published["time_s"]


@pytest.mark.parametrize("at", [0, 7, 8, -1])
def test_no_byte_of_a_cosignature_can_be_changed(at: int) -> None:
    for line, verifier in (
        (ED25519.cosigner.sign(TEXT, TIME_S), ED25519.cosignature_verifier),
        (ML_DSA.signer.sign(TEXT, TIME_S), ML_DSA.verifier),
    ):
        verifier.verify(TEXT, line.value)
        value = bytearray(line.value)
        value[at] ^= 1
        with pytest.raises(NoteSignatureInvalid):
            verifier.verify(TEXT, bytes(value))


@pytest.mark.parametrize(
    ("before", "after"), [(b"sofa", b"sofb"), (b"163", b"164"), (b"CsU", b"CsV")]
)
def test_no_line_of_what_was_cosigned_can_be_changed(
    before: bytes, after: bytes
) -> None:
    for line, verifier in (
        (ED25519.cosigner.sign(TEXT, TIME_S), ED25519.cosignature_verifier),
        (ML_DSA.signer.sign(TEXT, TIME_S), ML_DSA.verifier),
    ):
        with pytest.raises(NoteSignatureInvalid):
            verifier.verify(TEXT.replace(before, after), line.value)


def test_extension_lines_are_covered_by_ed25519_only() -> None:
    extended = TEXT + b"extension\n"
    ed25519 = ED25519.cosigner.sign(extended, TIME_S)
    ml_dsa = ML_DSA.signer.sign(extended, TIME_S)

    ML_DSA.verifier.verify(TEXT, ml_dsa.value)
    with pytest.raises(NoteSignatureInvalid):
        ED25519.cosignature_verifier.verify(TEXT, ed25519.value)


def test_an_ml_dsa_cosignature_commits_to_the_cosigners_name() -> None:
    renamed = MlDsaKey("w.example/2", 2)
    line = ML_DSA.signer.sign(TEXT, TIME_S)

    with pytest.raises(NoteSignatureInvalid):
        renamed.verifier.verify(TEXT, line.value)


def test_a_plain_ed25519_line_is_no_cosignature() -> None:
    plain = ED25519.signer.sign(TEXT, TIME_S)

    assert plain.key_id != ED25519.cosigner.key.key_id
    with pytest.raises(NoteSignatureInvalid):
        ED25519.cosignature_verifier.verify(TEXT, bytes(8) + plain.value)


def test_a_part_of_a_log_can_be_vouched_for_without_a_time() -> None:
    line = ML_DSA.signer.sign_subtree(PART)

    ML_DSA.verifier.verify_subtree(PART, line.value)
    assert cosignature_time_s(line) == 0
    moved = Subtree(origin="log.example", start=9, end=13, root=ROOT)
    with pytest.raises(NoteSignatureInvalid):
        ML_DSA.verifier.verify_subtree(moved, line.value)


def test_a_part_that_does_not_start_at_zero_has_no_time() -> None:
    with pytest.raises(MalformedNote, match="has no time"):
        ML_DSA.signer.sign_subtree(PART, TIME_S)
    with pytest.raises(MalformedNote, match="has no time"):
        ML_DSA.verifier.verify_subtree(PART, TIME_S.to_bytes(8, "big") + bytes(2420))


@pytest.mark.parametrize("time_s", [-1, TIME_S_MAX + 1, 2**64])
def test_a_time_out_of_range_is_not_signed(time_s: int) -> None:
    with pytest.raises(MalformedNote, match="time is out of range"):
        ED25519.cosigner.sign(TEXT, time_s)
    with pytest.raises(MalformedNote, match="time is out of range"):
        ML_DSA.signer.sign(TEXT, time_s)


def test_a_time_out_of_range_is_not_read() -> None:
    value = (TIME_S_MAX + 1).to_bytes(8, "big") + bytes(64)

    with pytest.raises(MalformedNote, match="time is out of range"):
        ED25519.cosignature_verifier.verify(TEXT, value)
    with pytest.raises(MalformedNote, match="time is out of range"):
        cosignature_time_s(NoteSignature(name="w", key_id=b"abcd", value=value))


@pytest.mark.parametrize("value", [b"", bytes(7), bytes(8)])
def test_a_cosignature_without_a_signature_is_refused(value: bytes) -> None:
    for verifier in (ED25519.cosignature_verifier, ML_DSA.verifier):
        with pytest.raises(MalformedNote, match="too short"):
            verifier.verify(TEXT, value)


def test_a_signature_of_another_length_is_refused() -> None:
    for verifier in (ED25519.cosignature_verifier, ML_DSA.verifier):
        with pytest.raises(NoteSignatureInvalid):
            verifier.verify(TEXT, bytes(8 + 63))


def test_what_is_no_checkpoint_is_neither_cosigned_nor_verified() -> None:
    text = b"any other note\n"

    for signer in (ED25519.cosigner, ML_DSA.signer):
        with pytest.raises(MalformedNote):
            signer.sign(text, TIME_S)
    for verifier in (ED25519.cosignature_verifier, ML_DSA.verifier):
        with pytest.raises(MalformedNote):
            verifier.verify(text, bytes(72))


@pytest.mark.parametrize(
    ("name", "subtree"),
    [
        ("", TREE),
        ("n" * 256, TREE),
        ("国" * 86, TREE),
        ("w", Subtree(origin="", start=0, end=1, root=ROOT)),
        ("w", Subtree(origin="o" * 256, start=0, end=1, root=ROOT)),
        ("w", Subtree(origin="o", start=-1, end=1, root=ROOT)),
        ("w", Subtree(origin="o", start=2, end=1, root=ROOT)),
        ("w", Subtree(origin="o", start=0, end=2**63, root=ROOT)),
        ("w", Subtree(origin="o", start=0, end=1, root=ROOT[:31])),
    ],
)
def test_a_value_that_does_not_fit_the_message_is_refused(
    name: str, subtree: Subtree
) -> None:
    with pytest.raises(MalformedNote):
        ml_dsa_44_message(name, 0, subtree)


def test_the_longest_names_fit_the_message() -> None:
    subtree = Subtree(origin="o" * 255, start=0, end=1, root=ROOT)

    assert len(ml_dsa_44_message("国" * 85, 0, subtree)) == 12 + 256 + 8 + 256 + 16 + 32
