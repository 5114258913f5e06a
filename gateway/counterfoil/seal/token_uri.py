"""PKCS#11 URIs: which key of which token, and by which module it is reached.

Source: RFC 7512, sections 2.3 (grammar) and 2.5 (matching). Narrower on purpose:
an attribute that this program does not act on is refused rather than overlooked,
`module-path` is required, and a PIN never stands in a URI.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

from counterfoil.seal.secret import KeyRefused

PREFIX: Final = "pkcs11:"
"""What such a URI begins with."""

_MODULE: Final = "module-path"
_PIN_SOURCE: Final = "pin-source"
_PIN_VALUE: Final = "pin-value"
_TYPE: Final = "type"
_NUMBER: Final = "slot-id"
_TEXTS: Final = frozenset(
    {
        *("token", "manufacturer", "serial", "model"),
        *("slot-manufacturer", "slot-description"),
        *("library-manufacturer", "library-description"),
        "object",
    }
)
"""Attributes of the path that are compared as text."""

_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")
_PATH_VALUE: Final = re.compile(r"([A-Za-z0-9_.~:\[\]@!$'()*+,=&-]|%[0-9A-Fa-f]{2})*")
_QUERY_VALUE: Final = re.compile(
    r"([A-Za-z0-9_.~:\[\]@!$'()*+,=/?|-]|%[0-9A-Fa-f]{2})*"
)
_SLOT_DIGITS_MAX: Final = 19


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUri:
    """One key of one token; holds no secret.

    Attributes:
        module: Path of the PKCS#11 module, absolute.
        texts: What token, slot, library and key must be called, by attribute.
        key_id: The key's CKA_ID; None if the URI does not say.
        slot_id: The slot's number; None if the URI does not say.
        pin_source: A reference to the PIN as `secret` reads it; empty if none.
        shown: The path as it was written, for messages.
    """

    module: str
    texts: Mapping[str, str] = field(default_factory=dict)
    key_id: bytes | None = None
    slot_id: int | None = None
    pin_source: str = ""
    shown: str = PREFIX

    def fits(self, described: Mapping[str, str]) -> bool:
        """Tell whether whoever is described so is called as the URI says.

        Args:
            described: Some of the attributes; those that the URI does not name fit.
        """
        return all(
            self.texts.get(name, value) == value for name, value in described.items()
        )


def parse_token_uri(uri: str) -> TokenUri:
    """Read a URI.

    Raises:
        KeyRefused: It keeps no grammar, names an attribute twice or one that is not
            known here, holds a PIN, names no module or no private key. The message
            quotes no value: what is malformed may be a PIN in a wrong place.
    """
    if not uri.startswith(PREFIX):
        msg = f"not a PKCS#11 URI; one begins with {PREFIX}"
        raise KeyRefused(msg)
    path, _, query = uri.removeprefix(PREFIX).partition("?")
    asked = _attributes(query, "&", _QUERY_VALUE)
    if _PIN_VALUE in asked:
        msg = (
            "a PIN must not stand in a PKCS#11 URI; take pin-value out, change that "
            "PIN, and let `passphrase` or pin-source say where the new one is"
        )
        raise KeyRefused(msg)
    named = _attributes(path, ";", _PATH_VALUE)
    _refuse_unknown(named.keys() - _TEXTS - {"id", _TYPE, _NUMBER})
    _refuse_unknown(asked.keys() - {_MODULE, _PIN_SOURCE})
    if _text(named, _TYPE, "private") != "private":
        raise KeyRefused("the PKCS#11 URI does not name a private key; type=private")
    return TokenUri(
        module=_module(asked),
        texts={name: _text(named, name) for name in sorted(named.keys() & _TEXTS)},
        key_id=named.get("id"),
        slot_id=_slot(named),
        pin_source=_text(asked, _PIN_SOURCE),
        shown=PREFIX + path,
    )


def _attributes(
    component: str, separator: str, allowed: re.Pattern[str]
) -> dict[str, bytes]:
    """Return the attributes of the path or the query, percent-decoded."""
    found: dict[str, bytes] = {}
    for attribute in component.split(separator) if component else ():
        name, equals, value = attribute.partition("=")
        if not equals or not _NAME.fullmatch(name):
            msg = f"malformed PKCS#11 URI: name=value parted by {separator!r} is meant"
            raise KeyRefused(msg)
        if name in found:
            msg = f"malformed PKCS#11 URI: {name} stands in it twice"
            raise KeyRefused(msg)
        if not allowed.fullmatch(value):
            msg = (
                f"malformed PKCS#11 URI: {name} holds a character that is written in "
                "percent-encoding, a space as %20 say"
            )
            raise KeyRefused(msg)
        found[name] = unquote_to_bytes(value)
    return found


def _refuse_unknown(names: set[str]) -> None:
    if "module-name" in names:
        raise KeyRefused(
            "say module-path=/… in the PKCS#11 URI; names are not looked up"
        )
    if names:
        msg = f"the PKCS#11 URI has an attribute not known here: {min(names)}"
        raise KeyRefused(msg)


def _text(values: Mapping[str, bytes], name: str, default: str = "") -> str:
    if name not in values:
        return default
    try:
        return values[name].decode()
    except UnicodeDecodeError:
        msg = f"malformed PKCS#11 URI: {name} is not UTF-8"
        raise KeyRefused(msg) from None


def _module(asked: Mapping[str, bytes]) -> str:
    module = _text(asked, _MODULE)
    if not module.startswith("/") or "\0" in module:
        msg = (
            "the PKCS#11 URI has to name the token's module: "
            "?module-path=/usr/lib/…/libsofthsm2.so, absolute"
        )
        raise KeyRefused(msg)
    return module


def _slot(named: Mapping[str, bytes]) -> int | None:
    if _NUMBER not in named:
        return None
    digits = named[_NUMBER]
    if not digits.isdigit() or len(digits) > _SLOT_DIGITS_MAX:
        msg = f"malformed PKCS#11 URI: {_NUMBER} is a number"
        raise KeyRefused(msg)
    return int(digits)
