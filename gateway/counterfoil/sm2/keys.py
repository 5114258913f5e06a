"""SM2 keys with the interface of `cryptography`'s own keys.

A key is exactly one thing: on the curve of GB/T 32918.5, named and not spelt out, its
point uncompressed. It signs with SM3.
"""

from __future__ import annotations

import weakref
from ctypes import byref, c_size_t, c_void_p, create_string_buffer
from typing import Final, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from counterfoil.sm2.libcrypto import libcrypto, sm3
from counterfoil.sm2.structures import (
    ENCRYPTED,
    PLAIN,
    encrypted,
    must,
    read,
    written,
    written_as,
)

SIGNER_ID: Final = b"1234567812345678"
"""Whom a signature names as its signer if nobody says.

Source: GM/T 0009-2012, section 10.
"""

SIGNER_ID_BYTES_MAX: Final = 8190
"""Longest signer that OpenSSL takes: its length in bits is hashed as 16 bits."""

SIGNATURE_BYTES_MAX: Final = 72
"""Longest signature: two integers of 32 bytes in DER."""

SPKI_HEAD: Final = bytes.fromhex(
    "3059301306072a8648ce3d020106082a811ccf5501822d03420004"
)
"""What stands before the point: id-ecPublicKey, sm2p256v1, 65 bytes uncompressed."""

SPKI_BYTES: Final = 91


class Sm2PublicKey:
    """Checks signatures."""

    __slots__ = ("__weakref__", "_key", "_spki")

    def __init__(self, spki: bytes) -> None:
        """Take a key as SubjectPublicKeyInfo in DER.

        Raises:
            ValueError: It is no SM2 key in the one form, or not on the curve.
            Sm2Unavailable: This machine cannot do SM2.
        """
        if not is_sm2_spki(spki):
            raise ValueError("not an SM2 key on its named curve, uncompressed")
        library = libcrypto()
        key = read("d2i_PUBKEY", spki)
        if key is None:
            raise ValueError("the point is not on the curve of SM2")
        weakref.finalize(self, library.EVP_PKEY_free, key)
        self._spki = spki
        self._key = key

    def verify(
        self, signature: bytes, message: bytes, signer_id: bytes = SIGNER_ID
    ) -> None:
        """Check a signature in DER.

        Raises:
            InvalidSignature: It does not hold, or is no signature.
            ValueError: The signer's name is empty or too long.
        """
        library = libcrypto()
        with _Digest(self._key, "EVP_DigestVerifyInit", signer_id) as context:
            held = library.EVP_DigestVerify(
                context, signature, len(signature), message, len(message)
            )
            if held != 1:
                library.ERR_clear_error()
                raise InvalidSignature

    def public_bytes(self, encoding: Encoding, format: PublicFormat) -> bytes:  # noqa: A002 - as cryptography calls it
        """Return the key as SubjectPublicKeyInfo in DER or PEM.

        Raises:
            ValueError: Another form is asked for.
        """
        if format is not PublicFormat.SubjectPublicKeyInfo:
            raise ValueError("an SM2 key is written as SubjectPublicKeyInfo")
        return written_as(self._spki, encoding, b"PUBLIC KEY")

    @property
    def point(self) -> bytes:
        """The uncompressed point, 65 bytes; a key's identifier is its digest."""
        return self._spki[-65:]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sm2PublicKey) and other._spki == self._spki

    def __hash__(self) -> int:
        return hash(self._spki)


class Sm2PrivateKey:
    """Makes signatures; the key stays in OpenSSL's memory."""

    __slots__ = ("__weakref__", "_key", "_public_key")

    def __init__(self, key: int) -> None:
        """Take over a key of the library, which is freed with this object.

        Raises:
            ValueError: It is no SM2 key, or its halves do not belong together.
        """
        library = libcrypto()
        weakref.finalize(self, library.EVP_PKEY_free, key)
        context = library.EVP_PKEY_CTX_new(key, None)
        try:
            is_sound = (
                library.EVP_PKEY_is_a(key, b"SM2")
                == 1
                == (library.EVP_PKEY_check(context))
            )
        finally:
            library.EVP_PKEY_CTX_free(context)
            library.ERR_clear_error()
        if not is_sound:
            raise ValueError("not a sound SM2 key")
        self._key = key
        self._public_key = Sm2PublicKey(written("i2d_PUBKEY", key))

    @classmethod
    def generate(cls) -> Sm2PrivateKey:
        """Make a new key, by the random generator of OpenSSL.

        Raises:
            Sm2Unavailable: This machine cannot do SM2.
        """
        library = libcrypto()
        key = c_void_p()
        context = library.EVP_PKEY_CTX_new_from_name(None, b"SM2", None)
        try:
            must(library.EVP_PKEY_keygen_init(context))
            must(library.EVP_PKEY_keygen(context, byref(key)))
        finally:
            library.EVP_PKEY_CTX_free(context)
        assert key.value is not None
        return cls(key.value)

    def public_key(self) -> Sm2PublicKey:
        """Return the public half."""
        return self._public_key

    def sign(self, message: bytes, signer_id: bytes = SIGNER_ID) -> bytes:
        """Sign a message; the signature in DER.

        Raises:
            ValueError: The signer's name is empty or too long.
        """
        library = libcrypto()
        with _Digest(self._key, "EVP_DigestSignInit", signer_id) as context:
            signature = create_string_buffer(SIGNATURE_BYTES_MAX)
            size = c_size_t(SIGNATURE_BYTES_MAX)
            must(
                library.EVP_DigestSign(
                    context, signature, byref(size), message, len(message)
                )
            )
            return signature.raw[: size.value]

    def private_bytes(
        self,
        encoding: Encoding,
        format: PrivateFormat,  # noqa: A002 - as cryptography calls it
        encryption_algorithm: KeySerializationEncryption,
    ) -> bytes:
        """Return the key as PKCS#8, in DER or PEM.

        Raises:
            ValueError: Another form or way of encryption is asked for.
        """
        if format is not PrivateFormat.PKCS8:
            raise ValueError("an SM2 key is written as PKCS#8")
        is_encrypted = isinstance(encryption_algorithm, BestAvailableEncryption)
        if not is_encrypted and not isinstance(encryption_algorithm, NoEncryption):
            raise ValueError("an SM2 key is encrypted in the best way or in none")
        library = libcrypto()
        plain = library.EVP_PKEY2PKCS8(self._key)
        try:
            if isinstance(encryption_algorithm, BestAvailableEncryption):
                der = encrypted(plain, encryption_algorithm.password)
            else:
                der = written("i2d_PKCS8_PRIV_KEY_INFO", plain)
        finally:
            library.PKCS8_PRIV_KEY_INFO_free(plain)
        return written_as(der, encoding, ENCRYPTED if is_encrypted else PLAIN)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key does not leave its process by being pickled")


def is_sm2_spki(spki: bytes) -> bool:
    """Tell whether an encoded SubjectPublicKeyInfo is an SM2 key in the one form."""
    return len(spki) == SPKI_BYTES and spki.startswith(SPKI_HEAD)


class _Digest:
    """A context that signs or verifies one message, in the name of a signer."""

    __slots__ = ("_context",)

    def __init__(self, key: int, init: str, signer_id: bytes) -> None:
        if not 0 < len(signer_id) <= SIGNER_ID_BYTES_MAX:
            msg = f"a signer's name has 1 to {SIGNER_ID_BYTES_MAX} bytes"
            raise ValueError(msg)
        library = libcrypto()
        self._context = library.EVP_MD_CTX_new()
        inner = c_void_p()
        try:
            start = getattr(library, init)
            must(start(self._context, byref(inner), sm3(), None, key))
            must(library.EVP_PKEY_CTX_set1_id(inner, signer_id, len(signer_id)))
        except BaseException:
            library.EVP_MD_CTX_free(self._context)
            raise

    def __enter__(self) -> int:
        context: int = self._context
        return context

    def __exit__(self, *error: object) -> None:
        libcrypto().EVP_MD_CTX_free(self._context)
