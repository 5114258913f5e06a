"""A private key in a token: it signs there, and never leaves.

What the token calls its key is not believed: a key is used once a signature of its
own has been checked with the public key of the certificate. So a token needs no
public key object, and a key is never used beside another's certificate.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final, NoReturn

import pkcs11
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11 import Attribute, Mechanism, ObjectClass, PrivateKey, Session

from counterfoil.domain.refusals import SealKeyUnavailable
from counterfoil.domain.seals import Algorithm
from counterfoil.seal.algorithms import CheckSignature, SigningKey, check_with
from counterfoil.seal.dsse import encode_for_signing
from counterfoil.seal.secret import KeyRefused, SecretText
from counterfoil.seal.token_session import (
    ONE_CALL,
    PIN_ERRORS,
    PinRefused,
    forget_sessions,
    is_open,
    session_with,
    spoken,
    why_not,
)
from counterfoil.seal.token_uri import TokenUri

APART_S: Final = 5.0
"""Least time between two looks for a token that is away, seconds."""

_PROBE: Final = encode_for_signing(
    "application/vnd.counterfoil.probe.v1", b"Does this key belong to its certificate?"
)
"""What is signed to see whose key it is: of no type that anything else signs."""

_P256_BYTES: Final = 32


class TokenKey:
    """A key in a token, opened when it is first needed, and again when it was away.

    Safe to use from several threads. It does not travel: neither by pickle nor by
    fork.

    Args:
        uri: Which key of which token.
        pin: The user's PIN; None for a token that asks for none, or by a pad.
        public_key: The certificate's, as SubjectPublicKeyInfo in DER.
        clock: Says how many seconds have passed.

    Raises:
        KeyRefused: The public key is of no kind that tokens sign with here.
    """

    def __init__(
        self,
        uri: TokenUri,
        pin: SecretText | None,
        public_key: bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._uri = uri
        self._pin = pin
        self._public_key = public_key
        self._algorithm, self._check = _check_of(public_key)
        self._clock = clock
        self._session: Session | None = None
        self._key: PrivateKey | None = None
        self._asks_each_time = False
        self._refused: KeyRefused | None = None
        self._again_s = 0.0

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key in a token is opened by the process that signs")

    @property
    def signing_key(self) -> SigningKey:
        """This key as what makes seals."""
        return SigningKey(
            algorithm=self._algorithm, public_key=self._public_key, sign=self.sign
        )

    def open(self) -> None:
        """Open the key and see that it belongs to the certificate.

        Raises:
            PinRefused: See `session_with`; the PIN is not tried again.
            KeyRefused: See `session_with`; or there is no such key, there are two,
                it may not sign, the token lacks the mechanism, or the key is
                another's than the certificate's.
        """
        with ONE_CALL:
            try:
                self._open()
                signature = self._signed(_PROBE)
            except pkcs11.PKCS11Error as error:
                self._lose()
                msg = f"the token does not sign: {spoken(error)}: {self._uri.shown}"
                raise KeyRefused(msg) from None
            try:
                self._check(signature, _PROBE)
            except InvalidSignature:
                self._lose()
                msg = f"the certificate is for another key than {self._uri.shown}"
                raise KeyRefused(msg) from None

    def close(self) -> None:
        """End this process's sessions with the token."""
        self._lose()

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message, made in the token.

        Where the token went away, it is looked for at once, and after that every
        APART_S at most.

        Raises:
            SealKeyUnavailable: The token cannot be used now, or not before a person
                has looked; nothing was signed.
        """
        with ONE_CALL:
            try:
                return self._signed_anew(message)
            except KeyRefused as error:
                if error is not self._refused:
                    # Whoever asks before it is time to look again is told the same.
                    self._refused, self._again_s = error, self._clock() + APART_S
                    self._lose()
                raise SealKeyUnavailable(str(error)) from None

    def _signed_anew(self, message: bytes) -> bytes:
        if is_open(self._uri, self._session):
            try:
                return self._signed(message)
            except pkcs11.PKCS11Error:
                # Taken out, switched off, or another key of this module was.
                self._lose()
        self._reopen()
        try:
            return self._signed(message)
        except pkcs11.PKCS11Error as error:
            msg = f"the token does not sign: {spoken(error)}: {self._uri.shown}"
            raise KeyRefused(msg) from None

    def _reopen(self) -> None:
        is_due = self._clock() >= self._again_s
        if self._refused is not None and (
            isinstance(self._refused, PinRefused) or not is_due
        ):
            raise self._refused.with_traceback(None)
        self.open()
        self._refused = None

    def _lose(self) -> None:
        self._session = self._key = None
        forget_sessions(self._uri)

    def _open(self) -> None:
        session = session_with(self._uri, self._pin)
        mechanism = _MECHANISMS[self._algorithm]
        if mechanism not in session.token.slot.get_mechanisms():
            msg = f"the token has no mechanism CKM_{mechanism.name}: {self._uri.shown}"
            raise KeyRefused(msg)
        template: dict[Attribute, Any] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
        if "object" in self._uri.texts:
            template[Attribute.LABEL] = self._uri.texts["object"]
        if self._uri.key_id is not None:
            template[Attribute.ID] = self._uri.key_id
        keys = list(session.get_objects(template))
        if not keys:
            msg = f"the token has no such private key: {self._uri.shown}"
            raise KeyRefused(msg)
        if len(keys) > 1:
            msg = f"{len(keys)} private keys fit; add id= or object=: {self._uri.shown}"
            raise KeyRefused(msg)
        (key,) = keys
        assert isinstance(key, PrivateKey)
        if not _says(key, Attribute.SIGN, otherwise=True):
            msg = f"the key is not for signatures: {self._uri.shown}"
            raise KeyRefused(msg)
        self._asks_each_time = _says(
            key, Attribute.ALWAYS_AUTHENTICATE, otherwise=False
        )
        self._session, self._key = session, key

    def _signed(self, message: bytes) -> bytes:
        """Sign with the open key.

        Raises:
            PinRefused: The key asks for the PIN at each signature, and it is wrong.
            pkcs11.PKCS11Error: The token does not.
        """
        options: dict[str, Any] = {"mechanism": _MECHANISMS[self._algorithm]}
        if self._asks_each_time and self._pin is not None:
            options["pin"] = self._pin.reveal().decode()
        is_p256 = self._algorithm is Algorithm.ECDSA_P256_SHA256
        # Few tokens have CKM_ECDSA_SHA256, and it would take all of the message.
        signed = sha256(message).digest() if is_p256 else message
        assert self._key is not None, "it was opened"
        try:
            # What kinds of key can do is added to them at run time.
            pair: bytes = self._key.sign(signed, **options)  # type: ignore[attr-defined]
        except PIN_ERRORS as error:
            raise PinRefused(why_not(error)) from None
        if not is_p256:
            return pair
        return encode_dss_signature(
            int.from_bytes(pair[:_P256_BYTES], "big"),
            int.from_bytes(pair[_P256_BYTES:], "big"),
        )


_MECHANISMS: Final = {
    Algorithm.ECDSA_P256_SHA256: Mechanism.ECDSA,
    Algorithm.ED25519: Mechanism.EDDSA,
}
"""How a token is asked for each algorithm's signatures."""


def _check_of(public_key: bytes) -> tuple[Algorithm, CheckSignature]:
    try:
        algorithm, check = check_with(load_der_public_key(public_key))
    except (UnsupportedAlgorithm, ValueError):
        algorithm, check = None, None
    if algorithm not in _MECHANISMS or check is None:
        raise KeyRefused(
            "a token signs here with P-256 or Ed25519; the certificate is of neither"
        )
    return algorithm, check


def _says(key: PrivateKey, attribute: Attribute, *, otherwise: bool) -> bool:
    """Return what a key says about itself; `otherwise` if it does not know."""
    try:
        return bool(key[attribute])
    except pkcs11.exceptions.AttributeTypeInvalid:
        return otherwise
