"""Why a registration is refused, or something that the register does not allow."""

from __future__ import annotations

from counterfoil.domain.refusals import (
    Conflict,
    Forbidden,
    NotFound,
    OutOfTurn,
    Unavailable,
)

# --- a registration is refused ---------------------------------------------


class SignersRefused(Forbidden):
    """A registration is not signed by the posts that it needs, in their order."""

    reason = "SIGNERS_REFUSED"
    zh = "登记事项的签名人岗位不符或不全"


class OwnPost(Forbidden):
    """Somebody signs for his own post."""

    reason = "OWN_POST"
    zh = "不得办理本人的任岗或离岗"


class MatterForeign(Forbidden):
    """A registration is about what is not its party's to register here."""

    reason = "MATTER_FOREIGN"
    zh = "该登记事项不属于登记方"


class RegistrationNumberReused(Conflict):
    """Another registration of the party has this number."""

    reason = "REGISTRATION_NUMBER_REUSED"
    zh = "登记号重复，内容不同"


class PostsIncompatible(Conflict):
    """The holder has a post that excludes this one."""

    reason = "POSTS_INCOMPATIBLE"
    zh = "不相容岗位不得由同一人担任"


class AlreadyRegistered(Conflict):
    """What is to be registered stands so already."""

    reason = "ALREADY_REGISTERED"
    zh = "该事项已登记"


class IdentityAmbiguous(Conflict):
    """The directory lists the certificate, or its key, for somebody else."""

    reason = "IDENTITY_AMBIGUOUS"
    zh = "一份证书或密钥不得对应两个身份"


class PartyContradicted(Conflict):
    """A party or peer stands in the register as something else."""

    reason = "PARTY_CONTRADICTED"
    zh = "与登记簿中的机构信息矛盾"


class PartiesRemain(OutOfTurn):
    """Somebody who takes part still needs the party's gateway."""

    reason = "PARTIES_REMAIN"
    zh = "尚有机构由其网关承载"


class PartiesMissing(OutOfTurn):
    """The configuration names a party or peer that no registration does."""

    reason = "PARTIES_MISSING"
    zh = "尚有机构或对端未登记"


class CertificatesMissing(OutOfTurn):
    """Somebody who holds a post has no certificate that was put to use."""

    reason = "CERTIFICATES_MISSING"
    zh = "尚有岗位人员或系统未启用证书"


class NotFounded(OutOfTurn):
    """The register was not opened yet: nobody has a post that could sign."""

    reason = "NOT_FOUNDED"
    zh = "登记簿尚未建立"


class NotRegistered(NotFound):
    """The registration names something that is not in the register."""

    reason = "NOT_REGISTERED"
    zh = "登记簿中查询不到"


class AuditCheckRefused(Forbidden):
    """A check does not record what is asked: it is not the caller's, or too old."""

    reason = "AUDIT_CHECK_REFUSED"
    zh = "检查记录未提出查询、非本人签名或已过时限"


# --- the register does not allow it ------------------------------------------


class AgreementMissing(Forbidden):
    """The two parties have no agreement on this type in this direction."""

    reason = "AGREEMENT_MISSING"
    text = "the two have no agreement on it"
    zh = "双方未签订该类凭证的协议"


class AgreementSuspended(OutOfTurn):
    """The agreement is suspended, over, or not in force on this day."""

    reason = "AGREEMENT_SUSPENDED"
    text = "their agreement is suspended, over, or not in force today"
    zh = "协议已中止、终止或不在有效期内"


class PartyDismissed(Forbidden):
    """A party of the voucher takes part no more."""

    reason = "PARTY_DISMISSED"
    text = "one of the two was dismissed"
    zh = "机构已退出"


class SignerUnlisted(Unavailable):
    """A seal's certificate bears no name, and no directory here lists it so."""

    reason = "SIGNER_UNLISTED"
    zh = "签章证书不带身份标识，名录中暂无此证书"


class CertificateLost(Forbidden):
    """The certificate was reported lost, or revoked by a registration."""

    reason = "CERTIFICATE_LOST"
    zh = "证书已挂失或废止"


class CertificateNotActive(Forbidden):
    """The certificate was not put to use by a registration."""

    reason = "CERTIFICATE_NOT_ACTIVE"
    zh = "证书尚未启用"


class FilingMissing(Forbidden):
    """No filing of the signer's is in force on this day."""

    reason = "FILING_MISSING"
    zh = "签章未备案或备案不在有效期内"


class OutsideFiling(Forbidden):
    """The seal's type, amount or position is outside what was filed."""

    reason = "OUTSIDE_FILING"
    zh = "签章超出备案范围"
