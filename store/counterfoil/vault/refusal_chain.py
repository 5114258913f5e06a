"""The file of refused calls: entries in a chain of digests, only ever appended.

A line is the digest after an entry, in hexadecimal, a space, and the entry in JSON. The
digest is SHA-256 over the digest before and the JSON's bytes, so no entry can be
changed, taken out or put in without changing every digest behind it. The first entry of
a file sums up all before it and names the end that it goes on from; a file that becomes
too large is exchanged for one that begins so. What nobody was promised, a line torn by
a failure of power, is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias

NAME: Final = "refusals.jsonl"
"""The file's name in the state directory."""

FORMAT: Final = 1
_DIGEST_BYTES: Final = 32

Entry: TypeAlias = Mapping[str, Any]
"""One entry: what it is under one name, see `refusal_state`."""


class RecordChanged(Exception):
    """The file is not what was written; the text says where, and quotes nothing.

    Attributes:
        before: What is whole before that; None if nothing is.
    """

    before: Chain | None = None


@dataclass(frozen=True, slots=True)
class End:
    """An end of the chain.

    Attributes:
        entries: How many entries came before, in the life of the record.
        digest: The digest after the last of them.
    """

    entries: int
    digest: bytes


BEGINNING: Final = End(0, bytes(_DIGEST_BYTES))
"""The end of a record without entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What a file holds.

    Attributes:
        start: The end that it goes on from.
        entries: Its entries, the first of which sums up all before.
        digests: The digest after each.
        size: Bytes of its whole lines.
    """

    start: End
    entries: tuple[Entry, ...]
    digests: tuple[bytes, ...]
    size: int

    @property
    def end(self) -> End:
        """Where it ends."""
        return End(self.start.entries + len(self.digests), self.digests[-1])

    def digest_at(self, entries: int) -> bytes | None:
        """Return the digest after so many entries; None outside of this file."""
        at = entries - self.start.entries - 1
        return self.digests[at] if 0 <= at < len(self.digests) else None


def read_chain(path: Path) -> Chain:
    """Read a file and follow its chain.

    Raises:
        FileNotFoundError: There is none.
        RecordChanged: It is not a record, or an entry is not the one that was written.
        OSError: It cannot be read.
    """
    *lines, _ = path.read_bytes().split(b"\n")  # what is torn has no end of line
    if not lines:
        raise RecordChanged("it has no entry")
    start = _start_of(lines[0])
    entries: list[Entry] = []
    digests: list[bytes] = []
    digest, size = start.digest, 0
    for number, line in enumerate(lines, start.entries + 1):
        stated, _, encoded = line.partition(b" ")
        digest = sha256(digest + encoded).digest()
        if stated != digest.hex().encode():
            changed = RecordChanged(f"entry {number} is not the one that was written")
            if entries:
                changed.before = Chain(
                    start=start,
                    entries=tuple(entries),
                    digests=tuple(digests),
                    size=size,
                )
            raise changed
        entries.append(_decoded(encoded))
        digests.append(digest)
        size += len(line) + 1
    return Chain(start=start, entries=tuple(entries), digests=tuple(digests), size=size)


def _start_of(line: bytes) -> End:
    """Return the end that a file goes on from, as its first entry says."""
    first = _decoded(line.partition(b" ")[2])
    try:
        if first["format"] != FORMAT:
            raise RecordChanged("its first entry is of another format")
        start = End(int(first["entries"]), bytes.fromhex(first["end"]))
    except (KeyError, TypeError, ValueError) as error:
        raise RecordChanged("its first entry names no end") from error
    if len(start.digest) != _DIGEST_BYTES or start.entries < 0:
        raise RecordChanged("its first entry names no end")
    return start


def _decoded(encoded: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(encoded)
    except ValueError as error:
        raise RecordChanged("an entry is no JSON") from error
    if not isinstance(entry, dict):
        raise RecordChanged("an entry is no object")
    return entry


def line_of(entry: Entry, before: End) -> tuple[bytes, End]:
    """Return the line of an entry that follows on an end, and the end after it."""
    encoded = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()
    digest = sha256(before.digest + encoded).digest()
    end = End(before.entries + 1, digest)
    return b"%b %b\n" % (digest.hex().encode(), encoded), end
