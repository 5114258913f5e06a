"""Private keys by URI: where a key lives is configuration, not code.

* `file:/path`: PKCS#8 in PEM, encrypted; the passphrase is a reference, see
  `secret`. Who needs a key without a passphrase says `none`: for development.

* `pkcs11:…`: a key in a token, see `token_uri`; it signs there and can be had as a
  `SigningKey` only, see `key_material`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)

from counterfoil.seal.algorithms import SigningKey, UnfitKey, signing_key
from counterfoil.seal.secret import (
    KeyRefused,
    SecretText,
    read_private_file,
    read_secret,
)
from counterfoil.sm2 import loading as sm2_keys
from counterfoil.sm2.keys import Sm2PrivateKey
from counterfoil.sm2.libcrypto import Sm2Unavailable

NO_PASSPHRASE: Final = "none"  # noqa: S105 - says that there is none
"""Instead of a reference: the key is not encrypted, and that is meant."""

AnyPrivateKey: TypeAlias = (
    EllipticCurvePrivateKey | Ed25519PrivateKey | MLDSA44PrivateKey | Sm2PrivateKey
)

_ENCRYPTED: Final = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
_PLAIN: Final = b"-----BEGIN PRIVATE KEY-----"


@dataclass(frozen=True, slots=True)
class KeyReference:
    """Where a key is and how to open it; holds no secret.

    Attributes:
        uri: Such as `file:/path`.
        passphrase: A reference such as `credential:name`, or `none`.
    """

    uri: str
    passphrase: str


def load_private_key(reference: KeyReference) -> AnyPrivateKey:
    """Return the private key that a reference names.

    Raises:
        KeyRefused: The reference has another form, or the key is missing, readable
            by others, unencrypted without saying so, not opened by its passphrase,
            or of no kind that is used here.
    """
    scheme, separator, rest = reference.uri.partition(":")
    if not separator or scheme not in _LOADERS:
        msg = f"not a key URI; one begins with {', '.join(_LOADERS)}"
        raise KeyRefused(msg)
    return _LOADERS[scheme](rest, reference.passphrase)


def load_signing_key(reference: KeyReference) -> SigningKey:
    """Return a key for seals that is in a file; `key_material` has those in tokens.

    Raises:
        KeyRefused: See `load_private_key`; or it fits no algorithm of seals.
    """
    try:
        return signing_key(load_private_key(reference))
    except UnfitKey as error:
        msg = f"{error}: {reference.uri}"
        raise KeyRefused(msg) from None


def signing_key_of(der: bytes) -> SigningKey:
    """Return a key for seals from PKCS#8 in DER, decrypted.

    Raises:
        ValueError: It is damaged, or fits no algorithm of seals.
        Sm2Unavailable: It is an SM2 key, and this machine cannot do SM2.
    """
    try:
        return signing_key(load_der_private_key(der, None))
    except UnsupportedAlgorithm:
        return signing_key(sm2_keys.load_der_private_key(der, None))


def load_tls_key(reference: KeyReference) -> SecretText:
    """Return a key for connections as plain PEM, which is what gRPC takes.

    Raises:
        KeyRefused: See `load_private_key`; or the key cannot leave its device.
    """
    key = load_private_key(reference)
    if not isinstance(key, EllipticCurvePrivateKey | Ed25519PrivateKey):
        msg = f"not a key for connections: {reference.uri}"
        raise KeyRefused(msg)
    return SecretText(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )


def _load_file(path: str, passphrase: str) -> AnyPrivateKey:
    content = read_private_file(path)
    is_encrypted = content.lstrip().startswith(_ENCRYPTED)
    if not is_encrypted and not content.lstrip().startswith(_PLAIN):
        msg = f"not a private key in PKCS#8 and PEM: {path}"
        raise KeyRefused(msg)
    if not passphrase:
        msg = f"no passphrase is configured, not even `none`: {path}"
        raise KeyRefused(msg)
    if is_encrypted and passphrase == NO_PASSPHRASE:
        msg = f"the key is encrypted, but its passphrase is said to be none: {path}"
        raise KeyRefused(msg)
    if not is_encrypted and passphrase != NO_PASSPHRASE:
        msg = f"the key is not encrypted; say `none` if that is meant: {path}"
        raise KeyRefused(msg)
    secret = read_secret(passphrase).reveal() if is_encrypted else None
    try:
        key = _load_pem(content, secret)
    except Sm2Unavailable as error:
        msg = f"{path}: {error}"
        raise KeyRefused(msg) from None
    # Without the cause: what the library says of broken keys is not ours to vet.
    except (TypeError, ValueError, UnsupportedAlgorithm):
        msg = f"the key is damaged, or its passphrase does not open it: {path}"
        raise KeyRefused(msg) from None
    if not isinstance(key, AnyPrivateKey):
        msg = f"a kind of key that is not used here: {path}"
        raise KeyRefused(msg)
    return key


def _refuse_token(rest: str, passphrase: str) -> NoReturn:
    del rest, passphrase
    raise KeyRefused(
        "a key in a token serves for seals only; keys of connections of a gateway and "
        "of its log are in a file:"
    )


def _load_pem(content: bytes, secret: bytes | None) -> object:
    """Return a key of any kind; SM2 is what the library refuses for its curve."""
    try:
        return load_pem_private_key(content, secret)
    except UnsupportedAlgorithm:
        return sm2_keys.load_pem_private_key(content, secret)


_LOADERS: Final[dict[str, Callable[[str, str], AnyPrivateKey]]] = {
    "file": _load_file,
    "pkcs11": _refuse_token,
}
