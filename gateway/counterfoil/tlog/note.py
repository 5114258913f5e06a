"""Signed notes: a text and the lines of those who signed it.

The text of a note means nothing until `open_note` has returned it.

Source: C2SP signed-note 1.0.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from counterfoil.tlog.encoding import decode_base64, encode_base64
from counterfoil.tlog.errors import MalformedNote, NoteUnsigned

KEY_ID_BYTES: Final = 4
"""Length of the key identifier in front of every signature, in bytes."""

SIGNATURES_MAX: Final = 64
"""Signature lines accepted; the specification demands at least 16."""

NOTE_BYTES_MAX: Final = 512 * 1024
"""Longest note accepted: 64 ML-DSA-44 lines take 211 KiB."""

_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
"""ASCII control characters other than newline."""
_LINE_START: Final = "— "
_LINE_PARTS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line, as it stands; nobody has checked it by itself.

    Attributes:
        name: The key's name.
        key_id: Four bytes that, with the name, select a key.
        value: What the key's algorithm defines; for cosignatures it begins with
            the time.
    """

    name: str
    key_id: bytes
    value: bytes

    def to_line(self) -> bytes:
        """Return the line, its newline included."""
        signature = encode_base64(self.key_id + self.value)
        return f"{_LINE_START}{self.name} {signature}\n".encode()


class NoteVerifier(Protocol):
    """A key that a reader knows."""

    @property
    def name(self) -> str:
        """The key's name."""

    @property
    def key_id(self) -> bytes:
        """Four bytes that, with the name, select this key."""

    def verify(self, text: bytes, signature: bytes) -> None:
        """Return if the key signed `text`.

        Raises:
            NoteSignatureInvalid: It did not.
            MalformedNote: The algorithm signs checkpoints only; this is none.
        """


class NoteSigner(Protocol):
    """A key that signs notes."""

    def sign(self, text: bytes, time_s: int) -> NoteSignature:
        """Sign `text` at `time_s`, in POSIX seconds.

        Algorithms that state no time ignore it.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedNote:
    """A note of correct form, signed by nobody in particular.

    Attributes:
        text: The bytes that signatures cover, ending in a newline.
        signatures: At least one, in the order of the lines.
    """

    text: bytes
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedNote:
    """A note that known keys have signed.

    Attributes:
        text: The signed bytes.
        signatures: The verified ones, at most one of each key: its first.
        bytes_read: The whole note as it was read.
    """

    text: bytes
    signatures: tuple[NoteSignature, ...]
    bytes_read: bytes

    def signature_of(self, key: NoteVerifier) -> NoteSignature:
        """Return the verified signature of `key`.

        Raises:
            NoteUnsigned: The key has not signed, or was not asked for.
        """
        for signature in self.signatures:
            if (signature.name, signature.key_id) == (key.name, key.key_id):
                return signature
        raise NoteUnsigned("a required key has not signed")


def require_key_name(name: str) -> None:
    """Refuse a name that would break the line it stands in.

    Raises:
        MalformedNote: `name` is empty or has a plus sign, a Unicode space or a
            control character.
    """
    if not name or any(char == "+" or char.isspace() or char < " " for char in name):
        raise MalformedNote("not a key name")


def parse_note(note: bytes) -> UnverifiedNote:
    """Split a note into text and signature lines, without trusting either.

    Raises:
        MalformedNote: The bytes are not a note, or exceed NOTE_BYTES_MAX or
            SIGNATURES_MAX.
    """
    if len(note) > NOTE_BYTES_MAX:
        raise MalformedNote("the note is too long")
    # The last empty line separates: the text may have empty lines of its own.
    end = note.rfind(b"\n\n") + 1
    if end == 0 or not note.endswith(b"\n"):
        raise MalformedNote("the note has no signature part")
    text = note[:end]
    require_note_text(text)
    lines = _decode(note[end + 1 : -1]).split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise MalformedNote("the note has too many signatures")
    return UnverifiedNote(
        text=text, signatures=tuple(parse_signature_line(line) for line in lines)
    )


def parse_signature_line(line: str) -> NoteSignature:
    """Parse one signature line, given without its newline.

    Raises:
        MalformedNote: It is not a signature line.
    """
    if not line.startswith(_LINE_START):
        raise MalformedNote("not a signature line")
    parts = line.removeprefix(_LINE_START).split(" ")
    if len(parts) != _LINE_PARTS:
        raise MalformedNote("not a signature line")
    name, signature = parts[0], decode_base64(parts[1])
    require_key_name(name)
    if len(signature) <= KEY_ID_BYTES:
        raise MalformedNote("the signature is too short")
    return NoteSignature(
        name=name, key_id=signature[:KEY_ID_BYTES], value=signature[KEY_ID_BYTES:]
    )


def open_note(note: bytes, verifiers: Iterable[NoteVerifier]) -> OpenedNote:
    """Return the text if at least one known key signed it.

    The checks, in order:

    1. The bytes are a note.
    2. Lines of unknown keys are passed over: rotation, witnesses, new algorithms.
    3. Every line of a known key verifies.
    4. There is at least one such line.

    Which keys must all have signed is the caller's policy; ask `signature_of`.

    Args:
        note: The note as received.
        verifiers: The known keys; no two of the same name and key ID.

    Raises:
        MalformedNote: The bytes are not a note.
        NoteSignatureInvalid: A line of a known key does not verify.
        NoteUnsigned: No known key has signed.
        ValueError: Two verifiers claim the same lines.
    """
    known: dict[tuple[str, bytes], NoteVerifier] = {}
    for verifier in verifiers:
        if known.setdefault((verifier.name, verifier.key_id), verifier) != verifier:
            raise ValueError("two keys have the same name and key ID")
    # (1) The form, within bounds.
    unverified = parse_note(note)
    verified: dict[tuple[str, bytes], NoteSignature] = {}
    for signature in unverified.signatures:
        # (2) Name and key ID select the key; either alone is not enough.
        owner = (signature.name, signature.key_id)
        if owner not in known:
            continue
        # (3) Also a key's second line: one that lies spoils the note.
        known[owner].verify(unverified.text, signature.value)
        verified.setdefault(owner, signature)
    # (4) A note signed by strangers is signed by nobody.
    if not verified:
        raise NoteUnsigned("no known key has signed")
    return OpenedNote(
        text=unverified.text, signatures=tuple(verified.values()), bytes_read=note
    )


def sign_note(text: bytes, signers: Sequence[NoteSigner], time_s: int) -> bytes:
    """Return the note of `text` with a line of each signer.

    Args:
        text: UTF-8 without control characters, ending in a newline.
        signers: In the order of the lines, at least one.
        time_s: POSIX seconds, for the algorithms that state a time.

    Raises:
        MalformedNote: `text` cannot be the text of a note.
        ValueError: There is no signer.
    """
    require_note_text(text)
    if not signers:
        raise ValueError("a note needs a signer")
    return add_signatures(
        text + b"\n", [signer.sign(text, time_s) for signer in signers]
    )


def add_signatures(note: bytes, signatures: Iterable[NoteSignature]) -> bytes:
    """Return the note with more lines; what was there keeps every byte."""
    return note + b"".join(signature.to_line() for signature in signatures)


def require_note_text(text: bytes) -> None:
    """Refuse what cannot be the text of a note.

    Raises:
        MalformedNote: `text` does not end in a newline, is not UTF-8 or has
            control characters.
    """
    if not text.endswith(b"\n"):
        raise MalformedNote("the text does not end in a newline")
    _decode(text)


def _decode(value: bytes) -> str:
    """Decode UTF-8, refusing ASCII control characters other than newline."""
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise MalformedNote("the note is not UTF-8") from error
    if _CONTROL.search(text):
        raise MalformedNote("the note has control characters")
    return text
