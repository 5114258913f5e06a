"""A PKCS#11 module without a module: tokens that do what a test says.

It stands in for `pkcs11.lib`; exceptions, flags and constants are the package's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pkcs11
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.hashes import SHA256
from pkcs11 import Attribute, Mechanism, PrivateKey, TokenFlag

PIN = "73125519"
READY = TokenFlag.TOKEN_INITIALIZED | TokenFlag.LOGIN_REQUIRED


class FakeKey(PrivateKey):
    """A key; `attributes` are what it says about itself."""

    def __init__(self, private: Any, **attributes: Any) -> None:  # noqa: ANN401
        self.private = private
        self.attributes = {Attribute[name]: value for name, value in attributes.items()}
        self.fails: list[BaseException] = []
        self.pins: list[object] = []

    def __getitem__(self, attribute: Attribute) -> Any:  # noqa: ANN401
        if attribute not in self.attributes:
            raise pkcs11.AttributeTypeInvalid
        return self.attributes[attribute]

    def sign(
        self, message: bytes, *, mechanism: Mechanism, pin: object = None
    ) -> bytes:
        self.pins.append(pin)
        if self.fails:
            raise self.fails.pop(0)
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            if mechanism is not Mechanism.EDDSA:
                raise pkcs11.KeyTypeInconsistent
            return self.private.sign(message)
        if mechanism is not Mechanism.ECDSA:
            raise pkcs11.KeyTypeInconsistent
        assert isinstance(self.private, ec.EllipticCurvePrivateKey)
        der = self.private.sign(message, ec.ECDSA(utils.Prehashed(SHA256())))
        return b"".join(n.to_bytes(32, "big") for n in utils.decode_dss_signature(der))


@dataclass(eq=False)
class FakeSession:
    token: FakeToken

    def get_objects(self, template: Mapping[Attribute, Any]) -> Iterator[FakeKey]:
        wanted = {
            name: value
            for name, value in template.items()
            if name is not Attribute.CLASS
        }
        for key in self.token.keys:
            if wanted.items() <= key.attributes.items():
                yield key


@dataclass(eq=False)
class FakeToken:
    """A token in a slot of its own; counts every PIN that reaches it."""

    keys: list[FakeKey]
    label: str = "seal"
    serial: bytes = b"1"
    flags: TokenFlag = READY
    manufacturer_id: str = "maker"
    model: str = "v1"
    pin: object = PIN
    login_fails: BaseException | None = None
    pins: list[object] = field(default_factory=list)
    slot: FakeSlot = field(init=False)

    def open(self, user_pin: object = None) -> FakeSession:
        if user_pin is not None:
            self.pins.append(user_pin)
            if self.login_fails is not None:
                raise self.login_fails
            if user_pin != self.pin:
                raise pkcs11.PinIncorrect
        return FakeSession(self)


@dataclass(eq=False)
class FakeSlot:
    slot_id: int
    token: FakeToken
    manufacturer_id: str = "slot maker"
    slot_description: str = "slot"
    mechanisms: set[Mechanism] = field(
        default_factory=lambda: {Mechanism.ECDSA, Mechanism.EDDSA}
    )
    fails: BaseException | None = None

    def get_token(self) -> FakeToken:
        if self.fails is not None:
            raise self.fails
        return self.token

    def get_mechanisms(self) -> set[Mechanism]:
        return self.mechanisms


class FakeModule:
    """What `pkcs11.lib` returns, and that function itself."""

    manufacturer_id = "library maker"
    library_description = "library"

    def __init__(self, *tokens: FakeToken) -> None:
        self.slots = [FakeSlot(number, token) for number, token in enumerate(tokens)]
        for slot in self.slots:
            slot.token.slot = slot
        self._seen: list[FakeSlot] = []
        self.begun = 0
        self.ended = 0
        self.fails: BaseException | None = None

    @property
    def library(self) -> Callable[[str], FakeModule]:
        def load(path: str) -> FakeModule:
            del path
            if self.fails is not None:
                raise self.fails
            self.begun += 1
            # What comes later is not seen, as with SoftHSM.
            self._seen = list(self.slots)
            return self

        return load

    def get_slots(self, *, token_present: bool) -> list[FakeSlot]:
        assert token_present
        return self._seen

    def finalize(self) -> None:
        self.ended += 1
