"""What a directory's entries may say, and the names that an opening claims."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest

from counterfoil.devca.certificates import make_certificate, make_key, urn
from counterfoil.domain import registration as domain
from counterfoil.domain.party import Identity
from counterfoil.domain.refusals import FormRefused, MalformedPayload
from counterfoil.office import matters, registering
from counterfoil.office.signing import Person
from counterfoil.seal.algorithms import signing_key
from counterfoil.wire.claimed_names import claimed_names
from counterfoil.wire.registrations import read_registration, stored_registration
from tests.unit.seal.makers import IN_FORCE, Pki, der, twin_of

PARTY = "420000-011"
LI = urn(PARTY, "person", "li")
NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
PKI = Pki.new()


def person(identity: str | None = None) -> Person:
    key = make_key()
    certificate = make_certificate(PKI.authority, key.public_key(), identity, IN_FORCE)
    return Person(der(certificate), signing_key(key))


def made(matter: matters.Matter, number: str = "1") -> registering.SignedRegistration:
    return registering.registration(PARTY, number, matter, stated_time=NOW)


def read(matter: matters.Matter) -> domain.Matter:
    return read_registration(made(matter).payload, ()).matter


def test_an_entry_says_whose_certificate_and_key_it_is() -> None:
    li = person()

    said = read(matters.directory_entry(LI, li.certificate))

    assert said == domain.DirectoryEntry(
        certificate=sha256(li.certificate).digest(),
        public_key=sha256(li.key.public_key).digest(),
        holder=Identity.from_urn(LI),
        valid_until_us=int(IN_FORCE.end.timestamp()) * 1_000_000,
    )
    assert read(matters.directory_removal(li.certificate)) == domain.DirectoryRemoval(
        certificate=sha256(li.certificate).digest()
    )


@pytest.mark.clause("hubei-11")
@pytest.mark.refusal("FORM_REFUSED")
@pytest.mark.parametrize(
    ("holder", "certificate", "field", "says"),
    [
        (urn(PARTY, "gateway", "1"), person().certificate, "holder", "网关证书"),
        ("li", person().certificate, "holder", "不是身份标识"),
        (LI, b"no certificate", "certificate", "证书无法读取"),
        (LI, person(LI).certificate, "certificate", "证书自带身份标识"),
        (LI, person(urn(PARTY, "person", "x")).certificate, "certificate", "自带"),
        (LI, person("urn:counterfoil:x:person:y").certificate, "certificate", "无法"),
    ],
)
def test_entries_that_no_directory_may_have(
    holder: str, certificate: bytes, field: str, says: str
) -> None:
    with pytest.raises(FormRefused) as caught:
        read(matters.directory_entry(holder, certificate))
    (violation,) = caught.value.violations
    assert violation.path == f"directory_entry.{field}"
    assert says in violation.text_zh
    assert violation.text

    with pytest.raises(FormRefused) as opening:
        read(matters.founding(LI, LI, (), {certificate: holder}))
    assert opening.value.violations[0].path == f"founding.directory.{field}"


def test_a_loss_names_whom_the_certificate_names_or_nobody() -> None:
    named, nameless = person(LI), person()
    li = Identity.from_urn(LI)
    for make, kind in (
        (matters.loss_notice, domain.LossNotice),
        (matters.revocation, domain.Revocation),
    ):
        for one, holder in ((named, li), (nameless, None)):
            digest = sha256(one.certificate).digest()
            said = read(make(one.certificate))
            assert isinstance(said, kind)
            assert (said.certificate, said.holder) == (digest, holder)
            # Whoever has the key may show the certificate in other bytes.
            assert sha256(twin_of(one.certificate)).digest() in said.twins
    used = read(matters.certificate_activation(b"d" * 32, nameless.certificate))
    assert isinstance(used, domain.CertificateActivation)
    assert used.holder is None


# --- what opens a register names its own signers -----------------------------------


def test_the_names_that_are_claimed_are_those_of_entries_alone() -> None:
    manager, li, wang = person(), person(), person()
    founding = made(matters.founding(LI, LI, (), {manager.certificate: LI}))
    one = made(matters.directory_entry(LI, li.certificate), "2")
    twice = made(
        matters.directory_entry(urn(PARTY, "person", "x"), li.certificate), "3"
    )
    broken = made(matters.directory_entry("nobody", wang.certificate), "4")
    other = made(matters.loss_notice(wang.certificate), "5")
    file = [each.to_bytes() for each in (founding, one, twice, broken, other)]

    claimed = claimed_names([b"\xff", *file])

    digests = [sha256(each.certificate).digest() for each in (manager, li)]
    assert claimed == dict.fromkeys(digests, Identity.from_urn(LI))
    assert list(claimed_names(file, founding_only=True)) == digests[:1]


@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_who_signed_follows_from_certificate_directory_or_opening() -> None:
    manager, supervisor = person(), person(urn(PARTY, "person", "s"))
    kept = {
        sha256(one.certificate).digest(): one.certificate
        for one in (manager, supervisor)
    }
    opening = matters.founding(LI, LI, (), {manager.certificate: LI})
    later = matters.directory_entry(LI, person().certificate)

    def signers(
        matter: matters.Matter, names: dict[bytes, Identity]
    ) -> tuple[str, ...]:
        signed = made(matter)
        for one in (manager, supervisor):
            signed = signed.signed(one, stated_time=NOW)
        said = stored_registration(signed.to_bytes(), kept.get, names.get)
        return tuple(one.to_urn() for one in said.signers)

    stated = urn(PARTY, "person", "s")
    assert signers(opening, {}) == (LI, stated)
    wang = Identity.from_urn(urn(PARTY, "person", "wang"))
    names = {sha256(manager.certificate).digest(): wang}
    assert signers(later, names) == (wang.to_urn(), stated)
    with pytest.raises(MalformedPayload, match="nobody's") as caught:
        signers(later, {})
    assert caught.value.facts == {"field": "seals"}


@pytest.mark.refusal("FORM_REFUSED")
def test_a_demand_names_a_party() -> None:
    assert read(matters.certificate_demand(PARTY)) == domain.CertificateDemand(
        party=PARTY
    )
    with pytest.raises(FormRefused) as caught:
        read(matters.certificate_demand("finance"))
    (violation,) = caught.value.violations
    assert violation.path == "certificate_demand.party"
    assert violation.text_zh == "不是机构代码"


def test_public_keys_are_named_as_applications_name_them() -> None:
    li = person()
    key = li.key.public_key
    applied = read(matters.certificate_application(LI, key))
    used = read(matters.certificate_activation(b"d" * 32, li.certificate))

    assert isinstance(applied, domain.CertificateApplication)
    assert isinstance(used, domain.CertificateActivation)
    assert applied.public_key == used.public_key
