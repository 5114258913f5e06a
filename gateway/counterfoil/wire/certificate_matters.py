"""What registrations say of certificates: life cycle, loss, directory (证书)."""

from __future__ import annotations

from counterfoil.domain import registration as domain
from counterfoil.domain.party import Use, is_party_code
from counterfoil.domain.registration import Matter
from counterfoil.registry.v1 import registration_pb2 as pb
from counterfoil.wire.matter_fields import (
    read_certificate,
    read_identity,
    refused_field,
)


def loss(matter: pb.LossNotice) -> Matter:
    """Return what a notice of loss says."""
    read = read_certificate("loss_notice.certificate", matter.certificate)
    return domain.LossNotice(
        certificate=read.digest, holder=read.identity, twins=read.twins
    )


def revocation(matter: pb.Revocation) -> Matter:
    """Return what a revocation says."""
    read = read_certificate("revocation.certificate", matter.certificate)
    return domain.Revocation(
        certificate=read.digest, holder=read.identity, twins=read.twins
    )


def application(matter: pb.CertificateApplication) -> Matter:
    """Return what an application says."""
    return domain.CertificateApplication(
        holder=read_identity("certificate_application.holder", matter.holder),
        public_key=matter.public_key,
    )


def approval(matter: pb.CertificateApproval) -> Matter:
    """Return what an approval says."""
    return domain.CertificateApproval(application=matter.application)


def activation(matter: pb.CertificateActivation) -> Matter:
    """Return what an activation says."""
    read = read_certificate("certificate_activation.certificate", matter.certificate)
    return domain.CertificateActivation(
        application=matter.application,
        certificate=read.digest,
        holder=read.identity,
        public_key=read.public_key,
        valid_until_us=read.valid_until_us,
    )


def demand(matter: pb.CertificateDemand) -> Matter:
    """Return what a demand for certificates that were put to use says.

    Raises:
        FormRefused: It names no party.
    """
    if not is_party_code(matter.party):
        raise refused_field(
            "certificate_demand.party", "not a party code", "不是机构代码"
        )
    return domain.CertificateDemand(party=matter.party)


def entry(
    matter: pb.DirectoryEntry, path: str = "directory_entry"
) -> domain.DirectoryEntry:
    """Return what an entry of the directory says.

    Args:
        matter: The entry.
        path: Where it stands in the registration.

    Raises:
        FormRefused: The certificate cannot be read or bears a name of its own, or the
            holder is none whom a directory may name.
    """
    holder = read_identity(f"{path}.holder", matter.holder)
    if holder.use is Use.GATEWAY:
        raise refused_field(
            f"{path}.holder",
            "a gateway's certificate bears its name itself",
            "网关证书须自带身份标识，不得列入名录",
        )
    read = read_certificate(f"{path}.certificate", matter.certificate)
    if read.identity is not None:
        raise refused_field(
            f"{path}.certificate",
            f"the certificate bears the name {read.identity.to_urn()} itself",
            "证书自带身份标识，不得列入名录",
        )
    return domain.DirectoryEntry(
        certificate=read.digest,
        public_key=read.public_key,
        holder=holder,
        valid_until_us=read.valid_until_us,
    )


def removal(matter: pb.DirectoryRemoval) -> Matter:
    """Return what a removal from the directory says."""
    return domain.DirectoryRemoval(certificate=matter.certificate)


def founding(matter: pb.Founding) -> Matter:
    """Return what the opening of a register says."""
    return domain.Founding(
        supervisor=read_identity("founding.supervisor", matter.supervisor),
        system_manager=read_identity("founding.system_manager", matter.system_manager),
        certificates=tuple(matter.certificates),
        directory=tuple(entry(one, "founding.directory") for one in matter.directory),
    )
