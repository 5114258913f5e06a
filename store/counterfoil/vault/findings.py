"""What a verification may find, in words for whoever must act on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

FINDINGS_MAX: Final = 10_000
"""Findings kept; beyond, the vault is lost and only their number counts."""


class Fault(Enum):
    """What is wrong, in English and Chinese."""

    DOCUMENT_CHANGED = ("a document is not the one in the log", "凭证内容与日志不符")
    DOCUMENT_MISSING = ("a document of the log is gone", "日志所载凭证缺失")
    DOCUMENT_STRAY = ("a document belongs to no leaf", "凭证不属于任何日志记录")
    SEAL_REFUSED = ("a document's seals do not hold", "凭证签章无效")
    SIGNER_REFUSED = (
        "a seal's certificate was void, not in use or not filed then",
        "签章证书当时已挂失、废止、未启用或未备案",
    )
    LEAF_CHANGED = ("a leaf is not the one in the tree", "日志记录与哈希树不符")
    LEAF_MISSING = ("a leaf is gone", "日志记录缺失")
    ACT_IMPOSSIBLE = ("an act does not follow from those before", "操作与此前状态矛盾")
    ROW_CHANGED = ("notes on a leaf contradict the log", "日志附注与日志矛盾")
    TREE_CHANGED = ("the tree is not that of its leaves", "哈希树与日志记录不符")
    SM3_TREE_CHANGED = (
        "the SM3 tree is not that of its leaves",
        "SM3 哈希树与日志记录不符",
    )
    ENTRY_CHANGED = ("the book of keys contradicts the log", "凭证号簿与日志不符")
    ENTRY_MISSING = ("a voucher is not in the book of keys", "凭证号簿缺少凭证")
    ENTRY_STRAY = ("the book of keys has what the log has not", "凭证号簿有多余记录")
    STEP_MISSING = ("the index of steps lacks one", "步骤索引缺少记录")
    STEP_STRAY = ("the index of steps has what the log has not", "步骤索引有多余记录")
    REFERENCE_CHANGED = ("who names whom contradicts a document", "引用索引与凭证不符")
    REFERENCE_MISSING = ("the index of who names whom lacks one", "引用索引缺少记录")
    REFERENCE_STRAY = ("the index of who names whom has too much", "引用索引有多余记录")
    REGISTRATION_REFUSED = (
        "a registration does not follow from those before",
        "登记事项与此前登记矛盾",
    )
    REGISTRATION_MISSING = ("the index of registrations lacks one", "登记索引缺少记录")
    REGISTRATION_STRAY = (
        "the index of registrations has what the log has not",
        "登记索引有多余记录",
    )
    NAME_MISSING = ("the digest index lacks a voucher", "摘要索引缺少凭证")
    LANE_MISSING = ("what waits to be sent is gone from its lane", "待发送凭证不在通路")
    LANE_STRAY = ("a lane has what does not wait", "通路有多余凭证")
    INBOX_MISSING = ("what waits to be read is off the list", "待签收凭证不在清单")
    INBOX_STRAY = ("a list has what does not wait", "清单有多余凭证")
    EVIDENCE_MISSING = ("a peer's proof is gone or changed", "对方送达证明缺失或被改")
    WITNESS_CHANGED = (
        "what was witnessed of a peer's log is gone or changed",
        "所见证的对方树头缺失或被改",
    )
    EARLIER_PROOF_BROKEN = (
        "what a late document was taken for does not hold",
        "迟到凭证所凭的证明不成立",
    )
    CERTIFICATE_CHANGED = ("a certificate is not what it was", "证书内容与摘要不符")
    BUCKET_CHANGED = ("the sums kept for a peer are wrong", "对账汇总数不符")
    HEAD_UNKNOWN = ("nothing is known of what was signed", "无已签名树头记录")
    HEAD_NEWER = ("an older copy of the vault was put back", "凭证库被旧副本替换")
    HEAD_CONTRADICTED = ("another log was signed before", "日志与已签名树头矛盾")
    LEDGER_CHANGED = ("the ledger contradicts the log", "台账与日志不符")
    LEDGER_MISSING = ("the ledger lacks a voucher", "台账缺少凭证")
    LEDGER_UNREADABLE = ("the ledger cannot be read", "台账无法读取")

    @property
    def en(self) -> str:
        """What it means, in English."""
        return self.value[0]

    @property
    def zh(self) -> str:
        """What it means, in Chinese."""
        return self.value[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        fault: What kind of thing.
        index: Log index concerned; -1 if it is none.
        key: Voucher key, carrier or digest concerned; may be empty.
        detail: What exactly; no payload and no amount.
    """

    fault: Fault
    index: int = -1
    key: str = ""
    detail: str = ""

    def __str__(self) -> str:
        place = "" if self.index < 0 else f" at leaf {self.index}"
        about = f" ({self.key})" if self.key else ""
        detail = f": {self.detail}" if self.detail else ""
        meaning = f"{self.fault.en} ({self.fault.zh})"
        return f"{self.fault.name}{place}{about}: {meaning}{detail}"


@dataclass(slots=True, kw_only=True)
class Report:
    """What a verification came to.

    Attributes:
        size: Leaves verified.
        root: The root computed from them.
        sm3_root: That of the SM3 tree; empty if the log has none.
        documents: Documents hashed again.
        findings: What is wrong, in the order in which it was found.
        findings_count: How much is wrong, beyond `FINDINGS_MAX` too.
    """

    size: int = 0
    root: bytes = b""
    sm3_root: bytes = b""
    documents: int = 0
    findings: list[Finding] = field(default_factory=list)
    findings_count: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings_count

    def add(
        self, fault: Fault, *, index: int = -1, key: str = "", detail: str = ""
    ) -> None:
        """Note what is wrong."""
        self.findings_count += 1
        if len(self.findings) < FINDINGS_MAX:
            finding = Finding(fault=fault, index=index, key=key, detail=detail)
            self.findings.append(finding)
