"""Every way the gateway refuses, sorted by who must act next.

CounterfoilError
├── Refused        the caller must change something before trying again
│   ├── Malformed      what was sent does not say what it claims
│   ├── Forbidden      the caller may not do this
│   ├── Conflict       it contradicts what the vault already holds
│   ├── OutOfTurn      the voucher's state does not allow the act
│   └── NotFound       there is no such thing here
├── Unavailable    nothing was changed; the same call may be tried again
│   └── Exhausted      … once there is room
└── Corrupt        no call can help; an operator must look

The first level decides the gRPC status, the leaf classes are the reasons: one
class is one `ErrorInfo.reason`, listed in `proto/` under the methods that return
it. A broken invariant of our own is an `AssertionError`, none of these: nobody
outside can act on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from counterfoil.domain.violation import Violation


class CounterfoilError(Exception):
    """Base of all refusals; carries what the caller and the operator need.

    Attributes:
        reason: Stable UPPER_SNAKE_CASE name sent as `ErrorInfo.reason`.
        zh: What the reason means, in Chinese; sent as `LocalizedMessage`.
        status: Name of the gRPC status code that goes with it.
        facts: Non-secret details, sent as `ErrorInfo.metadata`. Never a key, a
            payload or an amount.
        violations: The fields at fault, sent as `BadRequest`.
    """

    reason: ClassVar[str]
    zh: ClassVar[str]
    status: ClassVar[str]

    def __init__(
        # By position only: a fact may bear any name, since peers choose theirs.
        self,
        message: str,
        violations: Iterable[Violation] = (),
        /,
        **facts: str,
    ) -> None:
        super().__init__(message)
        self.violations = tuple(violations)
        self.facts = facts

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes whole: verdicts come from worker processes."""
        return (_revive, (type(self), self.args, self.violations, self.facts))


def _revive(
    kind: type[CounterfoilError],
    args: tuple[str, ...],
    violations: tuple[Violation, ...],
    facts: dict[str, str],
) -> CounterfoilError:
    return kind(args[0], violations, **facts)


class Refused(CounterfoilError):
    """The caller must change something before trying again."""

    status = "FAILED_PRECONDITION"


class Unavailable(CounterfoilError):
    """Nothing was changed; the same call may be tried again later."""

    status = "UNAVAILABLE"


class Corrupt(CounterfoilError):
    """What is stored is not what was stored; an operator must look."""

    status = "DATA_LOSS"


class Malformed(Refused):
    """What was sent does not say what it claims."""

    status = "INVALID_ARGUMENT"


class Forbidden(Refused):
    """The caller may not do this."""

    status = "PERMISSION_DENIED"


class Conflict(Refused):
    """It contradicts what the vault already holds."""

    status = "ALREADY_EXISTS"


class OutOfTurn(Refused):
    """The voucher's state does not allow the act."""


class NotFound(Refused):
    """There is no such thing here."""

    status = "NOT_FOUND"


class Exhausted(Unavailable):
    """There is no room; nothing was changed."""

    status = "RESOURCE_EXHAUSTED"


# --- Malformed -------------------------------------------------------------


class MalformedPayload(Malformed):
    """The bytes are not the document their kind says."""

    reason = "MALFORMED_PAYLOAD"
    zh = "报文不是所声明的凭证"


class FormRefused(Malformed):
    """A field of the form breaks a rule; `violations` say which."""

    reason = "FORM_REFUSED"
    zh = "凭证要素不合规"


class BatchTooLarge(Malformed):
    """A batch holds more documents or bytes than the contract allows."""

    reason = "BATCH_TOO_LARGE"
    zh = "批次超过约定的笔数或字节数"


class PageTokenRefused(Malformed):
    """The page token was not issued for this query."""

    reason = "PAGE_TOKEN_REFUSED"
    zh = "翻页标记无效"


# --- Forbidden -------------------------------------------------------------


class CallerUnknown(Forbidden):
    """The certificate names no party or person that this gateway knows."""

    reason = "CALLER_UNKNOWN"
    zh = "证书所示的机构或人员未登记"


class CallerRevoked(Forbidden):
    """The caller's certificate is revoked."""

    reason = "CALLER_REVOKED"
    zh = "调用方证书已吊销"


class PostRefused(Forbidden):
    """The caller's post does not allow this act."""

    reason = "POST_REFUSED"
    zh = "该岗位无权办理此项操作"


class DirectionRefused(Forbidden):
    """The catalogue does not let this issuer send this type to this recipient."""

    reason = "DIRECTION_REFUSED"
    zh = "凭证类型与收发方向不符"


class NotTheIssuer(Forbidden):
    """The deliverer neither issued the document nor hosts its issuer."""

    reason = "NOT_THE_ISSUER"
    zh = "送达方既非发送方也非其托管方"


class NotARecipient(Forbidden):
    """The document is for others: no recipient of it is hosted here."""

    reason = "NOT_A_RECIPIENT"
    zh = "本方不是该凭证的接收方"


class SealForged(Forbidden):
    """A seal does not hold; `check` says at which numbered check."""

    reason = "SEAL_FORGED"
    zh = "验章不通过"


class SealMissing(Forbidden):
    """The seal plan asks for a seal that is not there, or not in this order."""

    reason = "SEAL_MISSING"
    zh = "签章不全或顺序不符"


# --- Conflict --------------------------------------------------------------


class VoucherKeyReused(Conflict):
    """Other bytes already carry this voucher key."""

    reason = "VOUCHER_KEY_REUSED"
    zh = "凭证号重复，内容不同"


class ReceiptExists(Conflict):
    """The voucher has a receipt already, with other bytes."""

    reason = "RECEIPT_EXISTS"
    zh = "该凭证已有回单"


class PositionFilled(Conflict):
    """The seal position is filled already."""

    reason = "POSITION_FILLED"
    zh = "位置已签章"


class SamePerson(Conflict):
    """One person would give both of two signatures that two persons owe."""

    reason = "SAME_PERSON"
    zh = "初审与复审、提请与审批不得为同一人"


class TreesDiffer(Conflict):
    """The vault was made with other trees than the configuration asks for."""

    reason = "TREES_DIFFER"
    zh = "凭证库建库时选定的哈希树与配置不一致"


# --- OutOfTurn -------------------------------------------------------------


class NotInState(OutOfTurn):
    """The voucher's state does not allow the act; `state` and `act` say which."""

    reason = "NOT_IN_STATE"
    zh = "凭证当前状态不允许此项操作"


class ActingBegun(OutOfTurn):
    """The recipient has begun to act: neither return nor discard is possible."""

    reason = "ACTING_BEGUN"
    zh = "接收方已开始办理，不能退回或作废"


class IssueOutOfOrder(OutOfTurn):
    """Issue n+1 needs the return or discard of issue n, and its digest."""

    reason = "ISSUE_OUT_OF_ORDER"
    zh = "重开凭证须引用已退回或作废的前一号"


class WithdrawalOutOfOrder(OutOfTurn):
    """Seals are withdrawn in reverse order, and only before sending."""

    reason = "WITHDRAWAL_OUT_OF_ORDER"
    zh = "撤章须按相反顺序且在发送之前"


class ReferenceMissing(OutOfTurn):
    """The document names a voucher that is not here, or not with these bytes."""

    reason = "REFERENCE_MISSING"
    zh = "所引用的凭证不在本库"


# --- NotFound --------------------------------------------------------------


class VoucherNotFound(NotFound):
    """No such voucher in this vault, or it is another party's."""

    reason = "VOUCHER_NOT_FOUND"
    zh = "凭证库中查询不到"


class DraftNotFound(NotFound):
    """No such draft on this party's workbench."""

    reason = "DRAFT_NOT_FOUND"
    zh = "工作台中查询不到该草稿"


class PartyUnknown(NotFound):
    """No such party is registered here, or no lane leads to it."""

    reason = "PARTY_UNKNOWN"
    zh = "机构未登记或无通路"


class LeafNotFound(NotFound):
    """The log has no such leaf or no such size."""

    reason = "LEAF_NOT_FOUND"
    zh = "日志中无此序号"


class TreeMissing(NotFound):
    """The log has no tree of the hash function that was asked for."""

    reason = "TREE_MISSING"
    zh = "日志没有所请求杂凑算法的哈希树"


# --- Unavailable -----------------------------------------------------------


class SealUndetermined(Unavailable):
    """Whether the seal holds cannot be told now, e.g. no current revocation list."""

    reason = "SEAL_UNDETERMINED"
    zh = "暂时无法验章"


class SealKeyUnavailable(Unavailable):
    """The key of a seal is in a token that cannot be used now; nothing was sealed."""

    reason = "SEAL_KEY_UNAVAILABLE"
    zh = "签章密钥介质暂时无法使用"


class VaultStopped(Unavailable):
    """The vault stopped writing after a failed commit; see the log."""

    reason = "VAULT_STOPPED"
    zh = "凭证库已停止写入"


class VaultBusy(Unavailable):
    """More work is waiting than the gateway takes; slow down."""

    reason = "VAULT_BUSY"
    zh = "凭证库繁忙，请稍后重试"


class PeerUnreachable(Unavailable):
    """None of the peer's addresses answers."""

    reason = "PEER_UNREACHABLE"
    zh = "对方网关不可达"


class VaultFull(Exhausted):
    """The vault or its disk is full; nothing was stored, reading goes on."""

    reason = "VAULT_FULL"
    zh = "凭证库空间不足"


# --- Corrupt ---------------------------------------------------------------


class VaultCorrupt(Corrupt):
    """A stored entry no longer matches its digest or its index."""

    reason = "VAULT_CORRUPT"
    zh = "凭证库内容与摘要不符"


class HeadForked(Corrupt):
    """The vault is older than, or differs from, a head that was signed."""

    reason = "HEAD_FORKED"
    zh = "日志与已签名的树头不一致"


class PeerForked(Corrupt):
    """A peer's head or proof contradicts what it signed before."""

    reason = "PEER_FORKED"
    zh = "对方日志与其先前签名不一致"
