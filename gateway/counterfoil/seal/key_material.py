"""Keys for seals on their way to the process that signs with them.

Whoever reads the configuration reads passphrases and PINs, once: a descriptor can be
read only once. The process that signs makes a `SigningKey` of it, wherever the key is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from counterfoil.seal.algorithms import SigningKey
from counterfoil.seal.keys import (
    NO_PASSPHRASE,
    KeyReference,
    load_private_key,
    signing_key_of,
)
from counterfoil.seal.secret import KeyRefused, SecretText, read_secret
from counterfoil.seal.token_uri import PREFIX, TokenUri, parse_token_uri

if TYPE_CHECKING:
    from counterfoil.seal.token_key import TokenKey

_PACKAGE: Final = "pkcs11"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMaterial:
    """A key, or where its token is; holds secrets, so it goes over a pipe only.

    Attributes:
        content: The key, PKCS#8 in DER, decrypted; empty if it is in a token.
        token: Which key of which token; None if it is not in one.
        pin: The token's PIN; empty if it asks for none.
    """

    content: bytes = field(default=b"", repr=False)
    token: TokenUri | None = None
    pin: bytes = field(default=b"", repr=False)

    def signing_key(self, public_key: bytes) -> SigningKey:
        """Return the key as what makes seals; one in a token is opened by its use.

        Args:
            public_key: The certificate's, as SubjectPublicKeyInfo in DER.

        Raises:
            KeyRefused: The package that speaks to tokens is not installed, or the
                certificate's key is of no kind that tokens sign with here.
            UnfitKey: The key fits no algorithm of the closed list.
        """
        if self.token is None:
            return signing_key_of(self.content)
        return self._in_token(self.token, public_key).signing_key

    def opened(self, public_key: bytes) -> SigningKey:
        """Return the key, opened, once it was seen to belong to a certificate.

        Args:
            public_key: The certificate's, as SubjectPublicKeyInfo in DER.

        Raises:
            KeyRefused: The key cannot be opened, or is another certificate's.
            UnfitKey: The key fits no algorithm of the closed list.
        """
        if self.token is None:
            key = self.signing_key(public_key)
            if key.public_key != public_key:
                raise KeyRefused("the certificate is for another key")
            return key
        in_token = self._in_token(self.token, public_key)
        in_token.open()
        return in_token.signing_key

    def check(self, public_key: bytes) -> None:
        """Open the key as `opened` does, and close it again.

        Raises:
            KeyRefused: See `opened`.
            UnfitKey: See `opened`.
        """
        if self.token is None:
            self.opened(public_key)
            return
        in_token = self._in_token(self.token, public_key)
        try:
            in_token.open()
        finally:
            in_token.close()

    def _in_token(self, token: TokenUri, public_key: bytes) -> TokenKey:
        try:
            from counterfoil.seal.token_key import TokenKey  # noqa: PLC0415 -- its package is an extra
        except ModuleNotFoundError as error:
            if error.name != _PACKAGE:
                raise
            raise KeyRefused(
                "for a key in a token the package python-pkcs11 is needed; install "
                "counterfoil[pkcs11]"
            ) from None
        return TokenKey(token, SecretText(self.pin) if self.pin else None, public_key)


def load_key_material(reference: KeyReference) -> KeyMaterial:
    """Read what a reference names, and its passphrase or PIN.

    Raises:
        KeyRefused: See `load_private_key`; or the PKCS#11 URI is malformed, or the PIN
            cannot be read, or its place is said twice.
    """
    if not reference.uri.startswith(PREFIX):
        private = load_private_key(reference)
        return KeyMaterial(
            content=private.private_bytes(
                Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
            )
        )
    token = parse_token_uri(reference.uri)
    said = "" if reference.passphrase == NO_PASSPHRASE else reference.passphrase
    if said and token.pin_source:
        raise KeyRefused("the place of the PIN is said twice: passphrase, pin-source")
    where = said or token.pin_source
    pin = read_secret(where).reveal() if where else b""
    return KeyMaterial(token=token, pin=pin)
