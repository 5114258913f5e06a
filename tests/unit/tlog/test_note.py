"""Signed notes: form, known keys, unknown keys, limits."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from counterfoil.tlog.ed25519 import Ed25519Verifier
from counterfoil.tlog.errors import (
    MalformedNote,
    NoteError,
    NoteSignatureInvalid,
    NoteUnsigned,
)
from counterfoil.tlog.keys import VerifierKey
from counterfoil.tlog.note import (
    NOTE_BYTES_MAX,
    SIGNATURES_MAX,
    NoteSignature,
    add_signatures,
    open_note,
    parse_note,
    parse_signature_line,
    require_key_name,
    sign_note,
)
from tests.unit.tlog.oracle import Ed25519Key, vectors

NOTES = vectors("tlog_notes.json")
ALICE, BOB = Ed25519Key("alice.example", 1), Ed25519Key("bob.example", 2)
TEXT = b"one\n\nthree\n"
SIGNED = sign_note(TEXT, [ALICE.signer, BOB.signer], 0)


def verifier_of_text(key: str) -> Ed25519Verifier:
    return Ed25519Verifier(VerifierKey.from_text(key))


def stranger(number: int) -> NoteSignature:
    return NoteSignature(name=f"w{number}.example", key_id=b"abcd", value=b"v" * 64)


def test_the_specifications_example_opens() -> None:
    example = NOTES["specification_example"]

    opened = open_note(example["note"].encode(), [verifier_of_text(example["key"])])

    assert opened.text == b"This is an example message.\n"
    assert opened.bytes_read == example["note"].encode()


def test_the_published_note_of_two_signers_opens_with_either_or_both() -> None:
    published = NOTES["two_signers"]
    note = published["note"].encode()
    first, second = (verifier_of_text(key) for key in published["keys"])

    assert len(open_note(note, [first, second]).signatures) == 2
    for only in (first, second):
        opened = open_note(note, [only])
        assert opened.text == published["text"].encode()
        assert [found.key_id for found in opened.signatures] == [only.key_id]


def test_signing_with_the_published_key_gives_the_published_line() -> None:
    published = NOTES["two_signers"]
    seed = bytes.fromhex(published["first_seed_hex"])
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key = VerifierKey.from_text(published["keys"][0])
    text = published["text"].encode()

    line = NoteSignature(
        name=key.name, key_id=key.key_id, value=private.sign(text)
    ).to_line()

    assert line.decode() == published["first_line"]


def test_the_text_ends_before_the_last_empty_line() -> None:
    note = parse_note(SIGNED)

    assert note.text == TEXT
    assert [line.name for line in note.signatures] == ["alice.example", "bob.example"]


def test_a_note_consists_of_text_empty_line_and_lines() -> None:
    assert SIGNED.startswith(TEXT + b"\n\xe2\x80\x94 alice.example ")
    assert SIGNED.count(b"\n") == TEXT.count(b"\n") + 3
    assert SIGNED.endswith(b"\n")


def test_a_changed_text_is_refused() -> None:
    with pytest.raises(NoteSignatureInvalid):
        open_note(SIGNED.replace(b"three", b"threE"), [ALICE.verifier])


def test_lines_of_unknown_keys_are_passed_over() -> None:
    note = add_signatures(SIGNED, [stranger(number) for number in range(14)])

    opened = open_note(note, [BOB.verifier])

    assert len(parse_note(note).signatures) == 16
    assert [found.name for found in opened.signatures] == ["bob.example"]


def test_a_note_signed_by_strangers_only_is_refused() -> None:
    with pytest.raises(NoteUnsigned, match="no known key"):
        open_note(SIGNED, [Ed25519Key("carol.example", 3).verifier])
    with pytest.raises(NoteUnsigned):
        open_note(SIGNED, [])


def test_name_and_key_id_together_select_the_key() -> None:
    same_name = Ed25519Key("alice.example", 9).verifier
    same_key = Ed25519Key("alice2.example", 1).verifier

    for other in (same_name, same_key):
        with pytest.raises(NoteUnsigned):
            open_note(SIGNED, [other])


def test_one_lying_line_of_a_known_key_spoils_the_note() -> None:
    lie = NoteSignature(name="bob.example", key_id=BOB.verifier.key_id, value=b"v" * 64)
    note = add_signatures(sign_note(TEXT, [ALICE.signer], 0), [lie])

    assert open_note(note, [ALICE.verifier]).text == TEXT
    with pytest.raises(NoteSignatureInvalid):
        open_note(note, [ALICE.verifier, BOB.verifier])


def test_a_second_line_of_the_same_key_is_verified_but_counts_once() -> None:
    signature = ALICE.signer.sign(TEXT, 0)
    lie = NoteSignature(name=signature.name, key_id=signature.key_id, value=b"v" * 64)

    opened = open_note(add_signatures(SIGNED, [signature]), [ALICE.verifier])

    assert opened.signatures == (signature,)
    with pytest.raises(NoteSignatureInvalid):
        open_note(add_signatures(SIGNED, [lie]), [ALICE.verifier])


def test_the_signature_of_a_key_is_found_or_refused() -> None:
    opened = open_note(SIGNED, [ALICE.verifier])

    assert opened.signature_of(ALICE.verifier) == ALICE.signer.sign(TEXT, 0)
    with pytest.raises(NoteUnsigned, match="required"):
        opened.signature_of(BOB.verifier)


def test_two_different_keys_for_one_line_are_a_defect_of_the_caller() -> None:
    class Double:
        name = ALICE.verifier.name
        key_id = ALICE.verifier.key_id

        def verify(self, text: bytes, signature: bytes) -> None:
            raise AssertionError((text, signature))

    with pytest.raises(ValueError, match="same name and key ID"):
        open_note(SIGNED, [ALICE.verifier, Double()])
    assert open_note(SIGNED, [ALICE.verifier, ALICE.verifier]).text == TEXT


def test_adding_a_line_keeps_every_byte_before_it() -> None:
    note = add_signatures(SIGNED, [stranger(1)])

    assert note.startswith(SIGNED)
    assert parse_note(note).signatures[2] == stranger(1)


LINE = ALICE.signer.sign(TEXT, 0).to_line()


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\n",
        b"text\n",
        TEXT,
        b"text\n\n",
        b"text\n" + LINE,
        b"text\n\n" + LINE[:-1],
        b"text\n\n" + LINE + b"\n",
        b"text\n\n" + LINE + b"more\n",
        b"text\n\n" + LINE.replace(b"\xe2\x80\x94", b"-"),
        b"text\n\n" + LINE.replace(b"\xe2\x80\x94 ", b"\xe2\x80\x94"),
        b"text\n\n" + LINE.replace(b"alice.example ", b"alice.example  "),
        b"text\n\n" + LINE.replace(b"alice", b"al+ce"),
        b"text\n\n" + LINE.replace(b"alice", b"al\xc2\xa0ce"),
        b"text\n\n" + LINE.replace(b"alice", b"al ce"),
        b"text\n\n" + LINE.replace(b"alice.example", b""),
        b"text\n\n" + LINE[:-2] + b"\n",
        b"text\n\n" + LINE[:-1] + b" \n",
        b"te\rxt\n\n" + LINE,
        b"te\0xt\n\n" + LINE,
        b"te\txt\n\n" + LINE,
        b"te\xffxt\n\n" + LINE,
        b"text\n\n" + "— alice.example AAAAAA==\n".encode(),
        b"text\n\n" + "— alice.example\n".encode(),
    ],
)
def test_bytes_that_are_no_note_are_refused(note: bytes) -> None:
    with pytest.raises(MalformedNote):
        parse_note(note)
    with pytest.raises(NoteError):
        open_note(note, [ALICE.verifier])


def test_the_number_of_lines_has_a_limit_above_the_specifications() -> None:
    unsigned = TEXT + b"\n"
    full = add_signatures(unsigned, map(stranger, range(SIGNATURES_MAX)))

    assert len(parse_note(full).signatures) == SIGNATURES_MAX >= 16
    with pytest.raises(MalformedNote, match="too many"):
        parse_note(add_signatures(full, [stranger(99)]))


def test_the_length_of_a_note_has_a_limit() -> None:
    fill = NOTE_BYTES_MAX - len(SIGNED)
    longest = b"x" * fill + SIGNED

    assert len(parse_note(longest).text) == fill + len(TEXT)
    with pytest.raises(MalformedNote, match="too long"):
        parse_note(b"x" + longest)


@pytest.mark.parametrize("text", [b"", b"no newline", b"tab\t\n", b"\xff\n"])
def test_a_text_that_no_reader_would_take_is_not_signed(text: bytes) -> None:
    with pytest.raises(MalformedNote):
        sign_note(text, [ALICE.signer], 0)


def test_a_note_needs_a_signer() -> None:
    with pytest.raises(ValueError, match="needs a signer"):
        sign_note(TEXT, [], 0)


def test_a_line_alone_is_what_a_witness_answers() -> None:
    assert parse_signature_line(LINE.decode()[:-1]) == ALICE.signer.sign(TEXT, 0)


@pytest.mark.parametrize(
    "name", ["", "a b", "a+b", "a\u2003b", "a\nb", "a\x00b", "a\x1fb"]
)
def test_a_name_that_would_break_its_line_is_refused(name: str) -> None:
    with pytest.raises(MalformedNote, match="key name"):
        require_key_name(name)


def test_a_name_may_be_in_any_script() -> None:
    require_key_name("国库.example/账本-1")
