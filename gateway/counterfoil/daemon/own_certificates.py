"""Whether a certificate of the configuration is for whom and what it stands there."""

from __future__ import annotations

from cryptography import x509

from counterfoil.daemon.config import ConfigurationRefused
from counterfoil.domain.party import Use
from counterfoil.seal.certificates import CertificateRefused, stated_identity


def require_own(
    where: str,
    certificate: x509.Certificate,
    *,
    party: str,
    use: Use,
    may_be_nameless: bool = False,
) -> None:
    """Check whose certificate it is.

    Without it a gateway would serve, and nobody would let it in or take its seals.

    Args:
        where: Where the configuration names it, for the text.
        certificate: What stands there.
        party: Whose it must be.
        use: For what it must be.
        may_be_nameless: Whether the directory may say whose it is, later.

    Raises:
        ConfigurationRefused: It is another party's, for another use, or nobody's.
    """
    needed = f"urn:counterfoil:{party}:{use.value}:NAME"
    try:
        stated = stated_identity(certificate)
    except CertificateRefused as error:
        msg = f"{where}: {error}; it must bear {needed}"
        raise ConfigurationRefused(msg) from error
    if stated is None:
        if may_be_nameless:
            return
        msg = f"{where}: it bears no name; it must bear {needed}"
        raise ConfigurationRefused(msg)
    if (stated.party, stated.use) != (party, use):
        msg = f"{where}: it is that of {stated.to_urn()}; it must bear {needed}"
        raise ConfigurationRefused(msg)
