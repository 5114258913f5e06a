"""A development PKI as files.

Below the directory:

    root.pem                     the root's certificate
    authority.pem                the issuing authority's certificate
    root.crl, authority.crl      revocation lists of the two, in DER
    root.key, authority.key      their private keys, encrypted PKCS#8 in PEM
    root.pass, authority.pass    the passphrases, each alone in a file of mode 0600
    sm2-root.pem and so on       the same for SM2, made when the first key of it is
    revoked.json                 what was revoked: issuer, serial number, since when
    <party>/                     one per party code
      <use>-<name>.pem           certificate and then the authority's: a TLS chain
      <use>-<name>.key, .pass    its key, as above
      head-ed25519.key, .pass, .pub.pem      the log's keys: both sign every head
      head-ml-dsa-44.key, .pass, .pub.pem
      head-sm2.key, .pass, .pub.pem          signs the heads of its SM3 tree; only of
                                             parties that seal with SM2
      cosign-ed25519.key, .pass, .pub.pem    the keys that cosign peers' heads
      cosign-ml-dsa-44.key, .pass, .pub.pem

Every party has `gateway-1` (TLS, for `localhost` and `127.0.0.1`), `institution-1`
(its seal), `system-1` (its business system) and the persons `first`, `second`,
`manager`, `supervisor`, `officer` and `archivist`. File names and identities never
depend on anything random.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from counterfoil.devca.certificates import (
    Algorithm,
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
from counterfoil.devca.credential import Credential, write_key
from counterfoil.sm2.keys import Sm2PrivateKey

PERSONS: Final = (
    "first",
    "second",
    "manager",
    "supervisor",
    "officer",
    "archivist",
)
"""Names of the persons that every party has."""

HOSTS: Final = ("localhost", "127.0.0.1")
"""What a development gateway is called."""

LOG_KEYS: Final = ("head", "cosign")
"""What the keys of a log are for; each is a pair, Ed25519 and ML-DSA-44."""

AUTHORITIES: Final = ("root", "authority")
"""Names of the root and of the authority that issues to parties."""

SM2_AUTHORITIES: Final = ("sm2-root", "sm2-authority")
"""Names of the two that certify SM2 keys."""

_BACKDATED: Final = timedelta(hours=1)
_AUTHORITY_YEARS: Final = timedelta(days=3650)
_CRL_DAYS: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class DevelopmentCa:
    """Issues and revokes certificates in one directory.

    Attributes:
        directory: Where everything stands; see the module.
        root: The root.
        authority: The authority that issues to parties.
    """

    directory: Path
    root: Authority
    authority: Authority

    @classmethod
    def create(
        cls,
        directory: Path,
        parties: Iterable[str] = (),
        *,
        now: datetime,
        institution_algorithm: Algorithm = "p256",
    ) -> DevelopmentCa:
        """Make a root, an authority, empty revocation lists, and the parties.

        Args:
            directory: Made if it is not there.
            parties: Party codes.
            now: When it happens; certificates are valid from an hour before.
            institution_algorithm: Of the keys that make institutions' seals.

        Raises:
            FileExistsError: There is a development PKI already.
        """
        directory.mkdir(parents=True, exist_ok=True)
        if (directory / "root.pem").exists():
            msg = f"a development PKI is there already: {directory}"
            raise FileExistsError(msg)
        root, issuing = _make_authorities(directory, AUTHORITIES, "p256", now)
        (directory / "revoked.json").write_text("[]\n")
        made_ca = cls(directory, root, issuing)
        made_ca.renew_crls(now=now)
        for party in parties:
            made_ca.add_party(
                party, now=now, institution_algorithm=institution_algorithm
            )
        return made_ca

    @classmethod
    def open(cls, directory: Path) -> DevelopmentCa:
        """Return the development PKI that `create` made in `directory`."""
        return cls(directory, *(_load_authority(directory, one) for one in AUTHORITIES))

    def add_party(
        self,
        party: str,
        *,
        now: datetime,
        institution_algorithm: Algorithm = "p256",
        persons: Iterable[str] = PERSONS,
    ) -> None:
        """Issue everything that a party needs; see the module."""
        self.issue(party, "gateway", "1", now=now)
        self.issue(party, "system", "1", now=now)
        self.issue(party, "institution", "1", now=now, algorithm=institution_algorithm)
        for person in persons:
            self.issue(party, "person", person, now=now)
        for purpose in LOG_KEYS:
            ed25519 = Credential(self.directory / party / f"{purpose}-ed25519")
            write_key(ed25519, Ed25519PrivateKey.generate(), with_public=True)
            ml_dsa = Credential(self.directory / party / f"{purpose}-ml-dsa-44")
            write_key(ml_dsa, MLDSA44PrivateKey.generate(), with_public=True)
        if institution_algorithm == "sm2":
            self.add_sm2_head_key(party)

    def add_sm2_head_key(self, party: str) -> None:
        """Make the key that signs the heads of a log's SM3 tree.

        Raises:
            Sm2Unavailable: This machine cannot do SM2.
        """
        key = self.log_key(party, "head", "sm2")
        write_key(key, Sm2PrivateKey.generate(), with_public=True)

    def issue(  # noqa: PLR0913 - an identity has three parts
        self,
        party: str,
        use: str,
        name: str,
        *,
        now: datetime,
        algorithm: Algorithm = "p256",
        validity: Validity | None = None,
    ) -> Credential:
        """Issue a certificate with a new key; one that is there is replaced.

        Args:
            party: Party code.
            use: `gateway`, `institution`, `person` or `system`.
            name: Which one; small letters and digits.
            now: When it happens.
            algorithm: Of the key.
            validity: A year by default.
        """
        key = make_key(algorithm)
        issuer = self._sm2_authority(now) if algorithm == "sm2" else self.authority
        certificate = make_certificate(
            issuer,
            key.public_key(),
            urn(party, use, name),
            validity or Validity(now - _BACKDATED, now + timedelta(days=365)),
            hosts=hosts_of(party) if use == "gateway" else (),
        )
        credential = self.credential(party, use, name)
        credential.stem.parent.mkdir(exist_ok=True)
        credential.chain_file.write_bytes(_pem(certificate) + _pem(issuer.certificate))
        write_key(credential, key)
        return credential

    def credential(self, party: str, use: str, name: str = "1") -> Credential:
        """Return where a certificate and its key stand."""
        return Credential(self.directory / party / f"{use}-{name}")

    def log_key(self, party: str, purpose: str, algorithm: str) -> Credential:
        """Return where a log's key stands.

        Args:
            party: Party code.
            purpose: `head` or `cosign`.
            algorithm: `ed25519` or `ml-dsa-44`; for a head, also `sm2`.
        """
        return Credential(self.directory / party / f"{purpose}-{algorithm}")

    def revoke(self, certificate: x509.Certificate, *, at: datetime) -> None:
        """Revoke a certificate from `at` on, and issue new revocation lists then."""
        entries = json.loads((self.directory / "revoked.json").read_text())
        (issuer,) = (
            name
            for name in self.names
            if Credential(self.directory / name).certificate.subject
            == certificate.issuer
        )
        entries.append(
            {
                "issuer": issuer,
                "serial": f"{certificate.serial_number:x}",
                "since": at.isoformat(),
            }
        )
        (self.directory / "revoked.json").write_text(json.dumps(entries, indent=1))
        self.renew_crls(now=at)

    def revoke_file(self, chain_file: Path, *, at: datetime) -> None:
        """Revoke the first certificate in a PEM file from `at` on."""
        pem = chain_file.read_bytes()
        self.revoke(x509.load_pem_x509_certificate(pem), at=at)

    def renew_crls(self, *, now: datetime) -> None:
        """Issue revocation lists that are current for thirty days from `now`."""
        entries = json.loads((self.directory / "revoked.json").read_text())
        for name in self.names:
            issuer = _load_authority(self.directory, name)
            revoked = {
                int(entry["serial"], 16): datetime.fromisoformat(entry["since"])
                for entry in entries
                if entry["issuer"] == name
            }
            crl = make_crl(issuer, Validity(now - _BACKDATED, now + _CRL_DAYS), revoked)
            (self.directory / f"{name}.crl").write_bytes(
                crl.public_bytes(serialization.Encoding.DER)
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all authorities, roots first where they are."""
        has_sm2 = (self.directory / f"{SM2_AUTHORITIES[0]}.pem").exists()
        return (*AUTHORITIES, *SM2_AUTHORITIES) if has_sm2 else AUTHORITIES

    @property
    def authorities_pem(self) -> bytes:
        """All of them in PEM, as a gateway's `trust.authorities` wants them."""
        return b"".join(
            (self.directory / f"{name}.pem").read_bytes() for name in self.names
        )

    @property
    def root_der(self) -> bytes:
        """The root's certificate."""
        return self.root.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def authority_der(self) -> bytes:
        """The issuing authority's certificate."""
        return self.authority.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def crls_der(self) -> tuple[bytes, bytes]:
        """The root's revocation list and the authority's."""
        return (
            (self.directory / "root.crl").read_bytes(),
            (self.directory / "authority.crl").read_bytes(),
        )

    def _sm2_authority(self, now: datetime) -> Authority:
        """Return the authority that certifies SM2 keys, made when it is not there."""
        if self.names == AUTHORITIES:
            _make_authorities(self.directory, SM2_AUTHORITIES, "sm2", now)
            self.renew_crls(now=now)
        return _load_authority(self.directory, SM2_AUTHORITIES[1])


def _make_authorities(
    directory: Path,
    names: tuple[str, str],
    algorithm: AuthorityAlgorithm,
    now: datetime,
) -> tuple[Authority, Authority]:
    """Make and write a root and the authority under it."""
    validity = Validity(now - _BACKDATED, now + _AUTHORITY_YEARS)
    called = [f"counterfoil development {name.replace('-', ' ')}" for name in names]
    root = make_root(called[0], validity, algorithm)
    issuing = make_authority(called[1], root, validity)
    for name, made in zip(names, (root, issuing), strict=True):
        credential = Credential(directory / name)
        credential.chain_file.write_bytes(_pem(made.certificate))
        write_key(credential, made.key)
    return root, issuing


def _load_authority(directory: Path, name: str) -> Authority:
    credential = Credential(directory / name)
    key = credential.load_key()
    assert isinstance(key, EllipticCurvePrivateKey | Sm2PrivateKey)
    return Authority(credential.certificate, key)


def hosts_of(party: str) -> tuple[str, ...]:
    """Return the names that a development gateway of `party` answers to.

    The first is what its peers insist on, whatever address they reach it at.
    """
    return (f"{party}.gateway.counterfoil", *HOSTS)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
