"""The signed list of program files: made, read, and compared with what is installed.

A list is a signed note (C2SP signed-note 1.0.0). Its text has one line for each file
below the package `counterfoil`: SHA-256 in hex, two spaces, and the path from there,
as `sha256sum` writes them; before them stands one line that names the form.

Python's caches are not on it, for Python writes them when it likes. One that Python
would take in place of its source must be what the source compiles to.
"""

from __future__ import annotations

import marshal
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from typing import Final

import counterfoil
from counterfoil.tlog.errors import TlogError
from counterfoil.tlog.keys import VerifierKey
from counterfoil.tlog.note import NoteSigner, open_note, sign_note
from counterfoil.tlog.verifiers import verifier_of

FORM: Final = "counterfoil program files 1"
_LINE: Final = re.compile(r"([0-9a-f]{64})  (\S.*)")
_CACHES: Final = "__pycache__"
_CACHE_HEAD: Final = 16
_PAUSE_S: Final = 0.001
"""Between two files, so that a check leaves the interpreter to others."""


class ProgramListRefused(ValueError):
    """The list cannot be relied on; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """In what the installed files are not those of the list.

    Attributes:
        changed: Other bytes, or a cache that is not of its source.
        missing: On the list and not there.
        added: There and not on the list.
    """

    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing or self.added)

    def __str__(self) -> str:
        parts = (
            ("changed (被改动)", self.changed),
            ("missing (缺失)", self.missing),
            ("added (多出)", self.added),
        )
        return "; ".join(
            f"{name}: {', '.join(files)}" for name, files in parts if files
        )


def installed_roots() -> list[Path]:
    """Return the directories that the package `counterfoil` consists of."""
    # Where Python looks may be named twice.
    return list(dict.fromkeys(Path(root).resolve() for root in counterfoil.__path__))


def program_files(roots: Iterable[Path]) -> dict[str, Path]:
    """Return every file below some roots, caches aside, by its path from there.

    Raises:
        OSError: A directory cannot be read.
        ProgramListRefused: Two roots have a file of one name: one hides the other.
    """
    found: dict[str, Path] = {}
    for root in roots:
        for file in sorted(root.rglob("*")):
            if _CACHES in file.parts or (file.is_dir() and not file.is_symlink()):
                continue
            name = file.relative_to(root).as_posix()
            if name in found:
                msg = f"{name} is installed twice"
                raise ProgramListRefused(msg)
            found[name] = file
    return found


def make_list(roots: Iterable[Path], signer: NoteSigner) -> bytes:
    """Return the signed list of the files below some roots.

    Raises:
        OSError: A file cannot be read.
        ProgramListRefused: See `program_files`.
        MalformedNote: A name has control characters.
    """
    files = program_files(roots)
    lines = [f"{_digest(files[name])}  {name}" for name in sorted(files)]
    text = "".join(f"{line}\n" for line in (FORM, *lines))
    return sign_note(text.encode(), [signer], 0)


def read_list(note: bytes, keys: Sequence[str]) -> dict[str, str]:
    """Return the digests in hex that a list states, by path.

    Args:
        note: The list.
        keys: Verifier keys; at least one of them must have signed, and what is
            signed in the name of any must hold.

    Raises:
        ProgramListRefused: A key is none, none has signed, or it is no list.
    """
    try:
        verifiers = [verifier_of(VerifierKey.from_text(key)) for key in keys]
        text = open_note(note, verifiers).text.decode()
    except (TlogError, ValueError) as error:
        msg = f"the list of program files cannot be relied on: {error}"
        raise ProgramListRefused(msg) from error
    form, *lines = text.splitlines()
    parts = [_LINE.fullmatch(line) for line in lines]
    found = {part[2]: part[1] for part in parts if part is not None}
    if form != FORM or len(found) != len(lines):
        msg = "what was signed is no list of program files"
        raise ProgramListRefused(msg)
    return found


def compare(listed: dict[str, str], roots: Sequence[Path]) -> Differences:
    """Compare the files below some roots with a list.

    Raises:
        OSError: A directory cannot be read.
        ProgramListRefused: See `program_files`.
    """
    files = program_files(roots)
    changed = [
        name
        for name in sorted(listed.keys() & files)
        if _is_changed(listed, files, name)
    ]
    changed += _strange_caches(files)
    return Differences(
        changed=tuple(changed),
        missing=tuple(sorted(listed.keys() - files.keys())),
        added=tuple(sorted(files.keys() - listed.keys())),
    )


def _is_changed(listed: dict[str, str], files: dict[str, Path], name: str) -> bool:
    time.sleep(_PAUSE_S)
    try:
        return _digest(files[name]) != listed[name]
    except OSError:
        return True  # who cannot read it cannot say that it is what it was


def _strange_caches(files: dict[str, Path]) -> Iterator[str]:
    """Yield caches that this Python would take and that are not of their source."""
    for name, source in files.items():
        if source.suffix != ".py":
            continue
        cache = Path(cache_from_source(str(source)))
        try:
            cached, code = cache.read_bytes(), source.read_bytes()
        except OSError:
            continue  # no cache, or no source: told elsewhere
        time.sleep(_PAUSE_S)
        if _is_taken(cached, source) and not _is_compiled_from(cached, code):
            yield f"{name} (its cache)"


def _is_taken(cached: bytes, source: Path) -> bool:
    """Return whether Python would use a cache: see PEP 552."""
    flags = int.from_bytes(cached[4:8], "little")
    if cached[:4] != MAGIC_NUMBER:
        return False
    if flags & 1:
        return True  # by hash; compared whether Python would check it or not
    status = source.stat()
    stated = (
        int.from_bytes(cached[8:12], "little"),
        int.from_bytes(cached[12:16], "little"),
    )
    return stated == (int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF)


def _is_compiled_from(cached: bytes, code: bytes) -> bool:
    compiled = compile(code, "", "exec", dont_inherit=True, optimize=sys.flags.optimize)
    try:
        # What is loaded here Python has loaded already, or would at the next start.
        return bool(marshal.loads(cached[_CACHE_HEAD:]) == compiled)  # noqa: S302
    except (EOFError, ValueError, TypeError):
        return False


def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()
