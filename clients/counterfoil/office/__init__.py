"""The office: what a business system needs to work with its own gateway.

    access = Access.from_files(certificate=…, key=…, authorities=…, passphrase=…)
    with Desk("gateway.example:7411", access) as desk:
        [written] = desk.write([NationalDraft(document=…, recipients=("420000-102",))])

`Desk` waits, `AsyncDesk` is for an event loop; both do the same. Every call has a
deadline and is tried again with the same bytes while the gateway cannot be
reached. It needs no database.
"""

from counterfoil.office.blocking import Desk
from counterfoil.office.calls import Patience
from counterfoil.office.channel import Access
from counterfoil.office.desk import AsyncDesk, Outcome
from counterfoil.office.errors import (
    Busy,
    Conflict,
    Corrupt,
    Defect,
    DeskRefused,
    Forbidden,
    KeyAway,
    Malformed,
    NotFound,
    OfficeError,
    OutOfTurn,
    Unreachable,
    Violation,
)
from counterfoil.office.messages import (
    enclosed,
    kind_of,
    opened,
    opened_payload,
    payload_of,
)
from counterfoil.office.settings import Station, read_settings
from counterfoil.office.signing import (
    Person,
    PlanPosition,
    encode_for_signing,
    has_receipt,
    is_signed_by,
    plan_of,
    seal_voucher,
)
from counterfoil.office.vouchers import (
    ActOutcome,
    ActRecord,
    Arrival,
    Change,
    DocumentKind,
    Done,
    Draft,
    Form,
    Found,
    KeptDraft,
    NationalDraft,
    Reason,
    Receipt,
    Reference,
    Seal,
    Standing,
    Step,
    Voucher,
    VoucherKey,
    Way,
    Written,
)

__all__ = [
    "Access",
    "ActOutcome",
    "ActRecord",
    "Arrival",
    "AsyncDesk",
    "Busy",
    "Change",
    "Conflict",
    "Corrupt",
    "Defect",
    "Desk",
    "DeskRefused",
    "DocumentKind",
    "Done",
    "Draft",
    "Forbidden",
    "Form",
    "Found",
    "KeptDraft",
    "KeyAway",
    "Malformed",
    "NationalDraft",
    "NotFound",
    "OfficeError",
    "OutOfTurn",
    "Outcome",
    "Patience",
    "Person",
    "PlanPosition",
    "Reason",
    "Receipt",
    "Reference",
    "Seal",
    "Standing",
    "Station",
    "Step",
    "Unreachable",
    "Violation",
    "Voucher",
    "VoucherKey",
    "Way",
    "Written",
    "enclosed",
    "encode_for_signing",
    "has_receipt",
    "is_signed_by",
    "kind_of",
    "opened",
    "opened_payload",
    "payload_of",
    "plan_of",
    "read_settings",
    "seal_voucher",
]
