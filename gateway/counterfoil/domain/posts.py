"""Who may call what: one table, deny by default.

The table is over RPC and post. That a caller works only at the desk of its own
party is a separate rule, kept by the use cases.
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class Post(Enum):
    """What a person or system may do (岗位)."""

    BUSINESS_SYSTEM = "business-system"
    """业务系统: writes, seals, sends, reads, acts."""
    FIRST_REVIEWER = "first-reviewer"
    """初审岗: puts the first personal seal."""
    SECOND_REVIEWER = "second-reviewer"
    """复审岗: puts the second personal seal."""
    SYSTEM_MANAGER = "system-manager"
    """系统管理岗: looks after the gateway; takes no part in business."""
    SUPERVISOR = "supervisor"
    """主管岗: approves what matters; takes no part in business."""
    SECURITY_OFFICER = "security-officer"
    """安全管理岗: watches acts, vouchers and logs; takes no part in business."""
    ARCHIVIST = "archivist"
    """档案管理岗: makes and keeps the archives."""


_TOGETHER: Final = (frozenset({Post.FIRST_REVIEWER, Post.SECOND_REVIEWER}),)
"""Posts that one holder may have at the same time; all others exclude each other."""


def are_compatible(posts: frozenset[Post]) -> bool:
    """Tell whether one person or system may hold all of these posts (不相容岗位).

    Who may review first on one voucher may review second on another; that both are
    not on the same one is judged when it is sealed. Everybody else has one post.

    Source: Hubei measures, articles 24 and 36.
    """
    return len(posts) <= 1 or any(posts <= group for group in _TOGETHER)


_SYSTEM: Final = frozenset({Post.BUSINESS_SYSTEM})
_REVIEWERS: Final = frozenset({Post.FIRST_REVIEWER, Post.SECOND_REVIEWER})
_ALL: Final = frozenset(Post)
PERSONS: Final = _ALL - _SYSTEM
"""Posts of persons; the others are of programs."""

_DESK: Final = {
    "Write": _SYSTEM,
    "Review": _REVIEWERS,
    "Seal": _SYSTEM,
    "CancelSeal": _SYSTEM | _REVIEWERS,
    "Send": _SYSTEM,
    "Submit": _SYSTEM,
    "Read": _SYSTEM,
    "Acknowledge": _SYSTEM,
    "Accept": _SYSTEM,
    "Reject": _SYSTEM,
    "RequestReturn": _SYSTEM,
    "Return": _SYSTEM,
    "Discard": _SYSTEM,
    "BeginActing": _SYSTEM,
    "EndActing": _SYSTEM,
    "IssueReceipt": _SYSTEM,
    "GetSealed": _SYSTEM,
    "GetNational": _SYSTEM,
    "Inquire": _ALL,
    "Search": _ALL,
    "Watch": _SYSTEM | _REVIEWERS,
}
_LOOKS_AFTER: Final = frozenset({Post.SYSTEM_MANAGER, Post.SECURITY_OFFICER})
_REGISTRY: Final = {
    "ListParties": _ALL,
    "ListPeers": _SYSTEM | _LOOKS_AFTER,
    "ListCertificates": _SYSTEM | _LOOKS_AFTER,
    # Whether these signatures suffice for it is judged in the vault.
    "Register": PERSONS,
    "ListRegistrations": PERSONS,
    "GetRegister": PERSONS,
}
_KEEPING: Final = {
    # Each question is signed by whoever asks, and recorded before it is answered.
    "Audit": frozenset({Post.SECURITY_OFFICER}),
}

ALLOWED: Final = {
    **{f"/counterfoil.desk.v1.DeskService/{m}": posts for m, posts in _DESK.items()},
    **{
        f"/counterfoil.registry.v1.RegistryService/{m}": posts
        for m, posts in _REGISTRY.items()
    },
    **{
        f"/counterfoil.keeping.v1.AuditService/{m}": posts
        for m, posts in _KEEPING.items()
    },
}
"""Full method name to the posts that may call it; what is absent is refused."""
