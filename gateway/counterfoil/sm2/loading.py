"""SM2 keys from PKCS#8, as files keep them."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Final

from counterfoil.sm2.keys import Sm2PrivateKey
from counterfoil.sm2.libcrypto import libcrypto
from counterfoil.sm2.structures import ENCRYPTED, read

_PEM: Final = re.compile(
    rb"-----BEGIN ((?:ENCRYPTED )?PRIVATE KEY)-----\s"
    rb"([A-Za-z0-9+/=\s]*)-----END \1-----"
)


def load_der_private_key(der: bytes, passphrase: bytes | None) -> Sm2PrivateKey:
    """Return the key of a PKCS#8 structure in DER.

    Args:
        der: The structure: encrypted if and only if there is a passphrase.
        passphrase: What opens it.

    Raises:
        ValueError: It is damaged, not opened, or no SM2 key.
        Sm2Unavailable: This machine cannot do SM2.
    """
    library = libcrypto()
    if passphrase is None:
        plain = read("d2i_PKCS8_PRIV_KEY_INFO", der)
    else:
        sealed = read("d2i_X509_SIG", der)
        plain = sealed and library.PKCS8_decrypt(sealed, passphrase, len(passphrase))
        library.X509_SIG_free(sealed)
    key = plain and library.EVP_PKCS82PKEY(plain)
    library.PKCS8_PRIV_KEY_INFO_free(plain)
    library.ERR_clear_error()
    if key is None:
        raise ValueError("the key is damaged, or its passphrase does not open it")
    return Sm2PrivateKey(key)


def load_pem_private_key(pem: bytes, passphrase: bytes | None) -> Sm2PrivateKey:
    """Return the key of a PKCS#8 structure in PEM, which may be encrypted.

    Raises:
        ValueError: See `load_der_private_key`; or it is not such a PEM text.
        Sm2Unavailable: This machine cannot do SM2.
    """
    match = _PEM.search(pem)
    if match is None:
        raise ValueError("not a private key in PKCS#8 and PEM")
    der = b64decode(b"".join(match[2].split()), validate=True)
    if (match[1] == ENCRYPTED) != (passphrase is not None):
        raise ValueError("there is a passphrase for a plain key, or none for another")
    return load_der_private_key(der, passphrase)
