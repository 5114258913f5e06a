"""What the library reads and writes: its structures, in DER and PEM."""

from __future__ import annotations

from base64 import b64encode
from ctypes import addressof, byref, c_void_p, create_string_buffer
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.sm2.libcrypto import libcrypto

PLAIN: Final = b"PRIVATE KEY"
"""What PEM calls a key that is not encrypted."""

ENCRYPTED: Final = b"ENCRYPTED PRIVATE KEY"
"""What PEM calls one that is."""

_ENCRYPTION_ROUNDS: Final = 20_000
"""Of PBKDF2 when a key is written; as `cryptography` does."""

_BY_CIPHER: Final = -1
"""Instead of an old scheme's number: PBES2 with the cipher that is given."""

_LINE: Final = 64
"""Characters of a line in PEM. Source: RFC 7468, section 2."""

_FREE: Final = {
    "d2i_PUBKEY": "EVP_PKEY_free",
    "d2i_PKCS8_PRIV_KEY_INFO": "PKCS8_PRIV_KEY_INFO_free",
    "d2i_X509_SIG": "X509_SIG_free",
}
"""What gives back a structure that was read."""


def must(done: int) -> None:
    """Stop where the library cannot fail except by a defect or for want of memory."""
    if done != 1:
        libcrypto().ERR_clear_error()
        raise RuntimeError("OpenSSL failed at SM2")


def read(function: str, der: bytes) -> int | None:
    """Return a structure of the library; None if `der` is not exactly one."""
    library = libcrypto()
    content = create_string_buffer(der, max(len(der), 1))
    at = c_void_p(addressof(content))
    found: int | None = getattr(library, function)(None, byref(at), len(der))
    library.ERR_clear_error()
    # Where the reader stopped: behind it nothing may stand.
    if found is not None and at.value != addressof(content) + len(der):
        getattr(library, _FREE[function])(found)
        return None
    return found


def written(function: str, structure: int) -> bytes:
    """Return what the library writes of one of its structures."""
    write = getattr(libcrypto(), function)
    size = write(structure, None)
    must(1 if size > 0 else 0)
    content = create_string_buffer(size)
    write(structure, byref(c_void_p(addressof(content))))
    return content.raw


def encrypted(plain: int, passphrase: bytes) -> bytes:
    """Return a PKCS#8 structure encrypted by AES-256 under PBKDF2."""
    library = libcrypto()
    cipher = library.EVP_aes_256_cbc()
    sealed = library.PKCS8_encrypt(
        _BY_CIPHER,
        cipher,
        passphrase,
        len(passphrase),
        None,
        0,
        _ENCRYPTION_ROUNDS,
        plain,
    )
    must(1 if sealed else 0)
    try:
        return written("i2d_X509_SIG", sealed)
    finally:
        library.X509_SIG_free(sealed)


def written_as(der: bytes, encoding: Encoding, label: bytes) -> bytes:
    """Return a structure in DER or PEM.

    Raises:
        ValueError: Another encoding is asked for.
    """
    if encoding is Encoding.DER:
        return der
    if encoding is not Encoding.PEM:
        raise ValueError("an SM2 key is written in DER or PEM")
    text = b64encode(der)
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
    return b"\n".join(
        (b"-----BEGIN %b-----" % label, *lines, b"-----END %b-----" % label, b"")
    )
