"""Checkpoints: a log's tree head as the text of a note.

Source: C2SP tlog-checkpoint 1.0.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from counterfoil.tlog.encoding import decode_count, decode_hash, encode_base64
from counterfoil.tlog.errors import MalformedNote, OriginUnknown
from counterfoil.tlog.merkle import HASH_BYTES, SIZE_MAX, TreeHead
from counterfoil.tlog.note import (
    NoteSigner,
    NoteVerifier,
    OpenedNote,
    open_note,
    parse_note,
    require_note_text,
    sign_note,
)

_LINES_MIN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A log's statement of its size and root.

    Attributes:
        origin: Which log; non-empty, on one line.
        head: Size and root.
        extensions: Further lines of other logs. Ours has none: ML-DSA-44 lines do
            not cover them, so whoever reads them must ask who signed.
    """

    origin: str
    head: TreeHead
    extensions: tuple[str, ...] = ()

    def to_text(self) -> bytes:
        """Return the text that is signed.

        Raises:
            ValueError: A line is empty or broken, or the head is out of range;
                `MalformedNote` if a line has control characters.
        """
        lines = (self.origin, *self.extensions)
        if not all(lines) or any("\n" in line for line in lines):
            raise ValueError("a line is empty or broken")
        if not 0 <= self.head.size <= SIZE_MAX or len(self.head.root) != HASH_BYTES:
            raise ValueError("the head is out of range")
        head = (str(self.head.size), encode_base64(self.head.root))
        lines = (self.origin, *head, *self.extensions)
        text = "".join(f"{line}\n" for line in lines).encode()
        require_note_text(text)
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedCheckpoint:
    """A checkpoint with the signatures that vouch for it.

    Attributes:
        checkpoint: What is vouched for.
        note: The note as read, and its verified signatures.
    """

    checkpoint: Checkpoint
    note: OpenedNote


def parse_checkpoint(unverified_text: bytes) -> Checkpoint:
    """Parse the text of a checkpoint's note.

    Raises:
        MalformedNote: It is not a checkpoint.
    """
    require_note_text(unverified_text)
    origin, *lines = unverified_text.decode()[:-1].split("\n")
    if len(lines) + 1 < _LINES_MIN or not origin or not all(lines):
        raise MalformedNote("a checkpoint has at least three lines, none empty")
    head = TreeHead(decode_count(lines[0]), decode_hash(lines[1]))
    return Checkpoint(origin=origin, head=head, extensions=tuple(lines[2:]))


def unverified_origin(note: bytes) -> str:
    """Return which log a checkpoint claims to be of, to look its keys up.

    Raises:
        MalformedNote: It is not a checkpoint.
    """
    return parse_checkpoint(parse_note(note).text).origin


def sign_checkpoint(
    checkpoint: Checkpoint, signers: Sequence[NoteSigner], time_s: int
) -> bytes:
    """Return the signed checkpoint of our log.

    The caller has made sure that no other root was ever signed for this size, nor
    a larger size before.

    Args:
        checkpoint: The head to vouch for, without extension lines.
        signers: The log's keys: Ed25519, and beside it ML-DSA-44.
        time_s: POSIX seconds, stated by the ML-DSA-44 line.

    Raises:
        ValueError: The checkpoint has extension lines or is out of range.
    """
    if checkpoint.extensions:
        raise ValueError("ML-DSA-44 lines would not cover the extension lines")
    return sign_note(checkpoint.to_text(), signers, time_s)


def open_checkpoint(
    note: bytes,
    *,
    origin: str,
    required: Sequence[NoteVerifier],
    known: Iterable[NoteVerifier] = (),
) -> OpenedCheckpoint:
    """Return a checkpoint that every required key has signed.

    Requiring both of a log's keys keeps whoever breaks Ed25519 from leaving the
    ML-DSA-44 line out.

    The checks, in order:

    1. Every line of a required or known key verifies.
    2. Every required key has a line.
    3. The text is a checkpoint of the log asked for.

    Args:
        note: The checkpoint as received.
        origin: The log that the required keys belong to.
        required: The keys that must all have signed, at least one.
        known: Keys, such as cosigners', whose lines are verified if present.

    Raises:
        MalformedNote: The bytes are not a checkpoint.
        NoteSignatureInvalid: A line of a required or known key does not verify.
        NoteUnsigned: A required key has not signed.
        OriginUnknown: The checkpoint is another log's.
        ValueError: No key is required.
    """
    if not required:
        raise ValueError("at least one key must be required")
    # (1) Lines of other keys are passed over.
    opened = open_note(note, [*required, *known])
    # (2) A line left out is as bad as one that lies.
    for key in required:
        opened.signature_of(key)
    # (3) Only signed bytes are parsed. One key may serve several logs, so the
    # origin is compared even though the signature is right.
    checkpoint = parse_checkpoint(opened.text)
    if checkpoint.origin != origin:
        raise OriginUnknown("the checkpoint is another log's")
    return OpenedCheckpoint(checkpoint=checkpoint, note=opened)
