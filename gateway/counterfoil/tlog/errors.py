"""Every way a log's statement fails.

TlogError
├── ProofError              the hashes do not prove what is claimed
│   └── HeadFork            two roots for one size: evidence, keep it
├── TileError               the store lacks hashes that its size promises
├── NoteError               nobody we know vouches for the text
│   ├── MalformedNote
│   ├── NoteSignatureInvalid
│   └── NoteUnsigned
└── WitnessRefused          the question to the witness is wrong, not the log
    ├── OriginUnknown
    ├── OldSizeInvalid
    └── HeadConflict

A wrong argument of our own code is a plain `ValueError`, not one of these.
"""

from __future__ import annotations


class TlogError(ValueError):
    """Base of all refusals of this package; no message quotes signed text."""


class ProofError(TlogError):
    """The proof does not lead from what is known to what is claimed."""


class HeadFork(ProofError):
    """One log signed two roots for the same size; keep both as evidence."""


class TileError(TlogError):
    """A stored tile is missing, short, or not a whole number of hashes."""


class NoteError(TlogError):
    """The bytes are not a note signed by the keys asked for."""


class MalformedNote(NoteError):
    """The bytes do not have the form of a note, checkpoint, key or proof file."""


class NoteSignatureInvalid(NoteError):
    """A line names a known key, and that key did not sign the text."""


class NoteUnsigned(NoteError):
    """A key whose signature is required has none on the note."""


class WitnessRefused(TlogError):
    """The submission cannot be judged as it was made."""


class OriginUnknown(WitnessRefused):
    """The checkpoint belongs to another log than the one asked about."""


class OldSizeInvalid(WitnessRefused):
    """The stated old size is negative or beyond the checkpoint's size."""


class HeadConflict(WitnessRefused):
    """The stated old size is not the size last cosigned.

    Attributes:
        size: The size last cosigned, in leaves; resubmit with a proof from it.
    """

    def __init__(self, size: int) -> None:
        super().__init__(f"the size last cosigned is {size}")
        self.size = size
