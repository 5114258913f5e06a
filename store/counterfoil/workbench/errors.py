"""What the workbench answers when its database fails."""

from __future__ import annotations

from counterfoil.domain.refusals import Unavailable


class WorkbenchUnavailable(Unavailable):
    """The workbench's database does not answer or is full; nothing was changed."""

    reason = "WORKBENCH_UNAVAILABLE"
    zh = "工作台暂时不可用"
