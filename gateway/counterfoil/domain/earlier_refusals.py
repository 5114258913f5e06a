"""Why a document that comes after its certificates' end is not taken."""

from __future__ import annotations

from counterfoil.domain.refusals import Forbidden, Unavailable


class EarlierProofDue(Unavailable):
    """Its seals held before, and nothing shows that they existed then.

    `tree_size` says by which head of the deliverer's log that is to be shown.
    """

    reason = "EARLIER_PROOF_DUE"
    zh = "证书失效前的签章须附送达方日志的证明后重送"


class EarlierProofRefused(Forbidden):
    """What came to show that a document was sealed earlier does not show it."""

    reason = "EARLIER_PROOF_REFUSED"
    zh = "所附证明不能证实签章早于证书失效"
