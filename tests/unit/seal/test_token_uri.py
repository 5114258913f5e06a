"""PKCS#11 URIs: what RFC 7512 allows is read, what we do not act on is refused."""

from __future__ import annotations

import pickle
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.seal.secret import KeyRefused
from counterfoil.seal.token_uri import TokenUri, parse_token_uri

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
TAIL = f"?module-path={MODULE}"
PIN = "73125519"


def refusal(uri: str) -> str:
    with pytest.raises(KeyRefused) as caught:
        parse_token_uri(uri)
    assert PIN not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_every_part_is_read() -> None:
    uri = parse_token_uri(
        "pkcs11:token=The%20Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,"
        "%20Inc.;serial=1dbb;model=v2;slot-id=17;slot-description=a;"
        "slot-manufacturer=b;library-manufacturer=c;library-description=d;"
        f"object=%E7%AB%A0;id=%01%ff;type=private{TAIL}&pin-source=file:/etc/pin"
    )

    assert uri.module == MODULE
    assert uri.texts == {
        "token": "The Software PKCS#11 softtoken",
        "manufacturer": "Snake Oil, Inc.",
        "serial": "1dbb",
        "model": "v2",
        "slot-description": "a",
        "slot-manufacturer": "b",
        "library-manufacturer": "c",
        "library-description": "d",
        "object": "章",
    }
    assert (uri.key_id, uri.slot_id) == (b"\x01\xff", 17)
    assert uri.pin_source == "file:/etc/pin"
    assert "pin-source" not in uri.shown


def test_what_is_not_said_is_not_asked_for() -> None:
    uri = parse_token_uri(f"pkcs11:{TAIL}")

    assert uri == TokenUri(module=MODULE)
    assert uri.fits({"token": "any", "serial": "any"})


def test_what_is_said_must_fit() -> None:
    uri = parse_token_uri(f"pkcs11:token=seal;serial=7{TAIL}")

    assert uri.fits({"token": "seal", "serial": "7", "model": "any"})
    assert not uri.fits({"token": "seal", "serial": "8"})
    assert not uri.fits({"token": "seals"})


def test_an_empty_value_is_something_that_is_said() -> None:
    assert not parse_token_uri(f"pkcs11:token={TAIL}").fits({"token": "seal"})


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("pkcs12:token=a", "one begins with pkcs11:"),
        ("PKCS11:token=a", "one begins with pkcs11:"),
        (f"pkcs11:token{TAIL}", "name=value"),
        (f"pkcs11:=a{TAIL}", "name=value"),
        (f"pkcs11:token=a;{TAIL}", "name=value"),
        (f"pkcs11:;token=a{TAIL}", "name=value"),
        (f"pkcs11:tok%65n=a{TAIL}", "name=value"),
        (f"pkcs11:token=a;token=a{TAIL}", "token stands in it twice"),
        (f"pkcs11:token=a{TAIL}&module-path=/b", "module-path stands in it twice"),
        (f"pkcs11:token=two words{TAIL}", "token holds a character"),
        (f"pkcs11:token=a%2{TAIL}", "token holds a character"),
        (f"pkcs11:token=a/b{TAIL}", "token holds a character"),
        (f"pkcs11:token=章{TAIL}", "token holds a character"),
        (f"pkcs11:token=a#{TAIL}", "token holds a character"),
        (f"pkcs11:token=a%ff{TAIL}", "token is not UTF-8"),
        (f"pkcs11:token=a;type=cert{TAIL}", "does not name a private key"),
        (f"pkcs11:token=a;slot-id=x{TAIL}", "slot-id is a number"),
        (f"pkcs11:token=a;slot-id={TAIL}", "slot-id is a number"),
        (f"pkcs11:token=a;slot-id={'9' * 20}{TAIL}", "slot-id is a number"),
        (f"pkcs11:token=a;x-vendor=b{TAIL}", "not known here: x-vendor"),
        (f"pkcs11:token=a;library-version=2.6{TAIL}", "not known here: library"),
        (f"pkcs11:token=a{TAIL}&x=y", "not known here: x"),
        ("pkcs11:token=a?module-name=softhsm2", "names are not looked up"),
        ("pkcs11:token=a", "has to name the token's module"),
        ("pkcs11:token=a?module-path=softhsm2.so", "has to name the token's module"),
        ("pkcs11:token=a?module-path=/a%00", "has to name the token's module"),
        ("pkcs11:module-path=a", "not known here: module-path"),
    ],
)
def test_another_form_is_refused_with_advice(uri: str, says: str) -> None:
    assert says in refusal(uri)


@pytest.mark.clause("wuhai-4a")
@pytest.mark.parametrize(
    "uri",
    [
        f"pkcs11:token=a{TAIL}&pin-value={PIN}",
        f"pkcs11:token=a?pin-value={PIN}",
        f"pkcs11:token=a;pin-value={PIN}{TAIL}",
        f"pkcs11:token=a{TAIL}&PIN-VALUE={PIN}",
        f"pkcs11:token=a{TAIL}&pin-value={PIN}&pin-value={PIN}",
        f"pkcs11:token=a{TAIL}&{PIN} ",
        f"pkcs11:token={PIN} {TAIL}",
        f"{PIN}",
    ],
)
def test_a_pin_in_a_uri_is_refused_and_not_repeated(uri: str) -> None:
    assert refusal(uri)


def test_a_pin_value_is_told_where_it_belongs() -> None:
    said = refusal(f"pkcs11:token=a{TAIL}&pin-value={PIN}")

    assert "passphrase" in said
    assert "change that PIN" in said


@given(st.text(alphabet=string.printable + "章%;&?=", max_size=60))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        uri = parse_token_uri(f"pkcs11:{text}")
    except KeyRefused:
        return
    assert uri.module.startswith("/")


@given(st.text(max_size=20), st.binary(max_size=10))
def test_percent_encoding_comes_back(label: str, key_id: bytes) -> None:
    encoded = "".join(f"%{byte:02x}" for byte in label.encode(errors="ignore"))
    uri = parse_token_uri(
        f"pkcs11:object={encoded};id={''.join(f'%{byte:02X}' for byte in key_id)}{TAIL}"
    )

    assert uri.texts["object"] == label.encode(errors="ignore").decode()
    assert uri.key_id == key_id


def test_it_travels_to_a_worker() -> None:
    uri = parse_token_uri(f"pkcs11:token=a;id=%01{TAIL}")

    assert pickle.loads(pickle.dumps(uri)) == uri  # noqa: S301 -- our own
