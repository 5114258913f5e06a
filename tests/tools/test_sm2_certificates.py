"""Certificates and lists of SM2: the national root's, openssl's, ours, wrong ones."""

import json
import subprocess
from base64 import b64decode
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from counterfoil.devca.certificates import (
    Authority,
    make_authority,
    make_certificate,
    make_crl,
    make_key,
    make_root,
    urn,
)
from counterfoil.devca.signing import key_identifier, sign_certificate, stand_in
from counterfoil.domain.party import Use
from counterfoil.domain.seals import Algorithm
from counterfoil.seal import sm2_chains
from counterfoil.seal.certificates import (
    CertificateRefused,
    RevocationUnknown,
    load_certificate,
)
from counterfoil.seal.chains import Chain, build_chain
from counterfoil.seal.policies import DEPTH_MAX
from counterfoil.seal.sm2_chains import CHECKS_MAX
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.trust_material import TrustAnchor, TrustMaterial
from counterfoil.seal.verify import verify_seals
from counterfoil.sm2.der import BIT_STRING, INTEGER, SEQUENCE, element, elements, inside
from counterfoil.sm2.keys import SIGNER_ID, Sm2PrivateKey, Sm2PublicKey
from counterfoil.sm2.signed import check_signed, has_sm2_key, sm2_key_of, spki_of
from tests.unit.seal.makers import (
    CURRENT,
    DAY,
    IN_FORCE,
    NOW,
    NOW_US,
    PARTY,
    Pki,
    Signers,
    court_of,
    der,
)

pytestmark = pytest.mark.tools

Program: TypeAlias = Callable[[str], Path]

PUBLISHED: Final[dict[str, str]] = json.loads(
    (Path(__file__).parents[1] / "vectors/sm2.json").read_text("utf-8")
)["certificates"]
ALGORITHM: Final = bytes.fromhex("300a06082a811ccf55018375")
WITH_NULL: Final = bytes.fromhex("300c06082a811ccf550183750500")
SERIAL, INNER_ALGORITHM, SUBJECT, EXTENSIONS = 1, 2, 5, 7
"""Places in a certificate of version 3."""
PERSON: Final = frozenset({Use.PERSON})


@pytest.fixture(autouse=True)
def _needs_libcrypto(program: Program) -> None:
    program("libcrypto")


@pytest.fixture(scope="module")
def pki(program: Program) -> Pki:
    program("libcrypto")
    return Pki.new(algorithm="sm2")


def published(name: str) -> x509.Certificate:
    return x509.load_der_x509_certificate(b64decode(PUBLISHED[name]))


def sm2(key: object) -> Sm2PrivateKey:
    assert isinstance(key, Sm2PrivateKey)
    return key


def leaf(authority: Authority, name: str = "li") -> x509.Certificate:
    key = make_key("sm2").public_key()
    return make_certificate(authority, key, urn(PARTY, "person", name), IN_FORCE)


def chain_of(
    certificate: x509.Certificate,
    authorities: Iterable[Authority | x509.Certificate],
    *roots: Authority,
) -> Chain:
    return build_chain(
        certificate,
        [one.certificate if isinstance(one, Authority) else one for one in authorities],
        [root.certificate for root in roots],
        use=Use.PERSON,
        is_listed=False,
        at_us=NOW_US,
    )


def holds(
    certificate: x509.Certificate,
    authorities: Iterable[Authority | x509.Certificate],
    *roots: Authority,
) -> bool:
    try:
        chain_of(certificate, authorities, *roots)
    except CertificateRefused:
        return False
    return True


def rewritten(
    certificate: x509.Certificate,
    signer: Sm2PrivateKey,
    parts: dict[int, bytes],
    *,
    algorithm: bytes = ALGORITHM,
) -> x509.Certificate:
    """Return a certificate with other parts, honestly signed again."""
    old = elements(inside(certificate.tbs_certificate_bytes))
    new = [parts.get(place, part.encoded) for place, part in enumerate(old)]
    statement = element(SEQUENCE, b"".join(new))
    signature = element(BIT_STRING, b"\0" + signer.sign(statement))
    return x509.load_der_x509_certificate(
        element(SEQUENCE, statement + algorithm + signature)
    )


# --- published -------------------------------------------------------------------


def test_the_national_root_and_an_authority_under_it_are_signed() -> None:
    root, authority = published("root"), published("authority")

    check_signed(root, sm2_key_of(root))
    check_signed(authority, sm2_key_of(root))

    with pytest.raises(InvalidSignature):
        check_signed(root, sm2_key_of(authority))


def test_the_national_root_is_one_that_a_path_may_end_in(
    monkeypatch: pytest.MonkeyPatch, pki: Pki
) -> None:
    """It does not mark its basic constraints critical; the authority below does."""
    person = leaf(pki.authority)
    now = datetime(2026, 6, 1, 8, tzinfo=UTC)
    # Nobody here has the authority's key, so its signature on ours is taken as given.
    named = rewritten(
        person,
        sm2(pki.root.key),
        {3: elements(inside(published("authority").tbs_certificate_bytes))[5].encoded},
    )
    checked = []

    def check(signed: x509.Certificate, key: Sm2PublicKey) -> None:
        checked.append(signed)
        if signed != named:
            check_signed(signed, key)

    monkeypatch.setattr(sm2_chains, "check_signed", check)

    path = sm2_chains.sm2_path(
        named,
        [published("authority")],
        [published("root")],
        use=Use.PERSON,
        is_listed=False,
        at=now,
    )

    assert path == [named, published("authority"), published("root")]
    assert checked == [named, published("authority")]


# --- the openssl command ---------------------------------------------------------


def run(directory: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=directory, capture_output=True, text=True, check=False, timeout=60
    )


DISTID: Final = f"distid:{SIGNER_ID.decode()}"


def test_the_openssl_command_verifies_our_certificates(
    pki: Pki, tmp_path: Path, program: Program
) -> None:
    """Each by its issuer alone: it takes the signer's name for one certificate only."""
    person = leaf(pki.authority)
    for name, one in (
        ("root", pki.root.certificate),
        ("authority", pki.authority.certificate),
        ("person", person),
        ("foreign", Pki.new(algorithm="sm2").authority.certificate),
    ):
        (tmp_path / f"{name}.pem").write_bytes(one.public_bytes(Encoding.PEM))

    def verify(issuer: str, name: str) -> bool:
        done = run(
            tmp_path,
            *(program("openssl"), "verify", "-vfyopt", DISTID, "-partial_chain"),
            *("-attime", str(NOW_US // 1_000_000), "-trusted", f"{issuer}.pem"),
            f"{name}.pem",
        )
        return done.returncode == 0

    assert verify("authority", "person")
    assert verify("root", "authority")
    assert not verify("foreign", "person")
    assert not verify("root", "person")


def test_we_take_the_openssl_command_s_certificates(
    tmp_path: Path, program: Program
) -> None:
    openssl = program("openssl")
    (tmp_path / "extensions").write_text(
        "basicConstraints = critical, CA:FALSE\n"
        "keyUsage = critical, digitalSignature\n"
        f"subjectAltName = URI:{urn(PARTY, 'person', 'li')}\n"
        "extendedKeyUsage = 1.3.6.1.5.5.7.3.36\n"
    )
    distid = f"-sigopt {DISTID}"
    usage = "-addext keyUsage=critical,keyCertSign,cRLSign -days 9 -out root.pem"
    issue = f"x509 -req -in leaf.csr -vfyopt {DISTID} -sm3 -days 9 -CA root.pem"
    issue += " -CAkey root.key -extfile extensions"
    for command in (
        "genpkey -algorithm SM2 -out root.key",
        "genpkey -algorithm SM2 -out leaf.key",
        f"req -x509 -new -key root.key -sm3 {distid} -subj /CN=root {usage}",
        f"req -new -key leaf.key -sm3 {distid} -subj /CN=li -out leaf.csr",
        f"{issue} {distid} -out leaf.pem",
        f"{issue} -sigopt distid:other -out other.pem",
    ):
        done = run(tmp_path, openssl, *command.split())
        assert done.returncode == 0, done.stderr
    root, ours, other = (
        x509.load_pem_x509_certificate((tmp_path / f"{name}.pem").read_bytes())
        for name in ("root", "leaf", "other")
    )
    now_us = int((datetime.now(UTC) + timedelta(minutes=1)).timestamp()) * 1_000_000

    def path(certificate: x509.Certificate) -> Chain:
        return build_chain(
            certificate, [], [root], use=Use.PERSON, is_listed=False, at_us=now_us
        )

    assert path(ours).certificates == (ours, root)
    with pytest.raises(CertificateRefused):
        path(other)


def test_the_openssl_command_verifies_our_revocation_lists(
    pki: Pki, tmp_path: Path, program: Program
) -> None:
    """It takes no signer's name for a list, so the list is taken apart for it."""
    openssl, crl = program("openssl"), make_crl(pki.authority, CURRENT, {7: NOW})
    (tmp_path / "crl").write_bytes(der(crl))
    (tmp_path / "key").write_bytes(
        sm2(pki.authority.key)
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    shown = run(tmp_path, openssl, "asn1parse", "-inform", "DER", "-in", "crl").stdout
    lines = shown.splitlines()
    for name, line in (("tbs", lines[1]), ("signature", lines[-1])):
        place = line.split(":")[0].strip()
        run(
            tmp_path,
            *(openssl, "asn1parse", "-inform", "DER", "-in", "crl"),
            *("-strparse", place, "-noout", "-out", name),
        )
    assert (tmp_path / "tbs").read_bytes() == crl.tbs_certlist_bytes

    done = run(
        tmp_path,
        *(openssl, "dgst", "-sm3", "-verify", "key", "-sigopt", DISTID),
        *("-signature", "signature", "tbs"),
    )

    assert done.stdout == "Verified OK\n"


# --- what is signed --------------------------------------------------------------


def test_both_ways_to_write_the_algorithm_are_taken(pki: Pki) -> None:
    person, key = leaf(pki.authority), sm2(pki.authority.key)

    national = rewritten(person, key, {INNER_ALGORITHM: WITH_NULL}, algorithm=WITH_NULL)

    assert holds(national, [pki.authority], pki.root)
    for inside_, outside in ((WITH_NULL, ALGORITHM), (ALGORITHM, WITH_NULL)):
        mixed = rewritten(person, key, {INNER_ALGORITHM: inside_}, algorithm=outside)
        assert not holds(mixed, [pki.authority], pki.root)


@pytest.mark.parametrize(
    "parameters", ["0201 00", "3000", "040120", "06082a811ccf5501822d"]
)
def test_no_other_parameter_stands_with_the_algorithm(
    pki: Pki, parameters: str
) -> None:
    other = element(
        SEQUENCE, bytes.fromhex("06082a811ccf55018375") + bytes.fromhex(parameters)
    )
    person = rewritten(
        leaf(pki.authority),
        sm2(pki.authority.key),
        {INNER_ALGORITHM: other},
        algorithm=other,
    )

    assert not holds(person, [pki.authority], pki.root)


def test_a_signature_in_another_signer_s_name_does_not_hold(pki: Pki) -> None:
    person, key = leaf(pki.authority), sm2(pki.authority.key)
    statement = person.tbs_certificate_bytes
    signature = element(BIT_STRING, b"\0" + key.sign(statement, b"somebody"))
    other = x509.load_der_x509_certificate(
        element(SEQUENCE, statement + ALGORITHM + signature)
    )

    assert holds(person, [pki.authority], pki.root)
    assert not holds(other, [pki.authority], pki.root)


def test_no_byte_of_a_certificate_can_change(pki: Pki) -> None:
    person = leaf(pki.authority)
    encoded = der(person)
    for place in range(4, len(encoded), 7):
        changed = bytearray(encoded)
        changed[place] ^= 1
        try:
            other = load_certificate(bytes(changed))
        except CertificateRefused:
            continue
        assert not holds(other, [pki.authority], pki.root)


# --- one algorithm in a path -----------------------------------------------------


@pytest.fixture(scope="module")
def p256() -> Pki:
    return Pki.new("p256")


def test_an_sm2_key_under_a_p256_authority_is_refused(pki: Pki, p256: Pki) -> None:
    key = make_key("sm2").public_key()
    with pytest.raises(ValueError, match="certified by an authority of SM2"):
        make_certificate(p256.authority, key, urn(PARTY, "person", "li"), IN_FORCE)
    # An authority that is less careful than ours issues one all the same.
    honest = make_certificate(
        p256.authority, make_key().public_key(), urn(PARTY, "person", "li"), IN_FORCE
    )
    spki = spki_of(leaf(pki.authority))
    statement = honest.tbs_certificate_bytes.replace(spki_of(honest), spki)
    signature = p256.authority.key.sign(statement, ECDSA(SHA256()))  # type: ignore[arg-type]
    _, algorithm, _ = elements(inside(der(honest)))
    person = x509.load_der_x509_certificate(
        element(
            SEQUENCE,
            statement + algorithm.encoded + element(BIT_STRING, b"\0" + signature),
        )
    )

    assert has_sm2_key(person)
    assert holds(honest, [p256.authority], p256.root)
    assert not holds(person, [p256.authority, pki.authority], p256.root, pki.root)


def test_a_p256_key_under_an_sm2_authority_is_refused(pki: Pki) -> None:
    person = make_certificate(
        pki.authority, make_key().public_key(), urn(PARTY, "person", "li"), IN_FORCE
    )

    assert not holds(person, [pki.authority], pki.root)


def test_an_sm2_authority_under_a_p256_root_is_refused(pki: Pki, p256: Pki) -> None:
    foreign = rewritten(
        pki.authority.certificate,
        sm2(pki.root.key),
        {3: elements(inside(p256.root.certificate.tbs_certificate_bytes))[5].encoded},
    )
    person = leaf(Authority(foreign, pki.authority.key))

    assert not holds(person, [foreign], p256.root, pki.root)


def test_persons_of_p256_and_an_institution_of_sm2_seal_one_document(
    pki: Pki, p256: Pki
) -> None:
    signers = Signers(
        p256,
        p256.sealer("person", "li"),
        p256.sealer("person", "wang"),
        pki.sealer(),
    )
    both = TrustMaterial(
        anchors=(*p256.material().anchors, *pki.material().anchors),
        authorities=(*p256.material().authorities, *pki.material().authorities),
        crls=(*p256.crls, *pki.crls),
    )

    verified = verify_seals(signers.document(), court_of(both, signers.all))

    assert [one.algorithm for one in verified.statements] == [
        Algorithm.ECDSA_P256_SHA256,
        Algorithm.ECDSA_P256_SHA256,
        Algorithm.SM2_SM3,
    ]


def test_a_list_of_another_algorithm_is_no_list(pki: Pki, p256: Pki) -> None:
    named = Authority(pki.authority.certificate, p256.authority.key)
    foreign = make_crl(named, CURRENT, {})
    other_key = Authority(pki.authority.certificate, Sm2PrivateKey.generate())
    person = der(leaf(pki.authority))

    for crl in (foreign, make_crl(other_key, CURRENT, {})):
        store = TrustStore(pki.material(crls=(pki.crls[0], der(crl))))
        with pytest.raises(RevocationUnknown):
            store.vet(person, uses=PERSON, at_us=NOW_US)
    TrustStore(pki.material()).vet(person, uses=PERSON, at_us=NOW_US)


def test_a_list_without_a_version_is_read(pki: Pki) -> None:
    crl = make_crl(pki.authority, CURRENT, {})
    parts = elements(inside(crl.tbs_certlist_bytes))
    assert parts[0].tag == INTEGER
    statement = element(SEQUENCE, b"".join(one.encoded for one in parts[1:5]))
    signature = sm2(pki.authority.key).sign(statement)
    first = x509.load_der_x509_crl(
        element(
            SEQUENCE, statement + ALGORITHM + element(BIT_STRING, b"\0" + signature)
        )
    )

    check_signed(first, sm2_key_of(pki.authority.certificate))


# --- what an authority must be ---------------------------------------------------


def odd_authority(
    issuer: Authority, *extensions: tuple[x509.ExtensionType, bool], name: str = "odd"
) -> Authority:
    """Return an authority that says what `extensions` say and nothing else."""
    key = Sm2PrivateKey.generate()
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string(f"CN={name}"))
        .issuer_name(issuer.certificate.subject)
        .public_key(stand_in(key.public_key()))
        .serial_number(7)
        .not_valid_before(IN_FORCE.start)
        .not_valid_after(IN_FORCE.end)
        .add_extension(key_identifier(key.public_key()), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return Authority(sign_certificate(builder, issuer.key, key.public_key()), key)


CA: Final = x509.BasicConstraints(ca=True, path_length=None)
MAY_SIGN: Final = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
NAMES: Final = x509.NameConstraints(
    permitted_subtrees=[x509.UniformResourceIdentifier("counterfoil")],
    excluded_subtrees=None,
)


@pytest.mark.parametrize(
    ("extensions", "is_good"),
    [
        ([(CA, True), (MAY_SIGN, True)], True),
        ([(CA, True), (MAY_SIGN, False)], True),
        ([(CA, False), (MAY_SIGN, True)], False),
        ([(CA, True)], False),
        ([(MAY_SIGN, True)], False),
        ([(CA, True), (MAY_SIGN, True), (NAMES, True)], False),
        ([(CA, True), (MAY_SIGN, True), (NAMES, False)], False),
    ],
)
def test_an_authority_says_what_it_is(
    pki: Pki,
    extensions: list[tuple[x509.ExtensionType, bool]],
    is_good: bool,  # noqa: FBT001
) -> None:
    odd = odd_authority(pki.root, *extensions)

    assert holds(leaf(odd), [odd], pki.root) is is_good


def test_a_new_key_of_an_authority_does_not_make_the_path_longer(pki: Pki) -> None:
    root = make_root("root", IN_FORCE, "sm2")
    old = make_authority("issuing", root, IN_FORCE, path_length=0)
    renewed = odd_authority(old, (CA, True), (MAY_SIGN, True), name="issuing")
    other = odd_authority(old, (CA, True), (MAY_SIGN, True), name="other")

    assert renewed.certificate.subject == renewed.certificate.issuer
    assert holds(leaf(renewed), [old, renewed], root)
    assert not holds(leaf(other), [old, other], root)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@pytest.mark.parametrize("serial", ["020100", "0201ff", "0215 01" + "00" * 20])
def test_a_serial_number_out_of_bounds_is_refused(pki: Pki, serial: str) -> None:
    person, key = leaf(pki.authority), sm2(pki.authority.key)
    highest = rewritten(person, key, {SERIAL: bytes.fromhex("0214 7f" + "ff" * 19)})

    odd = rewritten(person, key, {SERIAL: bytes.fromhex(serial)})

    assert holds(highest, [pki.authority], pki.root)
    assert not holds(odd, [pki.authority], pki.root)


def test_a_certificate_of_version_1_is_refused(pki: Pki) -> None:
    parts = elements(inside(leaf(pki.authority).tbs_certificate_bytes))
    statement = element(SEQUENCE, b"".join(one.encoded for one in parts[1:7]))
    signature = sm2(pki.authority.key).sign(statement)
    first = x509.load_der_x509_certificate(
        element(
            SEQUENCE, statement + ALGORITHM + element(BIT_STRING, b"\0" + signature)
        )
    )

    assert not has_sm2_key(first)
    assert not holds(first, [pki.authority], pki.root)


def test_a_circle_of_authorities_ends(pki: Pki) -> None:
    root = make_root("root", IN_FORCE, "sm2")
    one = make_authority("one", root, IN_FORCE, path_length=None)
    two = make_authority("two", one, IN_FORCE, path_length=None)
    back = odd_authority(two, (CA, True), (MAY_SIGN, True), name="one")
    spki = spki_of(one.certificate)
    circle = rewritten(back.certificate, sm2(two.key), {6: spki})

    assert holds(leaf(two), [circle, one, two], root)
    assert not holds(leaf(two), [circle, one, two], pki.root)


def test_many_authorities_of_one_name_cost_a_bounded_time(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = pki.authority.certificate.subject
    false = [
        rewritten(
            make_authority(f"{place}", pki.root, IN_FORCE).certificate,
            sm2(pki.root.key),
            {SUBJECT: name.public_bytes()},
        )
        for place in range(CHECKS_MAX + 1)
    ]
    checks = []

    def counting(signed: x509.Certificate, key: Sm2PublicKey) -> None:
        checks.append(signed)
        check_signed(signed, key)

    monkeypatch.setattr(sm2_chains, "check_signed", counting)

    assert holds(leaf(pki.authority), [*false[:5], pki.authority], pki.root)
    checks.clear()
    assert not holds(leaf(pki.authority), [*false, pki.authority], pki.root)
    # At each of the three instants that are tried.
    assert len(checks) <= 3 * CHECKS_MAX


def test_a_path_is_as_long_as_any_other() -> None:
    chain = [make_root("root", IN_FORCE, "sm2")]
    for step in range(DEPTH_MAX):
        chain.append(make_authority(f"{step}", chain[-1], IN_FORCE, path_length=None))

    found = chain_of(leaf(chain[-1]), chain[1:], chain[0])

    assert found.certificates[1:] == tuple(one.certificate for one in reversed(chain))


def test_a_root_that_is_trusted_for_others_gives_no_path(pki: Pki) -> None:
    anchor = TrustAnchor(der(pki.root.certificate), frozenset({"420000-102"}))
    material = replace(pki.material(), anchors=(anchor,))

    with pytest.raises(CertificateRefused, match="no root may speak"):
        TrustStore(material).vet(der(leaf(pki.authority)), uses=PERSON, at_us=NOW_US)


def test_a_path_holds_as_long_as_its_certificates(pki: Pki) -> None:
    person = leaf(pki.authority)
    late = build_chain(
        person,
        [pki.authority.certificate],
        [pki.root.certificate],
        use=Use.PERSON,
        is_listed=False,
        at_us=int(IN_FORCE.end.timestamp() + 30) * 1_000_000,
    )

    assert late.until_us == int(IN_FORCE.end.timestamp() + 60) * 1_000_000
    with pytest.raises(CertificateRefused):
        build_chain(
            person,
            [pki.authority.certificate],
            [pki.root.certificate],
            use=Use.PERSON,
            is_listed=False,
            at_us=int((IN_FORCE.end + DAY).timestamp()) * 1_000_000,
        )
