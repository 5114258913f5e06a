"""SM2 signatures and keys: published, by other libraries, by the openssl command."""

import copy
import json
import pickle
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

import gmalg
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from pysmx import SM2 as smx  # noqa: N811 - a module

from counterfoil.devca.directory import DevelopmentCa
from counterfoil.domain.seals import Algorithm
from counterfoil.office import Person, is_signed_by, plan_of, seal_voucher
from counterfoil.seal.algorithms import check_with
from counterfoil.seal.certificates import public_key_of
from counterfoil.seal.dsse import SEAL_TYPE, encode_for_signing
from counterfoil.seal.head_keys import load_log_keys
from counterfoil.seal.keys import KeyReference, load_signing_key, load_tls_key
from counterfoil.seal.secret import KeyRefused
from counterfoil.sm2.keys import (
    SIGNATURE_BYTES_MAX,
    SIGNER_ID,
    SIGNER_ID_BYTES_MAX,
    SPKI_HEAD,
    Sm2PrivateKey,
    Sm2PublicKey,
)
from counterfoil.sm2.libcrypto import libcrypto
from counterfoil.sm2.loading import load_der_private_key, load_pem_private_key
from counterfoil.wire.seals import parse_statement

pytestmark = pytest.mark.tools

Program: TypeAlias = Callable[[str], Path]

VECTOR: Final[dict[str, str]] = json.loads(
    (Path(__file__).parents[1] / "vectors/sm2.json").read_text("utf-8")
)["signature"]
MESSAGE: Final = "一张支付凭证".encode() + bytes(300)
BYTES: Final = 32
N: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
"""Order of the curve's base point. Source: GB/T 32918.5-2017."""


@pytest.fixture(autouse=True)
def _needs_libcrypto(program: Program) -> None:
    program("libcrypto")


@pytest.fixture
def key() -> Sm2PrivateKey:
    return Sm2PrivateKey.generate()


def number(name: str) -> int:
    return int(VECTOR[name], 16)


def secret_of(key: Sm2PrivateKey) -> bytes:
    """Return the secret number: what stands behind 0x0420 in PKCS#8."""
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    _, _, rest = der.partition(bytes.fromhex("020101") + b"\x04\x20")
    return rest[:BYTES]


def spki_of(key: Sm2PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def halves(signature: bytes) -> tuple[bytes, bytes]:
    r, s = decode_dss_signature(signature)
    return r.to_bytes(BYTES, "big"), s.to_bytes(BYTES, "big")


def joined(r: bytes, s: bytes) -> bytes:
    return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))


def refused(
    key: Sm2PublicKey,
    signature: bytes,
    message: bytes = MESSAGE,
    signer_id: bytes = SIGNER_ID,
) -> bool:
    try:
        key.verify(signature, message, signer_id)
    except InvalidSignature:
        return True
    return False


# --- published -------------------------------------------------------------------


def test_the_published_signature_verifies_in_the_default_signer_s_name() -> None:
    point = bytes.fromhex(VECTOR["x"] + VECTOR["y"])
    key = Sm2PublicKey(SPKI_HEAD + point)
    signature = encode_dss_signature(number("r"), number("s"))
    message = VECTOR["message"].encode()

    key.verify(signature, message)

    assert VECTOR["signer_id"].encode() == SIGNER_ID
    assert key.point == b"\x04" + point
    assert refused(key, signature, message + b" ")
    assert refused(key, signature, message, b"ALICE123@YAHOO.COM")
    assert refused(key, encode_dss_signature(number("s"), number("r")), message)


def test_the_published_private_key_has_the_published_public_key() -> None:
    secret = bytes.fromhex(VECTOR["private_key"])
    key = load_der_private_key(
        bytes.fromhex(
            "3041020100301306072a8648ce3d020106082a811ccf5501822d042730250201010420"
        )
        + secret,
        None,
    )

    assert key.public_key().point[1:] == bytes.fromhex(VECTOR["x"] + VECTOR["y"])
    assert secret_of(key) == secret


# --- other libraries -------------------------------------------------------------


@pytest.mark.parametrize("signer_id", [SIGNER_ID, b"a", "湖北省财政厅".encode()])
def test_other_libraries_verify_what_we_sign(
    key: Sm2PrivateKey, signer_id: bytes
) -> None:
    public, signature = key.public_key(), key.sign(MESSAGE, signer_id)
    r, s = halves(signature)
    gm = gmalg.SM2(uid=signer_id, pk=public.point)

    assert gm.verify(MESSAGE, r, s)
    assert smx.Verify(r + s, MESSAGE, public.point[1:], uid=signer_id)
    assert not gm.verify(MESSAGE + b"x", r, s)
    assert not smx.Verify(r + s, MESSAGE + b"x", public.point[1:], uid=signer_id)


@pytest.mark.parametrize("signer_id", [SIGNER_ID, b"a", "湖北省财政厅".encode()])
def test_we_verify_what_other_libraries_sign(
    key: Sm2PrivateKey, signer_id: bytes
) -> None:
    public, secret = key.public_key(), secret_of(key)
    by_gmalg = joined(*gmalg.SM2(sk=secret, uid=signer_id).sign(MESSAGE))
    # It takes the nonce from the caller; this one is no secret of anybody.
    raw = smx.Sign(MESSAGE, secret, VECTOR["private_key"], 64, uid=signer_id)
    by_smx = joined(raw[:BYTES], raw[BYTES:])

    for signature in (by_gmalg, by_smx):
        public.verify(signature, MESSAGE, signer_id)
        assert refused(public, signature, MESSAGE + b"x", signer_id)
        assert refused(public, signature, MESSAGE, signer_id + b"x")


# --- the openssl command ---------------------------------------------------------


def run(*command: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, capture_output=True, check=False, timeout=60)


def test_the_openssl_command_verifies_what_we_sign(
    key: Sm2PrivateKey, tmp_path: Path, program: Program
) -> None:
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for name, content in (
        ("key", pem),
        ("message", MESSAGE),
        ("other", MESSAGE + b"x"),
        ("signature", key.sign(MESSAGE)),
    ):
        (tmp_path / name).write_bytes(content)

    def verify(message: str, signer: str = SIGNER_ID.decode()) -> int:
        return run(
            *(program("openssl"), "dgst", "-sm3", "-verify", tmp_path / "key"),
            *("-sigopt", f"distid:{signer}", "-signature", tmp_path / "signature"),
            tmp_path / message,
        ).returncode

    assert verify("message") == 0
    assert verify("other") == 1
    assert verify("message", "8765432187654321") == 1


def test_we_verify_what_the_openssl_command_signs(
    tmp_path: Path, program: Program
) -> None:
    openssl, key, message = program("openssl"), tmp_path / "key", tmp_path / "message"
    message.write_bytes(MESSAGE)
    assert run(openssl, "genpkey", "-algorithm", "SM2", "-out", key).returncode == 0

    signed = run(
        *(openssl, "dgst", "-sm3", "-sign", key),
        *("-sigopt", f"distid:{SIGNER_ID.decode()}", message),
    )

    public = load_pem_private_key(key.read_bytes(), None).public_key()
    public.verify(signed.stdout, MESSAGE)
    assert refused(public, signed.stdout, MESSAGE + b"x")


def test_the_openssl_command_reads_our_keys_and_we_read_its(
    key: Sm2PrivateKey, tmp_path: Path, program: Program
) -> None:
    openssl, ours, theirs = program("openssl"), tmp_path / "ours", tmp_path / "theirs"
    ours.write_bytes(
        key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open it")
        )
    )
    wanted = spki_of(key.public_key())

    shown = run(
        *(openssl, "pkey", "-in", ours, "-passin", "pass:open it"),
        *("-pubout", "-outform", "DER"),
    )
    rewritten = run(
        *(openssl, "pkcs8", "-topk8", "-in", ours, "-passin", "pass:open it"),
        *("-passout", "pass:another", "-out", theirs),
    )

    assert shown.stdout == wanted
    assert rewritten.returncode == 0
    again = load_pem_private_key(theirs.read_bytes(), b"another")
    assert spki_of(again.public_key()) == wanted


# --- keys ------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", [Encoding.DER, Encoding.PEM])
@pytest.mark.parametrize("passphrase", [None, b"one", b"with\0zero", bytes(range(256))])
def test_a_key_comes_back_from_pkcs8(
    key: Sm2PrivateKey, encoding: Encoding, passphrase: bytes | None
) -> None:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    load = load_pem_private_key if encoding is Encoding.PEM else load_der_private_key

    written = key.private_bytes(encoding, PrivateFormat.PKCS8, encryption)

    assert load(written, passphrase).public_key() == key.public_key()
    assert (secret_of(key) in written) is (
        passphrase is None and encoding is Encoding.DER
    )
    for wrong in (b"two", b"with", None if passphrase else b"one"):
        with pytest.raises(ValueError, match=r"passphrase"):
            load(written, wrong)


def test_damaged_keys_are_refused(key: Sm2PrivateKey) -> None:
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    foreign = spki_of(Sm2PrivateKey.generate().public_key())
    exchanged = der.replace(key.public_key().point, foreign[-65:])
    assert exchanged != der

    for damaged in (b"", der[:-1], der + b"\0", der[1:], exchanged):
        with pytest.raises(ValueError, match=r"damaged|sound"):
            load_der_private_key(damaged, None)
    for text in (b"", b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"):
        with pytest.raises(ValueError, match=r"not a private key|damaged"):
            load_pem_private_key(text, None)


@pytest.mark.parametrize("secret", [0, N - 1, N, 2**256 - 1])
def test_a_secret_out_of_bounds_is_no_key(secret: int) -> None:
    der = bytes.fromhex(
        "3041020100301306072a8648ce3d020106082a811ccf5501822d042730250201010420"
    ) + secret.to_bytes(BYTES, "big")

    with pytest.raises(ValueError, match=r"damaged|sound"):
        load_der_private_key(der, None)


@pytest.mark.parametrize(
    "spki",
    [
        b"",
        SPKI_HEAD,
        SPKI_HEAD + bytes(64),
        SPKI_HEAD + b"\xff" * 64,
        SPKI_HEAD + bytes.fromhex(VECTOR["x"] * 2),
        SPKI_HEAD + bytes.fromhex(VECTOR["x"] + VECTOR["y"]) + b"\0",
        SPKI_HEAD[:-1] + b"\x02" + bytes.fromhex(VECTOR["x"]),
        SPKI_HEAD.replace(
            bytes.fromhex("2a811ccf5501822d"), bytes.fromhex("2a8648ce3d030107")
        )
        + bytes.fromhex(VECTOR["x"] + VECTOR["y"]),
    ],
    ids=["empty", "none", "zero", "large", "off", "longer", "compressed", "p256"],
)
def test_what_is_no_point_of_the_curve_is_no_key(spki: bytes) -> None:
    with pytest.raises(ValueError, match=r"not an SM2 key|not on the curve"):
        Sm2PublicKey(spki)


def test_keys_are_equal_as_their_points_are(key: Sm2PrivateKey) -> None:
    same = Sm2PublicKey(spki_of(key.public_key()))
    other = Sm2PrivateKey.generate().public_key()

    assert (same, hash(same)) == (key.public_key(), hash(key.public_key()))
    assert same != other
    assert same != spki_of(same)


@pytest.mark.clause("wuhai-4a")
def test_a_private_key_neither_shows_itself_nor_travels(key: Sm2PrivateKey) -> None:
    assert secret_of(key).hex() not in repr(key)
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="does not leave its process"):
            leave(key)


@pytest.mark.parametrize(
    ("encoding", "form"),
    [
        (Encoding.DER, PrivateFormat.TraditionalOpenSSL),
        (Encoding.Raw, PrivateFormat.PKCS8),
    ],
)
def test_keys_are_written_in_one_form(
    key: Sm2PrivateKey, encoding: Encoding, form: PrivateFormat
) -> None:
    with pytest.raises(ValueError, match="is written"):
        key.private_bytes(encoding, form, NoEncryption())
    with pytest.raises(ValueError, match="is written"):
        key.public_key().public_bytes(Encoding.X962, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(ValueError, match="is written"):
        key.public_key().public_bytes(Encoding.DER, PublicFormat.UncompressedPoint)
    with pytest.raises(ValueError, match="in the best way or in none"):
        key.private_bytes(
            Encoding.DER,
            PrivateFormat.PKCS8,
            PrivateFormat.PKCS12.encryption_builder().build(b"x"),
        )


# --- signatures ------------------------------------------------------------------


def test_no_two_signatures_are_alike_and_all_hold(key: Sm2PrivateKey) -> None:
    signatures = [key.sign(MESSAGE) for _ in range(64)]

    firsts = {decode_dss_signature(one)[0] for one in signatures}
    assert len(firsts) == len(signatures)
    for one in signatures:
        key.public_key().verify(one, MESSAGE)
        assert len(one) <= SIGNATURE_BYTES_MAX


@pytest.mark.parametrize("signature", [b"", b"0", bytes(64), bytes(72), b"\x30\x00"])
def test_what_is_no_signature_is_refused_alike(
    key: Sm2PrivateKey, signature: bytes
) -> None:
    assert refused(key.public_key(), signature)


def test_a_signature_is_written_in_one_way(key: Sm2PrivateKey) -> None:
    public, signature = key.public_key(), key.sign(MESSAGE)
    r, s = decode_dss_signature(signature)
    r_padded = b"\x02\x22\0\0" + r.to_bytes(BYTES, "big")
    s_der = signature[signature.index(b"\x02", 4 + signature[3]) :]
    body = r_padded + s_der

    assert refused(public, signature + b"\0")
    assert refused(public, b"\x30\x81" + signature[1:])
    assert refused(public, bytes((0x30, len(body))) + body)
    assert refused(public, b"".join(halves(signature)))
    for wrong in ((r + N, s), (r, s + N), (0, s), (r, 0), (r, N - s)):
        assert refused(public, encode_dss_signature(*wrong))
    assert refused(public, bytes.fromhex("3006020181020101"))


@pytest.mark.parametrize("size", [0, SIGNER_ID_BYTES_MAX + 1])
def test_a_signer_must_have_a_name_of_a_length_that_can_be_said(
    key: Sm2PrivateKey, size: int
) -> None:
    longest = bytes(SIGNER_ID_BYTES_MAX)
    key.public_key().verify(key.sign(MESSAGE, longest), MESSAGE, longest)

    with pytest.raises(ValueError, match="1 to 8190 bytes"):
        key.sign(MESSAGE, bytes(size))
    with pytest.raises(ValueError, match="1 to 8190 bytes"):
        key.public_key().verify(key.sign(MESSAGE), MESSAGE, bytes(size))


def test_threads_may_share_a_key(key: Sm2PrivateKey) -> None:
    def work(place: int) -> None:
        message = b"%d" % place
        signature = key.sign(message)
        key.public_key().verify(signature, message)
        assert refused(key.public_key(), signature, b"other")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(200)))


@pytest.mark.parametrize(
    "fail",
    [
        lambda key: key.public_key().verify(b"\x30\x00", MESSAGE),
        lambda key: key.public_key().verify(key.sign(b"other"), MESSAGE),
        lambda _: load_der_private_key(b"\x30\x00", b"passphrase"),
        lambda key: load_der_private_key(
            key.private_bytes(
                Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
            ),
            b"y",
        ),
        lambda _: Sm2PublicKey(SPKI_HEAD + bytes(64)),
    ],
    ids=["no signature", "another", "no key", "passphrase", "no point"],
)
def test_a_failure_leaves_nothing_behind_for_python_s_own_ssl(
    key: Sm2PrivateKey, fail: Callable[[Sm2PrivateKey], object]
) -> None:
    library = libcrypto()
    library.ERR_clear_error()

    with pytest.raises((InvalidSignature, ValueError)):
        fail(key)

    # They share one library, and its list of what went wrong in this thread.
    assert library.ERR_peek_error() == 0


# --- what it is for --------------------------------------------------------------


def test_a_key_signs_seals_and_neither_connections_nor_heads(
    key: Sm2PrivateKey, tmp_path: Path
) -> None:
    path = tmp_path / "key"
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    reference = KeyReference(f"file:{path}", "none")

    sealing = load_signing_key(reference)

    assert sealing.algorithm is Algorithm.SM2_SM3
    assert sealing.public_key == spki_of(key.public_key())
    key.public_key().verify(sealing.sign(MESSAGE), MESSAGE)
    with pytest.raises(KeyRefused, match="not a key for connections"):
        load_tls_key(reference)
    with pytest.raises(KeyRefused, match="not an Ed25519 key"):
        load_log_keys(reference, reference)


def test_a_person_s_sm2_seal_is_read_and_verified_by_a_gateway(
    key: Sm2PrivateKey, tmp_path: Path
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    ca = DevelopmentCa.create(tmp_path, now=now)
    li, wang = (
        ca.issue("420000-011", "person", name, now=now, algorithm="sm2")
        for name in ("li", "wang")
    )
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem = li.load_key().private_bytes(*plain)
    signer = Person.from_pem(li.chain_file.read_bytes(), pem)

    seal = seal_voucher(b"a voucher", plan_of(5201)[0], signer, stated_time=now)

    statement = parse_statement(seal.statement)
    check = check_with(public_key_of(li.certificate))[1]
    check(seal.signature, encode_for_signing(SEAL_TYPE, seal.statement))
    assert statement.algorithm is Algorithm.SM2_SM3
    signed = encode_for_signing(SEAL_TYPE, seal.statement)
    assert is_signed_by(signer.certificate, signed, seal.signature)
    assert not is_signed_by(signer.certificate, signed + b"x", seal.signature)
    for chain, foreign in (
        (wang.chain_file.read_bytes(), pem),
        (li.chain_file.read_bytes(), key.private_bytes(*plain)),
    ):
        with pytest.raises(ValueError, match="does not belong"):
            Person.from_pem(chain, foreign)
