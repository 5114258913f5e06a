"""Certificates: of connections, in paths, and what is remembered of them."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.devca.certificates import (
    Authority,
    AuthorityAlgorithm,
    Validity,
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
from counterfoil.seal import trust
from counterfoil.seal.algorithms import CheckSignature, check_with
from counterfoil.seal.certificates import (
    CertificateRefused,
    CertificateRevoked,
    RevocationUnknown,
    load_pem_chain,
    public_key_bytes,
)
from counterfoil.seal.chains import datetime_of, us_of
from counterfoil.seal.policies import DEPTH_MAX
from counterfoil.seal.revocation import load_crl
from counterfoil.seal.sign import Sealer
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.trust_material import TrustAnchor, TrustMaterial
from counterfoil.sm2.keys import Sm2PrivateKey
from tests.unit.seal.makers import (
    CURRENT,
    DAY,
    HOUR,
    IN_FORCE,
    NOW,
    NOW_US,
    PARTY,
    Pki,
    der,
)

CONNECTIONS: Final = frozenset({Use.GATEWAY, Use.SYSTEM, Use.PERSON})


def tls(pki: Pki, use: str = "gateway", **wrong: object) -> bytes:
    return pki.sealer(use, **wrong).certificate  # type: ignore[arg-type]


@pytest.mark.parametrize("use", ["gateway", "system", "person"])
def test_certificates_of_callers_can_be_relied_on(pki: Pki, use: str) -> None:
    vetted = TrustStore(pki.material()).vet(
        tls(pki, use), uses=CONNECTIONS, at_us=NOW_US
    )

    assert vetted.identity.to_urn() == urn(PARTY, use, "1")


def test_a_gateway_s_certificate_may_name_hosts(pki: Pki) -> None:
    certificate = tls(pki, hosts=["localhost", "127.0.0.1"])

    vetted = TrustStore(pki.material()).vet(certificate, uses=CONNECTIONS, at_us=NOW_US)

    assert vetted.identity.use is Use.GATEWAY
    assert not vetted.may_seal


def test_an_institution_s_key_opens_no_connection(pki: Pki) -> None:
    with pytest.raises(CertificateRefused, match="another use"):
        TrustStore(pki.material()).vet(
            tls(pki, "institution"), uses=CONNECTIONS, at_us=NOW_US
        )


@pytest.mark.parametrize("use", ["gateway", "system"])
def test_connections_need_their_extended_usage(pki: Pki, use: str) -> None:
    for usages in ([], [x509.ObjectIdentifier("1.3.6.1.5.5.7.3.1")]):
        with pytest.raises(CertificateRefused):
            TrustStore(pki.material()).vet(
                tls(pki, use, usages=usages), uses=CONNECTIONS, at_us=NOW_US
            )


def test_a_seal_s_certificate_may_lack_the_extended_usage(pki: Pki) -> None:
    uses = frozenset({Use.INSTITUTION})

    TrustStore(pki.material()).vet(
        tls(pki, "institution", usages=[]), uses=uses, at_us=NOW_US
    )


def test_revoked_and_unknown_callers_are_told_apart(pki: Pki) -> None:
    certificate = tls(pki)
    serial = x509.load_der_x509_certificate(certificate).serial_number
    revoked = replace(pki, revoked={serial: NOW})

    with pytest.raises(CertificateRevoked):
        TrustStore(revoked.material()).vet(certificate, uses=CONNECTIONS, at_us=NOW_US)
    with pytest.raises(RevocationUnknown):
        TrustStore(pki.material(crls=())).vet(
            certificate, uses=CONNECTIONS, at_us=NOW_US
        )


@pytest.mark.parametrize("use", ["gateway", "system", "person", "institution"])
def test_who_is_no_authority_has_no_key_that_signs_certificates(
    pki: Pki, use: str
) -> None:
    uses = CONNECTIONS | {Use.INSTITUTION}

    TrustStore(pki.material()).vet(tls(pki, use), uses=uses, at_us=NOW_US)
    with pytest.raises(CertificateRefused, match="no path"):
        TrustStore(pki.material()).vet(
            tls(pki, use, cert_sign=True), uses=uses, at_us=NOW_US
        )


def test_two_names_are_no_name(pki: Pki) -> None:
    second = x509.SubjectAlternativeName(
        [
            x509.UniformResourceIdentifier(urn(PARTY, "person", "li")),
            x509.UniformResourceIdentifier(urn(PARTY, "person", "wang")),
        ]
    )
    certificate = tls(pki, identity=None, usages=[], extensions=[(second, False)])

    with pytest.raises(CertificateRefused, match="no identity"):
        TrustStore(pki.material()).vet(certificate, uses=CONNECTIONS, at_us=NOW_US)


def test_an_unknown_critical_extension_is_refused(pki: Pki) -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    critical = tls(pki, extensions=[(unknown, True)])
    harmless = tls(pki, extensions=[(unknown, False)])

    TrustStore(pki.material()).vet(harmless, uses=CONNECTIONS, at_us=NOW_US)
    with pytest.raises(CertificateRefused, match="no path"):
        TrustStore(pki.material()).vet(critical, uses=CONNECTIONS, at_us=NOW_US)


def leaf_below(authority: Authority) -> bytes:
    key = make_key(kind_of(authority)).public_key()
    return der(make_certificate(authority, key, urn(PARTY, "person", "li"), IN_FORCE))


def kind_of(authority: Authority) -> AuthorityAlgorithm:
    return "sm2" if isinstance(authority.key, Sm2PrivateKey) else "p256"


def material_of(root: Authority, *authorities: Authority) -> TrustMaterial:
    return TrustMaterial(
        anchors=(TrustAnchor(der(root.certificate)),),
        authorities=tuple(der(one.certificate) for one in authorities),
        crls=tuple(der(make_crl(one, CURRENT, {})) for one in (root, *authorities)),
    )


@pytest.mark.parametrize("depth", [0, 1, DEPTH_MAX])
def test_paths_may_have_some_authorities(kind: AuthorityAlgorithm, depth: int) -> None:
    root = make_root("root", IN_FORCE, kind)
    chain = [root]
    for step in range(depth):
        made = make_authority(f"{step}", chain[-1], IN_FORCE, path_length=None)
        chain.append(made)

    store = TrustStore(material_of(*chain))

    vetted = store.vet(leaf_below(chain[-1]), uses=CONNECTIONS, at_us=NOW_US)

    assert vetted.identity.name == "li"


def test_paths_may_not_have_more(kind: AuthorityAlgorithm) -> None:
    chain = [make_root("root", IN_FORCE, kind)]
    for step in range(DEPTH_MAX + 1):
        made = make_authority(f"{step}", chain[-1], IN_FORCE, path_length=None)
        chain.append(made)

    with pytest.raises(CertificateRefused, match="no path"):
        TrustStore(material_of(*chain)).vet(
            leaf_below(chain[-1]), uses=CONNECTIONS, at_us=NOW_US
        )


def test_an_authority_cannot_make_authorities_beyond_its_length(
    kind: AuthorityAlgorithm,
) -> None:
    root = make_root("root", IN_FORCE, kind)
    issuing = make_authority("issuing", root, IN_FORCE, path_length=0)
    below = make_authority("below", issuing, IN_FORCE)

    with pytest.raises(CertificateRefused, match="no path"):
        TrustStore(material_of(root, issuing, below)).vet(
            leaf_below(below), uses=CONNECTIONS, at_us=NOW_US
        )


def test_whoever_has_a_certificate_is_no_authority_by_that(pki: Pki) -> None:
    key = make_key(pki.algorithm)
    person = make_certificate(
        pki.authority, key.public_key(), urn(PARTY, "person", "li"), IN_FORCE
    )
    fake = Authority(person, key)  # type: ignore[arg-type]
    certificate = leaf_below(fake)

    for authorities in ((), (der(person),)):
        material = pki.material(
            authorities=(*pki.material().authorities, *authorities),
            crls=(*pki.crls, der(make_crl(fake, CURRENT, {}))),
        )
        with pytest.raises(CertificateRefused, match="no path"):
            TrustStore(material).vet(certificate, uses=CONNECTIONS, at_us=NOW_US)


@pytest.mark.parametrize("expired", ["root", "authority"])
def test_authorities_expire_too(kind: AuthorityAlgorithm, expired: str) -> None:
    over = Validity(NOW - DAY, NOW - HOUR)
    root = make_root("root", over if expired == "root" else IN_FORCE, kind)
    issuing = make_authority(
        "issuing", root, over if expired == "authority" else IN_FORCE
    )
    store = TrustStore(material_of(root, issuing))
    certificate = leaf_below(issuing)

    with pytest.raises(CertificateRefused, match="no path"):
        store.vet(certificate, uses=CONNECTIONS, at_us=NOW_US)

    earlier_us = us_of(NOW - 2 * HOUR)
    store.vet(certificate, uses=CONNECTIONS, at_us=earlier_us)
    with pytest.raises(CertificateRefused, match="no path"):
        store.vet(certificate, uses=CONNECTIONS, at_us=NOW_US)


def odd_authority(
    pki: Pki, *, ca: bool = True, cert_sign: bool = True, crl_sign: bool = True
) -> Authority:
    """Return an authority under the root that lacks what authorities must have."""
    key = make_key(pki.algorithm)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string("CN=odd"))
        .issuer_name(pki.root.certificate.subject)
        .public_key(stand_in(key.public_key()))
        .serial_number(7)
        .not_valid_before(IN_FORCE.start)
        .not_valid_after(IN_FORCE.end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(key_identifier(key.public_key()), critical=False)
    )
    certificate = sign_certificate(builder, pki.root.key, key.public_key())
    return Authority(certificate, key)  # type: ignore[arg-type]


def test_an_authority_that_may_not_sign_lists_signs_none(pki: Pki) -> None:
    mute = odd_authority(pki, crl_sign=False)

    with pytest.raises(RevocationUnknown):
        TrustStore(material_of(pki.root, mute)).vet(
            leaf_below(mute), uses=CONNECTIONS, at_us=NOW_US
        )


@pytest.mark.parametrize("lacking", ["ca", "cert_sign"])
def test_an_authority_must_say_so_twice(pki: Pki, lacking: str) -> None:
    odd = odd_authority(pki, **{lacking: False})

    with pytest.raises(CertificateRefused, match="no path"):
        TrustStore(material_of(pki.root, odd)).vet(
            leaf_below(odd), uses=CONNECTIONS, at_us=NOW_US
        )


def test_a_list_of_the_same_key_under_another_name_is_no_list(pki: Pki) -> None:
    renamed = make_certificate(
        pki.root, pki.authority.key.public_key(), None, IN_FORCE, is_ca=True
    )
    other = make_crl(Authority(renamed, pki.authority.key), CURRENT, {})

    with pytest.raises(RevocationUnknown):
        TrustStore(pki.material(crls=(pki.crls[0], der(other)))).vet(
            tls(pki), uses=CONNECTIONS, at_us=NOW_US
        )


@pytest.mark.parametrize(
    "extension",
    [
        x509.DeltaCRLIndicator(1),
        x509.IssuingDistributionPoint(
            full_name=[x509.UniformResourceIdentifier("urn:part")],
            relative_name=None,
            only_contains_user_certs=False,
            only_contains_ca_certs=False,
            only_some_reasons=None,
            indirect_crl=False,
            only_contains_attribute_certs=False,
        ),
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"),
    ],
    ids=["delta", "partition", "unknown"],
)
def test_a_list_of_a_part_is_not_read_as_the_whole(
    pki: Pki, extension: x509.ExtensionType
) -> None:
    part = make_crl(pki.authority, CURRENT, {}, extensions=[(extension, True)])

    with pytest.raises(ValueError, match="only a part"):
        load_crl(der(part))


def test_a_list_signed_in_an_unknown_way_is_no_list(pki: Pki) -> None:
    unknown = pki.crls[1]
    for known, other in (
        ("2a8648ce3d040302", "2a8648ce3d040309"),
        ("2a811ccf55018375", "2a811ccf55018379"),
    ):
        unknown = unknown.replace(bytes.fromhex(known), bytes.fromhex(other))

    with pytest.raises(RevocationUnknown):
        TrustStore(pki.material(crls=(pki.crls[0], unknown))).vet(
            tls(pki), uses=CONNECTIONS, at_us=NOW_US
        )


def der_content(encoded: bytes) -> tuple[bytes, bytes]:
    """Return what is in the first element, and what follows it."""
    first, start = encoded[1], 2
    if first > 127:
        start += first - 128
        first = int.from_bytes(encoded[2:start], "big")
    return encoded[start : start + first], encoded[start + first :]


def der_sequence(content: bytes) -> bytes:
    size = len(content)
    short = b"\x81" if size > 127 else b""
    long = b"\x82" if size > 255 else short
    return b"\x30" + long + size.to_bytes(2 if size > 255 else 1, "big") + content


def test_a_list_that_never_ends_is_refused(pki: Pki) -> None:
    due = b"\x17\x0d" + f"{CURRENT.end:%y%m%d%H%M%S}Z".encode()
    statement, signature = der_content(der_content(pki.crls[1])[0])
    assert due in statement
    endless = der_sequence(der_sequence(statement.replace(due, b"")) + signature)

    with pytest.raises(ValueError, match="when the next one is due"):
        load_crl(endless)


@pytest.mark.parametrize("broken", [b"", b"\x30\x00", b"\xff" * 100])
def test_material_that_cannot_be_read_is_a_mistake_of_ours(
    pki: Pki, broken: bytes
) -> None:
    for wrong in (
        {"anchors": ()},
        {"anchors": (TrustAnchor(broken),)},
        {"authorities": (broken,)},
        {"crls": (broken,)},
    ):
        with pytest.raises(ValueError, match=r".+"):
            TrustStore(pki.material(**wrong))


def test_broken_certificates_in_a_bag_do_no_harm(pki: Pki) -> None:
    bag = {b"a": b"", b"b": b"\x30\x00", b"c": tls(pki)}

    TrustStore(pki.material()).vet(tls(pki), uses=CONNECTIONS, at_us=NOW_US, bag=bag)


def test_what_is_remembered_is_bounded(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "VETTED_MAX", 2)
    monkeypatch.setattr(trust, "ROOTS_MAX", 2)
    store = TrustStore(pki.material())

    for index in range(5):
        store.vet(tls(pki), uses=CONNECTIONS, at_us=NOW_US)
        store.remember_root((b"", index, b"", b""))

    assert len(store._vetted) <= 2
    assert len(store.checked_roots) <= 2


def counted(
    store: TrustStore, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> tuple[CheckSignature, list[bytes]]:
    """Return the check of a certificate, and where it notes what it really checks."""
    checked: list[bytes] = []

    def noting(public_key: object) -> tuple[Algorithm, CheckSignature]:
        algorithm, check = check_with(public_key)

        def note(signature: bytes, message: bytes) -> None:
            checked.append(message)
            check(signature, message)

        return algorithm, note

    monkeypatch.setattr(trust, "check_with", noting)
    bag = {sealer.certificate_digest: sealer.certificate}
    vetted = store.look_up(sealer.certificate_digest, at_us=NOW_US, bag=bag)
    return vetted.check, checked


@pytest.mark.parametrize(("use", "checks"), [("person", 1), ("institution", 3)])
def test_a_persons_signature_is_checked_once_by_a_store(
    pki: Pki, monkeypatch: pytest.MonkeyPatch, use: str, checks: int
) -> None:
    sealer = pki.sealer(use)
    signature = sealer.key.sign(b"statement")
    for _ in range(2):
        # Another store, of other material perhaps, goes by no memory of this one.
        check, checked = counted(TrustStore(pki.material()), sealer, monkeypatch)

        for _ in range(3):
            check(signature, b"statement")

        assert len(checked) == checks


def test_a_signature_that_does_not_hold_never_holds_by_repetition(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, sealer, other = TrustStore(pki.material()), *map(pki.sealer, ["person"] * 2)
    check, checked = counted(store, sealer, monkeypatch)
    others_check, _ = counted(store, other, monkeypatch)
    signature = sealer.key.sign(b"statement")
    check(signature, b"statement")

    for wrong_check, wrong_signature, message in [
        (check, signature, b"other"),
        (check, b"", b"statement"),
        (check, sealer.key.sign(b"other"), b"statement"),
        (others_check, signature, b"statement"),
    ] * 2:
        with pytest.raises(InvalidSignature):
            wrong_check(wrong_signature, message)

    assert len(checked) == 1 + 2 * 3


def test_remembered_signatures_are_bounded(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "SIGNATURES_MAX", 2)
    sealer = pki.sealer("person")
    check, checked = counted(TrustStore(pki.material()), sealer, monkeypatch)
    messages = [b"1", b"2", b"3"]

    for message in messages * 2:
        check(sealer.key.sign(message), message)
    signature = sealer.key.sign(b"4")
    check(signature, b"4")
    check(signature, b"4")

    assert checked == [*messages * 2, b"4"]


def test_a_certificate_is_found_out_about_once(pki: Pki) -> None:
    store = TrustStore(pki.material())
    certificate = tls(pki)

    first = store.vet(certificate, uses=CONNECTIONS, at_us=NOW_US)

    assert store.vet(certificate, uses=CONNECTIONS, at_us=NOW_US + 1) is first


def test_instants_keep_their_microseconds() -> None:
    instant = NOW + timedelta(microseconds=123_457)

    assert datetime_of(us_of(instant)) == instant


def test_a_pem_chain_is_read_in_its_order(pki: Pki) -> None:
    chain = (pki.authority.certificate, pki.root.certificate)
    pem = b"".join(one.public_bytes(Encoding.PEM) for one in chain)

    assert load_pem_chain(pem) == [der(one) for one in chain]
    with pytest.raises(CertificateRefused):
        load_pem_chain(b"nothing")


def test_a_public_key_is_named_by_its_bytes(pki: Pki) -> None:
    assert public_key_bytes(pki.root.certificate) != public_key_bytes(
        pki.authority.certificate
    )
