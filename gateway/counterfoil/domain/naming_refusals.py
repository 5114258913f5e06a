"""Why a voucher that names another one is refused (凭证引用).

That what it names is not here is `refusals.ReferenceMissing`.
"""

from __future__ import annotations

from counterfoil.domain.refusals import Conflict, OutOfTurn


class ReferenceVoid(OutOfTurn):
    """The document names a voucher that was rejected, returned or discarded."""

    reason = "REFERENCE_VOID"
    zh = "所引用的凭证已拒签、退回或作废"


class ReferenceUnsettled(OutOfTurn):
    """The document names a voucher that has not come to what that needs."""

    reason = "REFERENCE_UNSETTLED"
    zh = "所引用的凭证尚未办结"


class ReferenceDiffers(Conflict):
    """The amount is not that of the voucher that it is stated of."""

    reason = "REFERENCE_DIFFERS"
    zh = "金额与所引用的凭证不符"


class ReferenceExceeded(Conflict):
    """All parts together are more than the voucher that they are parts of."""

    reason = "REFERENCE_EXCEEDED"
    zh = "累计金额超过所引用的凭证"


class ReferenceTaken(Conflict):
    """Another voucher in force names what only one may name."""

    reason = "REFERENCE_TAKEN"
    zh = "所引用的凭证已被另一凭证引用"
