"""What kinds of voucher and document exist, and what is true of each.

The contract in `proto/` states the catalogue; `wire.catalogue` reads it from there.
The numbers of the enums are those of `counterfoil.catalogue.v1`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from counterfoil.domain.naming import Reference


class PartyKind(IntEnum):
    """The kinds of institution (机构类别)."""

    FINANCE = 1
    TREASURY = 2
    AGENT_BANK = 3
    BUDGET_UNIT = 4
    SPECIAL_ACCOUNT_BANK = 5


class DocumentKind(IntEnum):
    """The kinds of sealed document (文书种类)."""

    VOUCHER = 1
    RECEIPT = 2
    ACCEPTANCE = 3
    REJECTION = 4
    RETURN_REQUEST = 5
    RETURN = 6
    DISCARD = 7
    NOTICE = 8
    REGISTRATION = 9


class Answer(IntEnum):
    """How the recipient answers a voucher."""

    RECEIPT = 1
    NONE = 2
    STATEMENT_ANSWER = 3
    REPLY = 4


class Comparison(IntEnum):
    """By what a receipt is compared with its voucher (核销)."""

    AMOUNT_AND_COUNT = 1
    """Both have to be the voucher's."""
    AMOUNT = 2
    """The amount has to be the voucher's; rows are not stated."""
    NOTHING = 3
    """It only says that the voucher was acted on, or that a statement agrees."""
    DIFFERS = 4
    """It says itself that the statement does not agree."""


class SignRule(IntEnum):
    """Which signs an amount may have."""

    POSITIVE = 1
    NEGATIVE = 2
    ANY = 3
    ZERO = 4
    NOT_ZERO = 5


class SumRule(IntEnum):
    """How the main amount follows from the rows."""

    NONE = 1
    ROWS = 2


class SealPurpose(IntEnum):
    """What a seal stands for (签章用途)."""

    FIRST_REVIEW = 1
    SECOND_REVIEW = 2
    OFFICIAL = 3
    SETTLED = 4
    BUSINESS = 5
    PERSONAL = 6
    ACCOUNTANT = 7
    ATTACHMENT = 8
    PROPOSAL = 9
    APPROVAL = 10


class SealedBy(IntEnum):
    """Whose key makes a seal."""

    INSTITUTION = 1
    PERSON = 2


class RetentionClass(IntEnum):
    """Why a document is kept."""

    BUDGET_VOUCHER = 1
    UNIT_VOUCHER = 2
    TREASURY_REPORT = 3
    STATEMENT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPosition:
    """One place where a seal belongs (签章位置).

    Attributes:
        id: Short name, unique in its plan.
        name_zh: What people call it.
        purpose: What a seal there stands for.
        by: Whose key makes it.
    """

    id: str
    name_zh: str
    purpose: SealPurpose
    by: SealedBy


@dataclass(frozen=True, slots=True)
class SealPlan:
    """The seals that a document needs, in the order in which they are made.

    Attributes:
        positions: At least one; their ids differ.
    """

    positions: tuple[SealPosition, ...]

    def __post_init__(self) -> None:
        ids = [position.id for position in self.positions]
        if not ids or len(set(ids)) < len(ids):
            msg = f"a plan has positions, each once: {ids}"
            raise ValueError(msg)

    @property
    def has_persons(self) -> bool:
        """Whether a person has to seal."""
        return any(position.by is SealedBy.PERSON for position in self.positions)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long a document is kept at least.

    Attributes:
        years: Whole years from the end of the fiscal year.
        retention_class: Why.
    """

    years: int
    retention_class: RetentionClass


@dataclass(frozen=True, slots=True)
class Balance:
    """A balance and what it follows from, by the XML names of the amounts.

    Attributes:
        before: The balance before.
        added: What was added.
        taken: What was taken.
        left: The balance that is left.
    """

    before: str
    added: str
    taken: str
    left: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeRow:
    """What the catalogue says about one kind of voucher.

    Attributes:
        code: Number of the type; the national code, or a local one from 100,000.
        name_zh: Official name.
        wire_code: The code in national documents, four characters.
        form: Full name of the form's message.
        receipt_form: Full name of the receipt's; empty without receipts.
        directions: Pairs of issuer's and recipient's kind.
        answer: How it is answered.
        reply_code: Code on the wire of the kind that replies; empty without replies.
        sign: Sign of the main amount.
        row_sign: Sign of every row's amount.
        sum: How the main amount follows from the rows.
        amount_element: XML name of the main amount; empty where only rows state any.
        row_amount_element: XML name of a row's amount.
        receipt_amount_element: XML name of the amount in a receipt's main row; empty
            where only its rows state amounts, or nothing does.
        receipt_row_amount_element: XML name of the amount in a receipt's row, or empty.
        count_element: XML name of the number of rows in the main row, or empty.
        totals: Pairs of XML names: amounts of the main row that are sums besides the
            main amount, and the amounts of the rows.
        balance: The balance that its rows state; None: they state none.
        receipt_copies: Kinds of party that may get a copy of its receipt.
        references: The vouchers that it names.
        rows_name_main: Whether rows repeat the main id and number.
        plan: Seals of the voucher.
        receipt_plan: Seals of its receipt, where they are its own.
        retention: How long it is kept.
        recipients_max: Most recipients of one voucher: an order to pay has one.
    """

    code: int
    name_zh: str
    wire_code: str
    form: str
    receipt_form: str
    directions: tuple[tuple[PartyKind, PartyKind], ...]
    answer: Answer
    reply_code: str
    sign: SignRule
    row_sign: SignRule
    sum: SumRule
    amount_element: str
    row_amount_element: str
    receipt_amount_element: str
    receipt_row_amount_element: str
    count_element: str
    totals: tuple[tuple[str, str], ...]
    balance: Balance | None
    receipt_copies: frozenset[PartyKind]
    references: tuple[Reference, ...]
    rows_name_main: bool
    plan: SealPlan
    receipt_plan: SealPlan | None
    retention: Retention
    recipients_max: int

    @property
    def issuer_kinds(self) -> frozenset[PartyKind]:
        """The kinds of party that issue it."""
        return frozenset(issuer for issuer, _ in self.directions)

    @property
    def recipient_kinds(self) -> frozenset[PartyKind]:
        """The kinds of party that receive it."""
        return frozenset(recipient for _, recipient in self.directions)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All kinds of voucher, and the plans of the other documents.

    Attributes:
        rows: By type code.
        default_plans: By kind of document; none for vouchers.
    """

    rows: Mapping[int, TypeRow]
    default_plans: Mapping[DocumentKind, SealPlan]

    def row(self, type_code: int) -> TypeRow:
        """Return the row of a type.

        Raises:
            KeyError: The catalogue has no such type.
        """
        return self.rows[type_code]

    def row_on_wire(self, wire_code: str) -> TypeRow:
        """Return the row of a type by its code in national documents.

        Raises:
            KeyError: The catalogue has no such type.
        """
        for row in self.rows.values():
            if row.wire_code == wire_code:
                return row
        raise KeyError(wire_code)

    def plan_for(self, document_kind: DocumentKind, type_code: int) -> SealPlan:
        """Return the seals that a document about a voucher of this type needs.

        Raises:
            KeyError: The catalogue has no such type.
        """
        row = self.row(type_code)
        if document_kind is DocumentKind.VOUCHER:
            return row.plan
        if document_kind is DocumentKind.RECEIPT and row.receipt_plan is not None:
            return row.receipt_plan
        return self.default_plans[document_kind]

    def may_send(
        self, type_code: int, issuer_kind: PartyKind, recipient_kind: PartyKind
    ) -> bool:
        """Tell whether the catalogue has such a direction; no for unknown types."""
        row = self.rows.get(type_code)
        return row is not None and (issuer_kind, recipient_kind) in row.directions

    def types_without_personal_seals(self) -> frozenset[int]:
        """List the types that a system can issue without any person's seal."""
        return frozenset(
            code for code, row in self.rows.items() if not row.plan.has_persons
        )
