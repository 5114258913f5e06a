"""Sessions with tokens: one login for each token and process.

A session belongs to the process that opened it. A process that comes by `fork` is
refused; one that comes by `spawn` opens its own. A wrong PIN is never tried again
here, and where a token says that somebody entered one, this program enters none at
all: a service that is restarted again and again would lock the token.

Source: PKCS#11 2.40, sections 5.4 (C_Initialize and forks), 5.5, 5.6.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any, Final

import pkcs11
from pkcs11 import Session, Slot, Token, TokenFlag
from pkcs11 import exceptions as refused

from counterfoil.seal.secret import KeyRefused, SecretText
from counterfoil.seal.token_uri import TokenUri

ONE_CALL: Final = RLock()
"""Held around every call of a module: they are initialised for one thread at a time."""

PIN_ERRORS: Final = (
    *(refused.PinIncorrect, refused.PinInvalid, refused.PinLenRange),
    *(refused.PinLocked, refused.PinExpired),
)
"""What a token says of a PIN; no such PIN may be tried again."""

_UNNAMED: Final = re.compile(r"Unmapped error code 0x[0-9a-f]+")
_LOCKED: Final = "the token is locked; its security officer can unlock it"
_WRITABLE_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


class PinRefused(KeyRefused):
    """A person has to look: trying again could lock the token."""


class _NotThere(KeyRefused):
    """No token fits."""


@dataclass(frozen=True, slots=True)
class _Module:
    """A PKCS#11 module in this process.

    Attributes:
        library: What speaks to it.
        pid: The process that initialised it.
        sessions: Logged in, by number of the slot.
    """

    library: Any
    pid: int
    sessions: dict[int, Session] = field(default_factory=dict)


_modules: dict[str, _Module] = {}
"""What this process has opened, by path."""


def session_with(uri: TokenUri, pin: SecretText | None) -> Session:
    """Return the session of this process with the token that a URI names.

    Args:
        uri: Whose token, and by which module.
        pin: The user's PIN; None where the token takes it on a pad of its own, or
            needs none.

    Raises:
        PinRefused: The PIN is missing, wrong or locked, or an earlier one was wrong.
        KeyRefused: The module is missing or is none, the token is not there, two
            are, or another process opened the module.
    """
    with ONE_CALL:
        had_begun = uri.module in _modules
        try:
            return _session_with(uri, pin)
        except _NotThere:
            if not had_begun:
                raise
            # Some modules see no token that came after they had begun.
            forget_sessions(uri)
            return _session_with(uri, pin)


def _session_with(uri: TokenUri, pin: SecretText | None) -> Session:
    _check_module(uri.module)
    try:
        # One process at a time begins, looks at flags and enters a PIN: the second one
        # sees that the first one's was wrong; and software tokens are files, in which a
        # login writes and a beginning reads.
        with _alone(uri.module):
            module = _module(uri.module)
            token = _token(module.library, uri)
            slot = token.slot.slot_id
            if slot not in module.sessions:
                module.sessions[slot] = _log_in(token, pin)
    except PinRefused:
        # A failed login leaves a session behind that nobody knows any more.
        forget_sessions(uri)
        raise
    except pkcs11.PKCS11Error as error:
        forget_sessions(uri)
        msg = f"the token does not answer: {spoken(error)}: {uri.shown}"
        raise KeyRefused(msg) from None
    return module.sessions[slot]


def is_open(uri: TokenUri, session: Session | None) -> bool:
    """Tell whether a session is one that this process has open now.

    What a module was asked before it was begun anew means nothing any more: it gives
    the same numbers to other sessions and other keys.
    """
    with ONE_CALL:
        module = _modules.get(uri.module)
        return (
            module is not None
            and module.pid == os.getpid()
            and any(one is session for one in module.sessions.values())
        )


def forget_sessions(uri: TokenUri) -> None:
    """End what this process has open by a URI's module; the next call begins anew."""
    with ONE_CALL:
        module = _modules.get(uri.module)
        if module is None or module.pid != os.getpid():
            return
        del _modules[uri.module]
        # It may be gone with all it held, which is why we are here.
        with suppress(pkcs11.PKCS11Error):
            module.library.finalize()


def spoken(error: pkcs11.PKCS11Error) -> str:
    """Return the name of an error, or its number if the package has no name for it.

    Other texts are not passed on: they could quote what a module was given.
    """
    number = _UNNAMED.fullmatch(str(error))
    return number[0] if number else type(error).__name__


def _check_module(path: str) -> None:
    try:
        status = Path(path).stat()
    except OSError as error:
        msg = f"the PKCS#11 module cannot be found: {path}: {error.strerror}"
        raise KeyRefused(msg) from None
    if not stat.S_ISREG(status.st_mode) or status.st_mode & _WRITABLE_BY_OTHERS:
        msg = f"the PKCS#11 module is no file, or others can change it: {path}"
        raise KeyRefused(msg)
    if not os.access(path, os.R_OK):
        msg = f"the PKCS#11 module cannot be read: {path}"
        raise KeyRefused(msg)


def _module(path: str) -> _Module:
    known = _modules.get(path)
    if known is not None:
        if known.pid != os.getpid():
            raise KeyRefused(
                "the token was opened by another process; sessions do not cross a "
                "fork, so open the key in the process that signs"
            )
        return known
    try:
        library = pkcs11.lib(path)
    except pkcs11.PKCS11Error:
        msg = f"not a PKCS#11 module, or it does not start: {path}"
        raise KeyRefused(msg) from None
    _modules[path] = _Module(library, os.getpid())
    return _modules[path]


@contextmanager
def _alone(path: str) -> Iterator[None]:
    """Keep other processes of this program from entering a PIN meanwhile."""
    with Path(path).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _token(library: Any, uri: TokenUri) -> Token:  # noqa: ANN401 -- as it is typed
    if not uri.fits(
        {
            "library-manufacturer": library.manufacturer_id,
            "library-description": library.library_description,
        }
    ):
        msg = f"the PKCS#11 module calls itself otherwise: {uri.shown}"
        raise KeyRefused(msg)
    slots = library.get_slots(token_present=True)
    tokens = [found for slot in slots if (found := _in_slot(slot, uri)) is not None]
    if not tokens:
        msg = f"the token is not there: {uri.shown}"
        raise _NotThere(msg)
    if len(tokens) > 1:
        msg = f"{len(tokens)} tokens fit; add serial=: {uri.shown}"
        raise KeyRefused(msg)
    return tokens[0]


def _in_slot(slot: Slot, uri: TokenUri) -> Token | None:
    if uri.slot_id not in {None, slot.slot_id} or not uri.fits(
        {
            "slot-manufacturer": slot.manufacturer_id,
            "slot-description": slot.slot_description,
        }
    ):
        return None
    try:
        token = slot.get_token()
    except (refused.TokenNotPresent, refused.TokenNotRecognised):
        return None
    if TokenFlag.TOKEN_INITIALIZED not in token.flags or not uri.fits(
        {
            "token": token.label,
            "serial": token.serial.decode(errors="replace"),
            "manufacturer": token.manufacturer_id,
            "model": token.model,
        }
    ):
        return None
    return token


def _log_in(token: Token, pin: SecretText | None) -> Session:
    if TokenFlag.LOGIN_REQUIRED not in token.flags:
        return token.open()
    if TokenFlag.USER_PIN_LOCKED in token.flags:
        raise PinRefused(_LOCKED)
    if token.flags & (TokenFlag.USER_PIN_COUNT_LOW | TokenFlag.USER_PIN_FINAL_TRY):
        raise PinRefused(
            "a wrong PIN was entered at the token before, so none is tried; log in "
            "once with the right one by the token's own program"
        )
    return _open(token, _entered(token, pin))


def _entered(token: Token, pin: SecretText | None) -> object:
    if pin is not None:
        try:
            return pin.reveal().decode()
        except UnicodeDecodeError:
            raise PinRefused("the PIN is not UTF-8") from None
    if TokenFlag.PROTECTED_AUTHENTICATION_PATH not in token.flags:
        raise PinRefused("the token asks for a PIN; let `passphrase` say where it is")
    return pkcs11.types.PROTECTED_AUTH


def _open(token: Token, pin: object) -> Session:
    try:
        return token.open(user_pin=pin)
    except refused.UserAlreadyLoggedIn:
        # By another part of this program that uses the module.
        return token.open()
    except PIN_ERRORS as error:
        raise PinRefused(why_not(error)) from None


def why_not(error: pkcs11.PKCS11Error) -> str:
    """Return what an error about a PIN means for whoever has to act."""
    if isinstance(error, refused.PinLocked):
        return _LOCKED
    if isinstance(error, refused.PinExpired):
        return "the PIN has expired; set a new one by the token's own program"
    return "the PIN is wrong; it is not tried again, as a token locks after a few"
