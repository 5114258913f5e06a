"""Secrets: where they are read from, and that they are never shown.

A reference says where a secret is, never what it is:

* `file:/path`: a file that only its owner can read.
* `fd:3`: an open descriptor, read to its end once.
* `credential:name`: a credential of the service, as systemd passes it
  (`LoadCredential=`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from typing import Final, NoReturn

SECRET_BYTES_MAX: Final = 64 * 1024
"""Longest secret or key file."""

_CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
_NUMBER_DIGITS: Final = 9
_FIRST_FREE_DESCRIPTOR: Final = 3


class KeyRefused(Exception):
    """A key or secret is not used; the message names the reference, no content."""


class SecretText:
    """A secret that no log, traceback or pickle shows."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """Return the secret; the result must go nowhere but into its use."""
        return self._value

    def __repr__(self) -> str:
        return "SecretText(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret does not leave its process")


def read_secret(reference: str, environ: Mapping[str, str] = os.environ) -> SecretText:
    """Return the secret that a reference names, without one newline at its end.

    Args:
        reference: See the module.
        environ: Where the service manager says where credentials are.

    Raises:
        KeyRefused: The reference has another form, or what it names is missing,
            empty, too long, or readable by others.
    """
    scheme, separator, rest = reference.partition(":")
    if not separator or scheme not in _READERS:
        # A reference of no known form may be the secret itself: do not quote it.
        msg = f"not a reference to a secret; one begins with {', '.join(_READERS)}"
        raise KeyRefused(msg)
    value = _READERS[scheme](rest, environ)
    value = value.removesuffix(b"\n").removesuffix(b"\r")
    if not value:
        msg = f"the secret is empty: {reference}"
        raise KeyRefused(msg)
    return SecretText(value)


def read_private_file(path: str, forbidden_mode: int = 0o077) -> bytes:
    """Return a file that only its owner can read.

    Args:
        path: Absolute.
        forbidden_mode: Permissions that nobody may have.

    Raises:
        KeyRefused: It is not there, no ordinary file, too long, another user's, or
            others can read it.
    """
    if not path.startswith("/"):
        msg = f"the path is not absolute: {path}"
        raise KeyRefused(msg)
    try:
        opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        msg = f"cannot be opened: {path}: {error.strerror}"
        raise KeyRefused(msg) from None
    try:
        # Of the open file, not of the path: between two looks it could change.
        status = os.fstat(opened)
        if not stat.S_ISREG(status.st_mode):
            msg = f"not an ordinary file: {path}"
            raise KeyRefused(msg)
        if status.st_mode & forbidden_mode:
            msg = f"others can read it, mode {status.st_mode & 0o777:04o}: {path}"
            raise KeyRefused(msg)
        if status.st_uid not in {0, os.geteuid()}:
            msg = f"it is another user's: {path}"
            raise KeyRefused(msg)
        with os.fdopen(opened, "rb", closefd=False) as file:
            content = file.read(SECRET_BYTES_MAX + 1)
    finally:
        os.close(opened)
    if len(content) > SECRET_BYTES_MAX:
        msg = f"too long: {path}"
        raise KeyRefused(msg)
    return content


def _read_file(path: str, environ: Mapping[str, str]) -> bytes:
    del environ
    return read_private_file(path)


def _read_descriptor(number: str, environ: Mapping[str, str]) -> bytes:
    del environ
    if not (number.isascii() and number.isdigit()) or len(number) > _NUMBER_DIGITS:
        raise KeyRefused("fd: wants a number")
    descriptor = int(number)
    if descriptor < _FIRST_FREE_DESCRIPTOR:
        raise KeyRefused("fd: wants 3 or more; those below are the program's own")
    try:
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(SECRET_BYTES_MAX + 1)
    except OSError as error:
        msg = f"cannot be read: fd:{descriptor}: {error.strerror}"
        raise KeyRefused(msg) from None
    if len(content) > SECRET_BYTES_MAX:
        msg = f"too long: fd:{descriptor}"
        raise KeyRefused(msg)
    return content


def _read_credential(name: str, environ: Mapping[str, str]) -> bytes:
    if _CREDENTIALS not in environ:
        msg = f"the service manager passes no credentials: {name}"
        raise KeyRefused(msg)
    if not name or "/" in name or name in {".", ".."}:
        msg = f"not the name of a credential: {name}"
        raise KeyRefused(msg)
    # Where systemd grants access by a list, the mask shows up as group access.
    return read_private_file(
        os.path.join(environ[_CREDENTIALS], name),  # noqa: PTH118
        forbidden_mode=0o007,
    )


_READERS: Final[dict[str, Callable[[str, Mapping[str, str]], bytes]]] = {
    "file": _read_file,
    "fd": _read_descriptor,
    "credential": _read_credential,
}
