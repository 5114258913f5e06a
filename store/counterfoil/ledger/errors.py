"""What the ledger answers when its database fails."""

from __future__ import annotations

from counterfoil.domain.refusals import Unavailable


class LedgerUnavailable(Unavailable):
    """The ledger's database does not answer, is full or cannot be read."""

    reason = "LEDGER_UNAVAILABLE"
    zh = "台账暂时不可用"
