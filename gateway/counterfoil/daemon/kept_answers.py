"""Answers of responders that were taken, in memory and in files.

A cache: whoever removes the files loses nothing but time. They outlast a restart, so a
gateway that starts while a responder is down still knows what it knew. What is read
from a file counts only as far as its issuer vouches for it, as every answer does.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from counterfoil.seal.certificates import certificate_digest
from counterfoil.seal.ocsp_reading import (
    RevocationAnswer,
    is_timely,
    load_answer,
    may_replace,
)

ANSWERS_MAX: Final = 1_024
"""Most answers that are kept; the oldest go first."""

_SUFFIX: Final = ".ocsp"
_DIGEST_BYTES: Final = 32


@dataclass(slots=True)
class KeptAnswers:
    """The newest answer about each certificate; owned by the event loop.

    Attributes:
        directory: Where the files are; made when there is something to keep.
    """

    directory: Path
    _found: dict[bytes, tuple[bytes, RevocationAnswer]] = field(default_factory=dict)

    def load(self) -> None:
        """Read the files; what cannot be read is left alone, and counts for nothing."""
        if not self.directory.is_dir():
            return
        for file in sorted(self.directory.glob(f"*{_SUFFIX}"))[:ANSWERS_MAX]:
            try:
                digest = bytes.fromhex(file.stem)
                encoded = file.read_bytes()
                answer = load_answer(encoded)
            except (OSError, ValueError):
                continue
            if len(digest) == _DIGEST_BYTES:
                self._found[digest] = (encoded, answer)

    def all(self) -> tuple[bytes, ...]:
        """Return every answer in DER."""
        return tuple(encoded for encoded, _ in self._found.values())

    def find(self, digest: bytes) -> RevocationAnswer | None:
        """Return the answer about a certificate; None if none is kept."""
        found = self._found.get(digest)
        return None if found is None else found[1]

    def others(self, than: AbstractSet[bytes]) -> list[RevocationAnswer]:
        """Return the answers about other certificates than those."""
        return [
            answer for digest, (_, answer) in self._found.items() if digest not in than
        ]

    def current(self, certificates: Iterable[bytes], at_us: int) -> list[bytes]:
        """Return the answers (DER) about certificates that are current now."""
        found = (self._found.get(certificate_digest(one)) for one in certificates)
        return [
            encoded
            for encoded, answer in filter(None, found)
            if is_timely(answer, at_us)
        ]

    def keep(self, digest: bytes, encoded: bytes, answer: RevocationAnswer) -> bool:
        """Keep an answer that was accepted; return whether anything changed.

        Args:
            digest: Of the certificate that it is about.
            encoded: The answer in DER.
            answer: The same, as read.

        Raises:
            OSError: The file cannot be written; it is kept in memory all the same.
        """
        known = self._found.get(digest)
        if known is not None and (
            known[0] == encoded or not may_replace(answer, known[1])
        ):
            return False
        self._found[digest] = (encoded, answer)
        self._forget()
        self.directory.mkdir(mode=0o700, exist_ok=True)
        file = self._file(digest)
        fresh = file.with_suffix(".new")
        fresh.write_bytes(encoded)
        fresh.replace(file)
        return True

    def _forget(self) -> None:
        """Make room: forget the answers that were given longest ago."""
        excess = len(self._found) - ANSWERS_MAX
        if excess <= 0:
            return
        by_age = sorted(
            self._found, key=lambda digest: self._found[digest][1].this_update_us
        )
        for digest in by_age[:excess]:
            del self._found[digest]
            self._file(digest).unlink(missing_ok=True)

    def _file(self, digest: bytes) -> Path:
        return self.directory / f"{digest.hex()}{_SUFFIX}"
