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


_SYSTEM: Final = frozenset({Post.BUSINESS_SYSTEM})
_REVIEWERS: Final = frozenset({Post.FIRST_REVIEWER, Post.SECOND_REVIEWER})
_ALL: Final = frozenset(Post)

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
    "GetNational": _SYSTEM,
    "Inquire": _ALL,
    "Search": _ALL,
    "Watch": _SYSTEM | _REVIEWERS,
}
_REGISTRY: Final = {
    "ListParties": _ALL,
    "ListPeers": frozenset({Post.BUSINESS_SYSTEM, Post.SYSTEM_MANAGER}),
    "ListCertificates": frozenset({Post.BUSINESS_SYSTEM, Post.SYSTEM_MANAGER}),
}

ALLOWED: Final = {
    **{f"/counterfoil.desk.v1.DeskService/{m}": posts for m, posts in _DESK.items()},
    **{
        f"/counterfoil.registry.v1.RegistryService/{m}": posts
        for m, posts in _REGISTRY.items()
    },
}
"""Full method name to the posts that may call it; what is absent is refused."""
