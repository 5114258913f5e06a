"""A national authority, which writes none of our names into certificates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.devca.certificates import (
    Algorithm,
    Authority,
    AuthorityAlgorithm,
    Validity,
    make_certificate,
    make_crl,
    make_key,
    make_root,
)
from counterfoil.devca.credential import Credential, write_key
from tests.houses import Town

_DAY = timedelta(days=1)


def pem_of(certificate: x509.Certificate) -> bytes:
    """Return a certificate in PEM."""
    return certificate.public_bytes(Encoding.PEM)


@dataclass(frozen=True)
class ForeignCa:
    """A root that a town's gateways trust as well.

    Attributes:
        town: The town.
        name: Of its files.
        root: The root, which issues to everybody itself.
    """

    town: Town
    name: str
    root: Authority

    @classmethod
    def trusted_in(
        cls, town: Town, name: str = "national", algorithm: AuthorityAlgorithm = "p256"
    ) -> ForeignCa:
        """Let the gateways of a town, none of which runs yet, trust a new root."""
        now = datetime.now(UTC)
        root = make_root(
            f"{name} root", Validity(now - _DAY, now + 900 * _DAY), algorithm
        )
        made = cls(town, name, root)
        authorities = town.pki / "authorities.pem"
        authorities.write_bytes(authorities.read_bytes() + pem_of(root.certificate))
        made.revoke()
        for party in town.carriers:
            town.rewrite(
                party,
                "revocation_lists = [",
                f"revocation_lists = ['pki/{name}.crl', ",
            )
        return made

    def revoke(self, *credentials: Credential) -> None:
        """Write the revocation list, on which nothing else stands than these."""
        now = datetime.now(UTC)
        revoked = {one.certificate.serial_number: now for one in credentials}
        crl = make_crl(self.root, Validity(now - _DAY, now + 30 * _DAY), revoked)
        file = self.town.pki / f"{self.name}.crl"
        file.write_bytes(crl.public_bytes(Encoding.DER))

    def issue(
        self,
        party: str,
        use: str,
        name: str = "1",
        *,
        algorithm: Algorithm = "p256",
        stated: str | None = None,
        days: int = 365,
    ) -> Credential:
        """Issue a certificate in the place of the one that is there.

        Args:
            party: Whose it is to be.
            use: For what.
            name: Which one.
            algorithm: Of its key.
            stated: A URI that it bears; none by default.
            days: How long it holds from now on; negative: it has expired.
        """
        key, now = make_key(algorithm), datetime.now(UTC)
        certificate = make_certificate(
            self.root,
            key.public_key(),
            stated,
            Validity(now - 400 * _DAY, now + days * _DAY),
            usages=(),
        )
        credential = self.town.ca.credential(party, use, name)
        credential.chain_file.write_bytes(
            pem_of(certificate) + pem_of(self.root.certificate)
        )
        write_key(credential, key)
        return credential
