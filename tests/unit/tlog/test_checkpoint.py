"""Checkpoints: text, signing, opening."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.tlog.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
    unverified_origin,
)
from counterfoil.tlog.errors import (
    MalformedNote,
    NoteSignatureInvalid,
    NoteUnsigned,
    OriginUnknown,
)
from counterfoil.tlog.keys import VerifierKey
from counterfoil.tlog.merkle import TreeHead
from counterfoil.tlog.note import NoteSigner, NoteVerifier, parse_note, sign_note
from counterfoil.tlog.verifiers import verifier_of
from tests.unit.tlog.oracle import Ed25519Key, MlDsaKey, head_of, leaves_of, vectors

PUBLISHED = vectors("tlog_notes.json")["checkpoints"]
ORIGIN = "finance.example/vault"
ED25519, ML_DSA = Ed25519Key(ORIGIN, 1), MlDsaKey(ORIGIN, 2)
KEYS: list[NoteVerifier] = [ED25519.verifier, ML_DSA.verifier]
CHECKPOINT = Checkpoint(origin=ORIGIN, head=head_of(leaves_of(5)))
SIGNED = sign_checkpoint(CHECKPOINT, [ED25519.signer, ML_DSA.signer], 1_700_000_000)
ROOT = "A" * 43 + "="


@pytest.mark.parametrize("published", PUBLISHED)
def test_a_published_checkpoint_opens_with_its_logs_key(
    published: dict[str, Any],
) -> None:
    note = published["note"].encode()
    key = verifier_of(VerifierKey.from_text(published["key"]))

    opened = open_checkpoint(note, origin=published["origin"], required=[key])

    assert opened.checkpoint.head.size == published["size"]
    assert opened.checkpoint.to_text() == parse_note(note).text


@pytest.mark.parametrize("published", PUBLISHED)
def test_a_published_checkpoint_of_another_size_does_not_open(
    published: dict[str, Any],
) -> None:
    note = published["note"].replace(str(published["size"]), "1").encode()
    key = verifier_of(VerifierKey.from_text(published["key"]))

    with pytest.raises(NoteSignatureInvalid):
        open_checkpoint(note, origin=published["origin"], required=[key])


def test_our_checkpoint_carries_a_line_of_each_key() -> None:
    opened = open_checkpoint(SIGNED, origin=ORIGIN, required=KEYS)

    assert opened.checkpoint == CHECKPOINT
    assert [len(found.value) for found in opened.note.signatures] == [64, 2428]
    assert {found.name for found in opened.note.signatures} == {ORIGIN}


@pytest.mark.parametrize("left", [0, 1])
def test_a_checkpoint_without_one_required_line_does_not_open(left: int) -> None:
    signers: list[NoteSigner] = [ED25519.signer, ML_DSA.signer]
    signer = signers[left]
    note = sign_checkpoint(CHECKPOINT, [signer], 1_700_000_000)

    open_checkpoint(note, origin=ORIGIN, required=[KEYS[left]])
    with pytest.raises(NoteUnsigned, match="required"):
        open_checkpoint(note, origin=ORIGIN, required=KEYS)
    # Known is not required.
    open_checkpoint(note, origin=ORIGIN, required=[KEYS[left]], known=KEYS)


def test_a_known_cosigners_line_alone_is_not_enough() -> None:
    peer = Ed25519Key("bank.example", 3)
    note = sign_note(CHECKPOINT.to_text(), [peer.cosigner], 1_700_000_000)

    with pytest.raises(NoteUnsigned):
        open_checkpoint(
            note,
            origin=ORIGIN,
            required=[ED25519.verifier],
            known=[peer.cosignature_verifier],
        )


def test_opening_without_a_required_key_is_a_defect_of_the_caller() -> None:
    with pytest.raises(ValueError, match="must be required"):
        open_checkpoint(SIGNED, origin=ORIGIN, required=[], known=KEYS)


def test_a_checkpoint_of_another_log_with_the_same_key_is_refused() -> None:
    other = Checkpoint(origin="finance.example/old", head=CHECKPOINT.head)
    note = sign_checkpoint(other, [ED25519.signer], 0)

    with pytest.raises(OriginUnknown):
        open_checkpoint(note, origin=ORIGIN, required=[ED25519.verifier])


@pytest.mark.parametrize(
    ("before", "after"), [(b"\n5\n", b"\n6\n"), (b"vault\n5", b"Vault\n5")]
)
def test_no_line_of_a_checkpoint_can_be_changed(before: bytes, after: bytes) -> None:
    changed = SIGNED.replace(before, after, 1)
    assert changed != SIGNED

    for key in KEYS:
        with pytest.raises(NoteSignatureInvalid):
            open_checkpoint(changed, origin=ORIGIN, required=[key])


def test_our_log_signs_no_extension_lines() -> None:
    extended = Checkpoint(origin=ORIGIN, head=CHECKPOINT.head, extensions=("more",))

    with pytest.raises(ValueError, match="extension"):
        sign_checkpoint(extended, [ED25519.signer], 0)


def test_extension_lines_of_others_are_kept_in_order() -> None:
    extended = Checkpoint(origin=ORIGIN, head=CHECKPOINT.head, extensions=("b", "a"))

    assert parse_checkpoint(extended.to_text()) == extended


def test_the_text_is_origin_size_and_root() -> None:
    zero = Checkpoint(origin="一 log", head=TreeHead(0, bytes(32)))

    assert zero.to_text() == f"一 log\n0\n{ROOT}\n".encode()
    assert parse_checkpoint(zero.to_text()) == zero


def test_the_origin_can_be_read_to_look_up_its_keys() -> None:
    assert unverified_origin(SIGNED) == ORIGIN
    with pytest.raises(MalformedNote):
        unverified_origin(b"no note")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Log\n",
        "Log\n5\n",
        f"\n5\n{ROOT}\n",
        f"Log\n\n{ROOT}\n",
        f"Log\n5\n{ROOT}",
        f"Log\n5\n{ROOT}\n\n",
        f"Log\n5\n{ROOT}\n\nextension\n",
        f"Log\n05\n{ROOT}\n",
        f"Log\n-34\n{ROOT}\n",
        f"Log\n+5\n{ROOT}\n",
        f"Log\n 5\n{ROOT}\n",
        f"Log\nbananas\n{ROOT}\n",
        f"Log\n3438945738945739845734895735\n{ROOT}\n",
        f"Log\n9223372036854775808\n{ROOT}\n",
        "Log\n5\nThisIsn'tBase64\n",
        "Log\n5\nYmFuYW5hcw==\n",
        f"Log\n5\n{ROOT[:-2]}B=\n",
        f"Log\n5\n{ROOT}\r\n",
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedNote):
        parse_checkpoint(text.encode())


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint(origin="", head=CHECKPOINT.head),
        Checkpoint(origin="a\nb", head=CHECKPOINT.head),
        Checkpoint(origin="a\tb", head=CHECKPOINT.head),
        Checkpoint(origin="a", head=TreeHead(-1, bytes(32))),
        Checkpoint(origin="a", head=TreeHead(2**63, bytes(32))),
        Checkpoint(origin="a", head=TreeHead(1, bytes(31))),
        Checkpoint(origin="a", head=CHECKPOINT.head, extensions=("",)),
    ],
)
def test_a_checkpoint_that_no_reader_would_take_is_not_written(
    checkpoint: Checkpoint,
) -> None:
    with pytest.raises(ValueError, match=r"empty or broken|out of range|control"):
        checkpoint.to_text()
