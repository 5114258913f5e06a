"""The system's OpenSSL 3, whose `libcrypto` has SM2 and SM3: found and tried once.

It is the library that the distribution patches, loaded as it stands: nothing is
bundled, nothing is compiled. `ctypes` gives up Python's global lock in every call.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator, Mapping, Sequence
from ctypes import POINTER, c_char_p, c_int, c_long, c_size_t, c_ulong, c_void_p
from functools import cache
from importlib.util import find_spec
from typing import Final, TypeAlias

NAMES: Final = ("libcrypto.so.3", "libcrypto.so.4", "libcrypto.3.dylib")
"""What the library is called; the system's loader knows where it is."""

_VERSION_LEAST: Final = 0x30000000
"""OpenSSL 3.0: what came before has no fixes any more and another interface."""

_PLACE: Final = POINTER(c_void_p)
"""A pointer into a buffer, moved on by what is read or written there."""

_Function: TypeAlias = tuple[type | None, Sequence[type]]

_FUNCTIONS: Final[Mapping[str, _Function]] = {
    "OpenSSL_version_num": (c_ulong, ()),
    "ERR_clear_error": (None, ()),
    "EVP_MD_fetch": (c_void_p, (c_void_p, c_char_p, c_char_p)),
    "EVP_MD_CTX_new": (c_void_p, ()),
    "EVP_MD_CTX_free": (None, (c_void_p,)),
    "EVP_DigestSignInit": (
        c_int,
        (c_void_p, POINTER(c_void_p), c_void_p, c_void_p, c_void_p),
    ),
    "EVP_DigestVerifyInit": (
        c_int,
        (c_void_p, POINTER(c_void_p), c_void_p, c_void_p, c_void_p),
    ),
    "EVP_PKEY_CTX_set1_id": (c_int, (c_void_p, c_char_p, c_size_t)),
    "EVP_DigestSign": (
        c_int,
        (c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t),
    ),
    "EVP_DigestVerify": (
        c_int,
        (c_void_p, c_char_p, c_size_t, c_char_p, c_size_t),
    ),
    "EVP_PKEY_CTX_new_from_name": (c_void_p, (c_void_p, c_char_p, c_char_p)),
    "EVP_PKEY_CTX_new": (c_void_p, (c_void_p, c_void_p)),
    "EVP_PKEY_CTX_free": (None, (c_void_p,)),
    "EVP_PKEY_keygen_init": (c_int, (c_void_p,)),
    "EVP_PKEY_keygen": (c_int, (c_void_p, POINTER(c_void_p))),
    "EVP_PKEY_check": (c_int, (c_void_p,)),
    "EVP_PKEY_is_a": (c_int, (c_void_p, c_char_p)),
    "EVP_PKEY_free": (None, (c_void_p,)),
    "d2i_PUBKEY": (c_void_p, (c_void_p, _PLACE, c_long)),
    "i2d_PUBKEY": (c_int, (c_void_p, _PLACE)),
    "d2i_PKCS8_PRIV_KEY_INFO": (c_void_p, (c_void_p, _PLACE, c_long)),
    "i2d_PKCS8_PRIV_KEY_INFO": (c_int, (c_void_p, _PLACE)),
    "PKCS8_PRIV_KEY_INFO_free": (None, (c_void_p,)),
    "EVP_PKCS82PKEY": (c_void_p, (c_void_p,)),
    "EVP_PKEY2PKCS8": (c_void_p, (c_void_p,)),
    "EVP_aes_256_cbc": (c_void_p, ()),
    "PKCS8_encrypt": (
        c_void_p,
        (c_int, c_void_p, c_char_p, c_int, c_char_p, c_int, c_int, c_void_p),
    ),
    "PKCS8_decrypt": (c_void_p, (c_void_p, c_char_p, c_int)),
    "d2i_X509_SIG": (c_void_p, (c_void_p, _PLACE, c_long)),
    "i2d_X509_SIG": (c_int, (c_void_p, _PLACE)),
    "X509_SIG_free": (None, (c_void_p,)),
}
"""Every function that is called: what it returns, and what it takes."""


class Sm2Unavailable(Exception):
    """This machine has no OpenSSL that can do SM2; the text says what to do."""


class _Unfit(Exception):
    """A library that was found cannot be used, and why."""


@cache
def libcrypto() -> ctypes.CDLL:
    """Return the library, its functions declared.

    Raises:
        Sm2Unavailable: None that was found can do SM2. Also the next time: a library
            that is installed later is found by a new process.
    """
    tried = []
    for name, library in _candidates():
        try:
            return _declared(library)
        except _Unfit as unfit:
            tried.append(f"{name}: {unfit}")
    found = "; ".join(tried) or "no libcrypto was found"
    msg = (
        "SM2 needs the system's OpenSSL, 3.0 or later and built with SM2, such as "
        f"Debian's package libssl3 ({found})"
    )
    raise Sm2Unavailable(msg)


@cache
def sm3() -> int:
    """Return the library's SM3, which is never given back.

    Raises:
        Sm2Unavailable: See `libcrypto`.
    """
    found: int = libcrypto().EVP_MD_fetch(None, b"SM3", None)
    return found


def _candidates() -> Iterator[tuple[str, ctypes.CDLL]]:
    """Yield libraries that may be fit, the system's first.

    The second is the one that Python itself is linked with for `ssl`: what is looked
    up in that module is found in the library behind it. So where Python can fetch a
    package, there is a candidate.
    """
    own = find_spec("_ssl")
    names = [*NAMES, own.origin if own is not None and own.has_location else None]
    for name in (*names, ctypes.util.find_library("crypto")):
        if name is None:
            continue
        try:
            yield name, ctypes.CDLL(name)
        except OSError:
            continue


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    """Return the library if it has everything.

    Raises:
        _Unfit: It has not.
    """
    for name, (result, arguments) in _FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            msg = f"lacks {name}"
            raise _Unfit(msg) from None
        function.restype = result
        function.argtypes = arguments
    if library.OpenSSL_version_num() < _VERSION_LEAST:
        raise _Unfit("is older than 3.0")
    # Some distributions build it without.
    context = library.EVP_PKEY_CTX_new_from_name(None, b"SM2", None)
    library.EVP_PKEY_CTX_free(context)
    digest = library.EVP_MD_fetch(None, b"SM3", None)
    library.ERR_clear_error()
    if context is None or digest is None:
        raise _Unfit("was built without SM2 or SM3")
    return library
