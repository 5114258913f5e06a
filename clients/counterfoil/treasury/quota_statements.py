"""A bank's statement of quota (财政零余额额度对账单) against our own books.

Every row is compared with what our books say of the same quota in the same period;
what they have and no row names is told too. A statement comes in packets: it is
answered when all of them are here, for only then is it known what is missing.

Source: Hubei measures, article 29 (3) and annexed table 17 (附表17).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.codes import way_of
from counterfoil.business.inbox import voucher_of
from counterfoil.business.money import to_yuan
from counterfoil.business.tables import InboxEntry, InboxState
from counterfoil.business.works import Work
from counterfoil.office import Form, Receipt, Voucher
from counterfoil.office.vouchers import FieldValue
from counterfoil.treasury import alerts
from counterfoil.treasury.books import AGREES, DIFFERS, QuotaAnswer
from counterfoil.treasury.entries import QuotaKey
from counterfoil.treasury.kinds import NAMES, Office
from counterfoil.treasury.quota_figures import Moved, moved

NONE: Final = "0"
"""How a statement names a quota's unit or function where its notice names none."""
_FIGURES: Final = (
    ("pre_date_money_fen", "上期额度余额"),
    ("clear_amt_fen", "本期新增额度"),
    ("cur_reck_money_fen", "本期已清算额度"),
    ("cur_date_money_fen", "本期额度余额"),
)
_REASON_BYTES: Final = 255
_SUMMARY_BYTES: Final = 1024
"""Bytes in GBK of a row's reason and of the main one; the form allows no more."""
_ANSWERABLE: Final = frozenset(InboxState) - {
    InboxState.READ,
    InboxState.UNFIT,
    InboxState.REJECTED,
    InboxState.RETURNED,
    InboxState.UNDONE,
    InboxState.VOID,
}

Row = Mapping[str, FieldValue]


@dataclass(frozen=True, slots=True)
class Found:
    """What comparing a packet finds.

    Attributes:
        rows: Why a row does not agree, by its id.
        missing: Quotas of ours that no row of any packet names.
        ours: Our own totals of what the packet is about.
    """

    rows: dict[str, str]
    missing: list[QuotaKey]
    ours: Moved


def key_of_row(row: Row, fiscal_year: int) -> QuotaKey | None:
    """Return whose quota a row is about; None if it names no way of payment."""
    way = way_of(str(row["pay_type_code"]))
    if way is None:
        return None
    return QuotaKey(
        fiscal_year=fiscal_year,
        bank_no=str(row["pay_bank_no"]),
        way=way,
        function=_code(row["exp_func_code"]),
        unit=_code(row["sup_dep_code"]),
        fund=str(row.get("fund_type_code", "")),
    )


def compare(
    rows: Sequence[Row],
    own: Mapping[QuotaKey, Moved],
    fiscal_year: int,
    named_elsewhere: Iterable[Row] | None,
) -> Found:
    """Compare the rows of a packet with our books: pure.

    1. A row's four figures are ours; a quota that we do not know has none.
    2. No quota is named twice.
    3. With the last packet: every quota of ours that had or moved anything is named.

    Args:
        rows: The packet's.
        own: What our books say, by quota.
        fiscal_year: The statement's.
        named_elsewhere: Rows of the other packets; None but for the last packet.
    """
    wrong: dict[str, str] = {}
    ours = Moved()
    named: set[QuotaKey | None] = set()
    for row in rows:
        key = key_of_row(row, fiscal_year)
        # (1) Figure by figure, so that it is seen which.
        mine = own.get(key, Moved()) if key else Moved()
        reason = _difference(row, mine)
        # (2) The second row of the same quota counts what the first has.
        if key in named:
            reason = "同一额度重复列示"
        else:
            ours = _plus(ours, mine)
        named.add(key)
        if reason:
            wrong[str(row["id"])] = cut(reason, _REASON_BYTES)
    # (3) What nobody names nobody compares.
    missing = []
    if named_elsewhere is not None:
        named |= {key_of_row(row, fiscal_year) for row in named_elsewhere}
        missing = sorted(
            key for key, one in own.items() if key not in named and any(one.figures())
        )
    for key in missing:
        ours = _plus(ours, own[key])
    return Found(wrong, missing, ours)


@dataclass(frozen=True, slots=True)
class QuotaStatements(Work):
    """Compares and answers a bank's statement of quota.

    Attributes:
        office: Who we are.
    """

    office: Office
    answers = True

    def objections(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Object to a statement of another bank's quota."""
        del session
        numbers = self.office.numbers_of(entry.issuer)
        if any(str(row["pay_bank_no"]) not in numbers for row in voucher.form.rows):
            yield "代理银行行号与发送方不符"

    def is_due(self, session: Session, entry: InboxEntry) -> bool:
        """Tell whether all packets of the statement are here."""
        form = voucher_of(session.get_one(InboxEntry, entry.digest)).form
        packets = {one.form.fen("cur_pack_no") for one in _packets(session, entry)}
        return packets >= set(range(1, form.fen("child_pack_num") + 1))

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Compare, and keep the answer: what is booked later does not change it."""
        form = voucher.form
        period = (form.text("begin_date"), form.text("end_date"))
        year = voucher.key.fiscal_year
        own = moved(session, self.office.numbers_of(entry.issuer), year, period)
        is_last = form.fen("cur_pack_no") == form.fen("child_pack_num")
        others = [
            row
            for one in _packets(session, entry)
            if one.key != voucher.key
            for row in one.form.rows
        ]
        found = compare(form.rows, own, year, others if is_last else None)
        answer = _answer(found)
        result = answer.text("x_check_result")
        session.add(
            QuotaAnswer(
                digest=entry.digest,
                issuer=entry.issuer,
                last=form.text("end_date"),
                result=result,
                answer=json.dumps([answer.fields, answer.rows], ensure_ascii=False),
            )
        )
        if result == DIFFERS:
            text = f"{NAMES[entry.type_code]}{entry.number}不符："
            alerts.note(session, entry.day, text + answer.text("x_check_reason"))
        return ()

    def receipt(self, session: Session, entry: InboxEntry, voucher: Voucher) -> Receipt:
        """Return the statement with its result."""
        del voucher
        fields, rows = json.loads(session.get_one(QuotaAnswer, entry.digest).answer)
        return Receipt(
            voucher=entry.reference,
            by=self.office.party,
            form=Form(fields, tuple(rows)),
        )


def cut(text: str, size: int) -> str:
    """Return as much of a text as fits into so many bytes of GBK."""
    return text.encode("gbk", errors="replace")[:size].decode("gbk", errors="ignore")


def _answer(found: Found) -> Form:
    """Return our answer: the result, our own figures, and the rows that differ."""
    count = len(found.rows) + len(found.missing)
    fields: dict[str, FieldValue] = {
        "x_check_result": DIFFERS if count else AGREES,
        "x_diff_num": count,
        **dict(
            zip(
                (f"x_{name}" for name, _ in _FIGURES),
                found.ours.figures(),
                strict=True,
            )
        ),
    }
    if count:
        told = [f"第{number}行：{reason}" for number, reason in found.rows.items()]
        told += [f"缺少{_described(key)}" for key in found.missing]
        fields["x_check_reason"] = cut("；".join(told), _SUMMARY_BYTES)
    rows: tuple[dict[str, FieldValue], ...] = tuple(
        {"id": number, "x_check_result": DIFFERS, "x_check_reason": reason}
        for number, reason in found.rows.items()
    )
    return Form(fields, rows)


def _packets(session: Session, entry: InboxEntry) -> list[Voucher]:
    """Return the packets of a statement that were not given back."""
    number = voucher_of(session.get_one(InboxEntry, entry.digest)).form.text(
        "voucher_check_no"
    )
    came = session.scalars(
        select(InboxEntry).where(
            InboxEntry.type_code == entry.type_code,
            InboxEntry.issuer == entry.issuer,
            InboxEntry.fiscal_year == entry.fiscal_year,
            InboxEntry.state.in_(_ANSWERABLE),
        )
    )
    return [
        one
        for one in map(voucher_of, came)
        if one.form.text("voucher_check_no") == number
    ]


def _difference(row: Row, mine: Moved) -> str:
    return "；".join(
        f"{chinese}国库为{to_yuan(fen)}元"
        for (name, chinese), fen in zip(_FIGURES, mine.figures(), strict=True)
        if int(row[name]) != fen
    )


def _plus(one: Moved, other: Moved) -> Moved:
    return Moved(
        one.before + other.before,
        one.added + other.added,
        one.cleared + other.cleared,
    )


def _described(key: QuotaKey) -> str:
    unit = key.unit or "未指定"
    return f"{key.way.chinese}单位{unit}功能科目{key.function or '未指定'}"


def _code(text: FieldValue) -> str:
    return "" if str(text) == NONE else str(text)
