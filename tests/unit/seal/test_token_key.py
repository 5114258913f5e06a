"""Keys in tokens, against a module of our own: what is refused, what never is done."""

from __future__ import annotations

import fcntl
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from pkcs11 import Mechanism, TokenFlag

from counterfoil.domain.refusals import SealKeyUnavailable
from counterfoil.domain.seals import Algorithm
from counterfoil.seal import token_session
from counterfoil.seal.algorithms import check_with
from counterfoil.seal.key_material import KeyMaterial, load_key_material
from counterfoil.seal.keys import KeyReference
from counterfoil.seal.secret import KeyRefused, SecretText
from counterfoil.seal.token_key import APART_S, TokenKey
from counterfoil.seal.token_session import PinRefused
from counterfoil.seal.token_uri import parse_token_uri
from tests.unit.seal.fake_token import PIN, FakeKey, FakeModule, FakeSlot, FakeToken

MESSAGE = b"a statement"
P256 = ec.generate_private_key(ec.SECP256R1())
ED25519 = ed25519.Ed25519PrivateKey.generate()


def public(private: Any) -> bytes:  # noqa: ANN401
    return private.public_key().public_bytes(  # type: ignore[no-any-return]
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )


@dataclass
class Bench:
    """One token with one key, and what is needed to open it."""

    key: FakeKey
    token: FakeToken
    module: FakeModule
    path: Path
    now_s: float = 1000.0

    def uri(self, path: str = "pkcs11:token=seal;object=k") -> str:
        return f"{path}?module-path={self.path}"

    def opened(
        self,
        path: str = "pkcs11:token=seal;object=k",
        *,
        private: Any = P256,  # noqa: ANN401
        pin: bytes | None = PIN.encode(),
    ) -> TokenKey:
        return TokenKey(
            parse_token_uri(self.uri(path)),
            None if pin is None else SecretText(pin),
            public(private),
            lambda: self.now_s,
        )


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    key = FakeKey(P256, LABEL="k", ID=b"\x01", SIGN=True, ALWAYS_AUTHENTICATE=False)
    token = FakeToken([key])
    module = FakeModule(token)
    monkeypatch.setattr(pkcs11, "lib", module.library)
    monkeypatch.setattr(token_session, "_modules", {})
    path = tmp_path / "module.so"
    path.write_bytes(b"not loaded")
    return Bench(key, token, module, path)


def refusal(open_: Callable[[], object], kind: type[Exception] = KeyRefused) -> str:
    with pytest.raises(kind) as caught:
        open_()
    shown = "".join(traceback.format_exception(caught.value))
    assert PIN not in shown
    return str(caught.value)


def holds(signature: bytes, private: Any) -> Algorithm:  # noqa: ANN401
    algorithm, check = check_with(load_der_public_key(public(private)))
    check(signature, MESSAGE)
    return algorithm


def test_a_p256_signature_is_in_der(bench: Bench) -> None:
    key = bench.opened()

    # Enough of them that r or s is short in some.
    for _ in range(600):
        signature = key.sign(MESSAGE)
        assert holds(signature, P256) is Algorithm.ECDSA_P256_SHA256


def test_an_ed25519_signature_is_as_it_comes(bench: Bench) -> None:
    bench.key.private = ED25519

    signed = bench.opened(private=ED25519).signing_key

    assert holds(signed.sign(MESSAGE), ED25519) is signed.algorithm
    assert signed.public_key == public(ED25519)


def test_one_login_serves_all_keys_of_a_token(bench: Bench) -> None:
    bench.token.keys.append(FakeKey(ED25519, LABEL="e", ID=b"\x02"))
    one = bench.opened()
    two = bench.opened("pkcs11:token=seal;id=%02", private=ED25519)

    for _ in range(2):
        holds(one.sign(MESSAGE), P256)
        holds(two.sign(MESSAGE), ED25519)

    assert bench.token.pins == [PIN]
    assert bench.module.begun == 1


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("pkcs11:token=other;object=k", "the token is not there"),
        ("pkcs11:serial=2;object=k", "the token is not there"),
        ("pkcs11:model=v2;object=k", "the token is not there"),
        ("pkcs11:manufacturer=x;object=k", "the token is not there"),
        ("pkcs11:slot-id=7;object=k", "the token is not there"),
        ("pkcs11:slot-description=x;object=k", "the token is not there"),
        ("pkcs11:slot-manufacturer=x;object=k", "the token is not there"),
        ("pkcs11:library-description=x;object=k", "calls itself otherwise"),
        ("pkcs11:library-manufacturer=x;object=k", "calls itself otherwise"),
        ("pkcs11:token=seal;object=none", "no such private key"),
        ("pkcs11:token=seal;object=k;id=%02", "no such private key"),
    ],
)
def test_what_is_not_there_is_told_apart(bench: Bench, path: str, says: str) -> None:
    assert says in refusal(bench.opened(path).open)


@pytest.mark.parametrize(
    "path",
    [
        "pkcs11:",
        "pkcs11:id=%01",
        (
            "pkcs11:token=seal;serial=1;model=v1;manufacturer=maker;slot-id=0;"
            "slot-description=slot;slot-manufacturer=slot%20maker;object=k;"
            "library-description=library;library-manufacturer=library%20maker"
        ),
    ],
)
def test_what_fits_is_opened(bench: Bench, path: str) -> None:
    bench.opened(path).open()


@pytest.mark.parametrize(
    "fault", [pkcs11.TokenNotPresent(), pkcs11.TokenNotRecognised()]
)
def test_an_empty_slot_is_no_token(bench: Bench, fault: Exception) -> None:
    bench.module.slots[0].fails = fault

    assert "the token is not there" in refusal(bench.opened().open)


def test_a_token_that_is_not_initialised_is_none(bench: Bench) -> None:
    bench.token.flags = TokenFlag.LOGIN_REQUIRED

    assert "the token is not there" in refusal(bench.opened().open)


def test_two_tokens_that_fit_are_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = FakeToken([bench.key], serial=b"2")
    monkeypatch.setattr(pkcs11, "lib", FakeModule(bench.token, twin).library)

    assert "2 tokens fit; add serial=" in refusal(bench.opened().open)
    bench.opened("pkcs11:serial=2").open()
    assert (bench.token.pins, twin.pins) == ([], [PIN])


def test_two_keys_that_fit_are_refused(bench: Bench) -> None:
    bench.token.keys.append(FakeKey(P256, LABEL="k", ID=b"\x02"))

    assert "2 private keys fit; add id=" in refusal(bench.opened().open)
    bench.opened("pkcs11:object=k;id=%02").open()


def test_another_certificates_key_is_refused(bench: Bench) -> None:
    other = ec.generate_private_key(ec.SECP256R1())

    said = refusal(bench.opened(private=other).open)

    assert "the certificate is for another key" in said


@pytest.mark.parametrize(
    "private",
    [
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
    ],
)
def test_a_certificate_of_another_kind_is_refused(
    bench: Bench,
    private: Any,  # noqa: ANN401
) -> None:
    said = refusal(lambda: bench.opened(private=private))

    assert "P-256 or Ed25519" in said
    assert bench.token.pins == []


@pytest.mark.parametrize(
    ("private", "missing"), [(P256, Mechanism.ECDSA), (ED25519, Mechanism.EDDSA)]
)
def test_a_missing_mechanism_is_named(
    bench: Bench,
    private: Any,  # noqa: ANN401
    missing: Mechanism,
) -> None:
    bench.module.slots[0].mechanisms.remove(missing)

    said = refusal(bench.opened(private=private).open)

    assert f"no mechanism CKM_{missing.name}" in said


def test_a_key_that_may_not_sign_is_refused(bench: Bench) -> None:
    bench.key.attributes[pkcs11.Attribute.SIGN] = False

    assert "not for signatures" in refusal(bench.opened().open)


def test_a_token_that_refuses_to_sign_is_named_by_the_error(bench: Bench) -> None:
    bench.key.fails = [
        pkcs11.FunctionRejected(PIN),
        pkcs11.PKCS11Error("Unmapped error code 0x68"),
        pkcs11.PKCS11Error(f"Unmapped error code 0x68 {PIN}"),
    ]

    assert "does not sign: FunctionRejected" in refusal(bench.opened().open)
    assert "does not sign: Unmapped error code 0x68" in refusal(bench.opened().open)
    assert "does not sign: PKCS11Error" in refusal(bench.opened().open)


@pytest.mark.parametrize(
    "fault",
    [pkcs11.PinIncorrect(), pkcs11.PinInvalid(), pkcs11.PinLenRange()],
)
@pytest.mark.refusal("SEAL_KEY_UNAVAILABLE")
def test_a_wrong_pin_is_entered_once_for_ever(
    bench: Bench, fault: BaseException
) -> None:
    bench.token.login_fails = fault
    key = bench.opened()

    for _ in range(5):
        said = refusal(lambda: key.sign(MESSAGE), SealKeyUnavailable)
        assert "the PIN is wrong; it is not tried again" in said
        bench.now_s += 10 * APART_S

    assert bench.token.pins == [PIN]


def test_a_failed_login_leaves_no_session_behind(bench: Bench) -> None:
    bench.token.pin = "another"

    refusal(bench.opened().open, PinRefused)

    assert (bench.module.begun, bench.module.ended) == (1, 1)


def test_one_process_at_a_time_enters_a_pin(bench: Bench) -> None:
    key = bench.opened()
    with bench.path.open("rb") as other, ThreadPoolExecutor(1) as pool:
        fcntl.flock(other, fcntl.LOCK_EX)
        opening = pool.submit(key.open)
        with pytest.raises(TimeoutError):
            opening.result(timeout=0.3)
        assert bench.token.pins == []
        # What the other one did is seen before anything is entered.
        bench.token.flags |= TokenFlag.USER_PIN_COUNT_LOW
        fcntl.flock(other, fcntl.LOCK_UN)
        with pytest.raises(PinRefused, match="a wrong PIN was entered"):
            opening.result(timeout=30)

    assert bench.token.pins == []


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (pkcs11.PinLocked(), "the token is locked"),
        (pkcs11.PinExpired(), "the PIN has expired"),
    ],
)
def test_a_pin_that_is_not_taken_is_not_tried_again(
    bench: Bench, fault: BaseException, says: str
) -> None:
    bench.token.login_fails = fault
    key = bench.opened()

    for _ in range(3):
        assert says in refusal(lambda: key.sign(MESSAGE), SealKeyUnavailable)
        bench.now_s += 10 * APART_S

    assert len(bench.token.pins) == 1


def test_a_token_that_was_not_made_ready_may_be_by_now(bench: Bench) -> None:
    bench.token.login_fails = pkcs11.UserPinNotInitialized()
    key = bench.opened()
    said = refusal(lambda: key.sign(MESSAGE), SealKeyUnavailable)
    assert "does not answer: UserPinNotInitialized" in said

    # No try was counted: no PIN was compared.
    bench.token.login_fails = None
    bench.now_s += APART_S
    holds(key.sign(MESSAGE), P256)


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        (TokenFlag.USER_PIN_COUNT_LOW, "a wrong PIN was entered at the token before"),
        (TokenFlag.USER_PIN_FINAL_TRY, "a wrong PIN was entered at the token before"),
        (TokenFlag.USER_PIN_LOCKED, "the token is locked"),
    ],
)
def test_no_pin_is_entered_where_it_could_be_the_last(
    bench: Bench, flag: TokenFlag, says: str
) -> None:
    bench.token.flags |= flag

    assert says in refusal(bench.opened().open, PinRefused)
    assert bench.token.pins == []


def test_a_token_that_asks_for_a_pin_gets_none_by_chance(bench: Bench) -> None:
    said = refusal(bench.opened(pin=None).open, PinRefused)

    assert "let `passphrase` say where it is" in said


def test_a_pin_that_is_no_text_is_refused(bench: Bench) -> None:
    assert "not UTF-8" in refusal(bench.opened(pin=b"\xff").open, PinRefused)


def test_a_pad_of_the_token_asks_for_the_pin(bench: Bench) -> None:
    bench.token.flags |= TokenFlag.PROTECTED_AUTHENTICATION_PATH
    bench.token.pin = pkcs11.types.PROTECTED_AUTH

    bench.opened(pin=None).open()

    assert bench.token.pins == [pkcs11.types.PROTECTED_AUTH]


def test_a_token_without_login_gets_no_pin(bench: Bench) -> None:
    bench.token.flags = TokenFlag.TOKEN_INITIALIZED

    bench.opened().open()

    assert bench.token.pins == []


def test_somebody_else_of_this_process_may_have_logged_in(bench: Bench) -> None:
    bench.token.login_fails = pkcs11.UserAlreadyLoggedIn()

    holds(bench.opened().sign(MESSAGE), P256)


def test_a_key_that_asks_each_time_gets_the_pin_each_time(bench: Bench) -> None:
    bench.key.attributes[pkcs11.Attribute.ALWAYS_AUTHENTICATE] = True
    key = bench.opened()

    holds(key.sign(MESSAGE), P256)
    assert bench.key.pins == [PIN, PIN]  # the probe, and the signature

    bench.key.fails = [pkcs11.PinIncorrect()]
    for _ in range(3):
        refusal(lambda: key.sign(MESSAGE), SealKeyUnavailable)
        bench.now_s += 10 * APART_S
    assert len(bench.key.pins) == 3
    assert bench.token.pins == [PIN]


def test_a_key_that_says_nothing_about_itself_is_used(bench: Bench) -> None:
    del bench.key.attributes[pkcs11.Attribute.SIGN]
    del bench.key.attributes[pkcs11.Attribute.ALWAYS_AUTHENTICATE]

    bench.opened().open()
    assert bench.key.pins == [None]


@pytest.mark.parametrize(
    "fault", [pkcs11.SessionHandleInvalid(), pkcs11.DeviceRemoved()]
)
def test_a_session_that_broke_is_opened_anew_at_once(
    bench: Bench, fault: BaseException
) -> None:
    key = bench.opened()
    key.sign(MESSAGE)
    bench.key.fails = [fault]

    holds(key.sign(MESSAGE), P256)

    assert bench.token.pins == [PIN, PIN]
    assert (bench.module.begun, bench.module.ended) == (2, 1)


@pytest.mark.refusal("SEAL_KEY_UNAVAILABLE")
def test_a_token_that_is_away_is_looked_for_now_and_then(bench: Bench) -> None:
    key = bench.opened()
    key.sign(MESSAGE)
    bench.key.fails = [pkcs11.DeviceRemoved()]
    slots, bench.module.slots = bench.module.slots, []

    for _ in range(3):
        said = refusal(lambda: key.sign(MESSAGE), SealKeyUnavailable)
        assert "the token is not there" in said
    assert bench.module.begun == 2

    bench.module.slots = slots
    bench.now_s += APART_S - 0.1
    refusal(lambda: key.sign(MESSAGE), SealKeyUnavailable)
    assert bench.module.begun == 2

    bench.now_s += 0.2
    holds(key.sign(MESSAGE), P256)
    assert bench.module.begun == 3


def test_a_token_that_came_later_is_found(bench: Bench) -> None:
    one = bench.opened()
    one.sign(MESSAGE)
    card = FakeToken([FakeKey(ED25519, LABEL="k")], label="card")
    card.slot = FakeSlot(1, card)
    bench.module.slots.append(card.slot)

    holds(
        bench.opened("pkcs11:token=card", private=ED25519).sign(MESSAGE),
        ED25519,
    )
    holds(one.sign(MESSAGE), P256)
    assert bench.module.begun == 2

    # It is looked for once, not again and again.
    assert "not there" in refusal(bench.opened("pkcs11:token=none").open)
    assert bench.module.begun == 3


def test_another_token_with_the_same_names_is_refused(bench: Bench) -> None:
    key = bench.opened()
    key.sign(MESSAGE)
    bench.key.fails = [pkcs11.DeviceRemoved()]
    bench.token.keys[:] = [FakeKey(ec.generate_private_key(ec.SECP256R1()), LABEL="k")]

    said = refusal(lambda: key.sign(MESSAGE), SealKeyUnavailable)

    assert "the certificate is for another key" in said


def test_no_key_is_used_by_a_number_from_before(bench: Bench) -> None:
    bench.token.keys.append(FakeKey(ED25519, LABEL="e"))
    one, two = bench.opened(), bench.opened("pkcs11:object=e", private=ED25519)
    one.sign(MESSAGE)
    two.sign(MESSAGE)
    stale = bench.token.keys[1]
    bench.token.keys[1] = FakeKey(ED25519, LABEL="e")
    # One notices that the token was away, and begins the module anew.
    bench.key.fails = [pkcs11.DeviceRemoved()]
    one.sign(MESSAGE)
    used = len(stale.pins)

    holds(two.sign(MESSAGE), ED25519)

    assert len(stale.pins) == used


def test_a_module_that_answers_nothing_is_named_by_the_error(bench: Bench) -> None:
    bench.module.slots[0].fails = pkcs11.GeneralError(PIN)

    assert "does not answer: GeneralError" in refusal(bench.opened().open)


def test_a_module_that_is_missing_or_none_is_refused(bench: Bench) -> None:
    bench.module.fails = pkcs11.PKCS11Error(f"cannot load {PIN}")
    assert "not a PKCS#11 module" in refusal(bench.opened().open)

    bench.path.chmod(0o666)
    assert "others can change it" in refusal(bench.opened().open)

    bench.path.unlink()
    assert "cannot be found" in refusal(bench.opened().open)
    bench.path.mkdir()
    assert "no file" in refusal(bench.opened().open)


def test_sessions_do_not_cross_a_fork(bench: Bench) -> None:
    key = bench.opened()
    key.sign(MESSAGE)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            key.sign(MESSAGE)
            said = "signed"
        except SealKeyUnavailable as refused:
            said = str(refused)
        os.write(writing, f"{said}|{bench.module.ended}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        said, ended = answer.read().split("|")

    assert "sessions do not cross a fork" in said
    assert ended == "0"
    holds(key.sign(MESSAGE), P256)
    assert bench.token.pins == [PIN]


def test_a_key_in_a_token_does_not_travel(bench: Bench) -> None:
    with pytest.raises(TypeError, match="opened by the process that signs"):
        pickle.dumps(bench.opened())
    with pytest.raises(TypeError, match="opened by the process that signs"):
        pickle.dumps(bench.opened().signing_key)


def test_what_a_worker_is_handed_opens_by_itself(bench: Bench, tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.write_text(f"{PIN}\n")
    pin.chmod(0o600)
    for reference in (
        KeyReference(bench.uri(), f"file:{pin}"),
        KeyReference(f"{bench.uri()}&pin-source=file:{pin}", "none"),
        KeyReference(f"{bench.uri()}&pin-source=file:{pin}", ""),
    ):
        material = load_key_material(reference)
        handed: KeyMaterial = pickle.loads(pickle.dumps(material))  # noqa: S301 -- ours

        assert PIN not in repr(handed)
        holds(handed.signing_key(public(P256)).sign(MESSAGE), P256)


def test_the_place_of_the_pin_is_said_once(bench: Bench, tmp_path: Path) -> None:
    said = refusal(
        lambda: load_key_material(
            KeyReference(f"{bench.uri()}&pin-source=file:/a", "file:/b")
        )
    )

    assert "said twice" in said


@pytest.mark.parametrize("source", ["|/bin/cat", "/etc/pin", "file:pin", PIN])
def test_a_pin_comes_only_from_where_secrets_come(bench: Bench, source: str) -> None:
    refusal(
        lambda: load_key_material(
            KeyReference(f"{bench.uri()}&pin-source={source}", "none")
        )
    )


def test_a_check_leaves_nothing_open(bench: Bench) -> None:
    material = KeyMaterial(token=parse_token_uri(bench.uri()), pin=PIN.encode())

    material.check(public(P256))
    assert (bench.module.begun, bench.module.ended) == (1, 1)
    refusal(lambda: material.check(public(ED25519)))
    assert (bench.module.begun, bench.module.ended) == (2, 2)


def test_without_the_package_the_extra_is_named(bench: Bench) -> None:
    program = """
import sys
sys.modules["pkcs11"] = None
from counterfoil.seal.key_material import KeyMaterial
from counterfoil.seal.secret import KeyRefused
from counterfoil.seal.token_uri import parse_token_uri
uri = parse_token_uri("pkcs11:token=a?module-path=/a")
for use in (KeyMaterial.check, KeyMaterial.signing_key, KeyMaterial.opened):
    try:
        use(KeyMaterial(token=uri), b"")
    except KeyRefused as refused:
        assert "install counterfoil[pkcs11]" in str(refused), refused
    else:
        raise SystemExit("not refused")
"""
    subprocess.run([sys.executable, "-c", program], check=True)
