"""A receipt and its voucher: joined for a document, and kept apart in ours."""

from __future__ import annotations

from dataclasses import replace

from google.protobuf.message import Message

from counterfoil.domain.violation import Violation
from counterfoil.wire.national_plan import PLANS, LevelPlan, rows_of
from counterfoil.wire.national_voucher import ANSWERED, NationalVoucher


def join_receipt(
    original: NationalVoucher, receipt: Message, *, attach: str | None = "SUCCESS"
) -> NationalVoucher:
    """Return the national receipt (回单): the original with its boxes filled in.

    Args:
        original: The voucher as its issuer sent it.
        receipt: What the recipient filled in.
        attach: Text of `Attach`; the central bank writes `SUCCESS`.
    """
    return replace(original, voucher_flag=ANSWERED, receipt=receipt, attach=attach)


def changes(original: Message, answered: Message) -> list[Violation]:
    """List the fields that an answered document has changed.

    A recipient may fill in its boxes and nothing else (任何要素不得更改). The boxes
    themselves and extra elements are not compared: of the latter nobody knows
    which are the recipient's.

    Args:
        original: The form as its issuer sent it.
        answered: The form as read from the answered document.
    """
    plan = PLANS[original.DESCRIPTOR.full_name].form
    found = _differences(original, answered, plan.main, "")
    rows, others = rows_of(original), rows_of(answered)
    if len(rows) != len(others):
        found.append(_changed("rows"))
    for index, (row, other) in enumerate(zip(rows, others, strict=False)):
        found += _differences(row, other, plan.rows, f"rows[{index}].")
    return found


def _differences(
    one: Message, other: Message, plan: LevelPlan, prefix: str
) -> list[Violation]:
    return [
        _changed(prefix + each.name)
        for each in plan.fields
        if not each.receipt_field
        and (
            one.HasField(each.name) != other.HasField(each.name)
            or getattr(one, each.name) != getattr(other, each.name)
        )
    ]


def _changed(path: str) -> Violation:
    return Violation(
        path=path,
        rule="receipt.original",
        text="differs from the original voucher",
        text_zh="与原凭证不一致",
    )
