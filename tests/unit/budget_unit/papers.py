"""What the unit's bank sends it, with every field that the contract requires."""

from __future__ import annotations

from counterfoil.business.banks import Bank
from counterfoil.business.codes import PaymentWay, wire_code
from counterfoil.office import Form, Voucher, VoucherKey
from counterfoil.office.vouchers import FieldValue
from counterfoil.unit.allotments import Grant
from counterfoil.unit.kinds import (
    ENTRY_NOTICE,
    REFUND_MATCH,
    REFUND_NOTICE,
    STATEMENT,
    Account,
    Office,
)
from counterfoil.unit.wishes import Item

UNIT, FINANCE, BANK, OTHER_BANK = (
    "420000-101001",
    "420000-011",
    "420000-102",
    "420000-103",
)
DAY, FUNCTION, OTHER_FUNCTION = "20260302", "2050205", "2050202"
LINE_FEN = 10_000
OFFICE = Office(
    party=UNIT,
    finance=FINANCE,
    adm_div="420000",
    code="101001",
    name="湖北省教育厅",
    top="101",
    bank=Bank(number="102521000000", party=BANK, code="102"),
    accounts={
        PaymentWay.DIRECT: Account(
            number="17102042000001", name="湖北省财政厅零余额账户", bank="工商银行"
        ),
        PaymentWay.AUTHORISED: Account(
            number="17102000101001", name="湖北省教育厅零余额账户", bank="工商银行"
        ),
    },
)

Row = tuple[str, int]
"""A row's id and its amount in fen."""


def plan(
    way: PaymentWay, fen: int = LINE_FEN, *, function: str = FUNCTION, number: str = ""
) -> Grant:
    return Grant(
        plan=number or "YK2026",
        fiscal_year=2026,
        way=way,
        function=function,
        function_name="高等教育",
        amount_fen=fen,
    )


def item(fen: int = 4_000, *, function: str = FUNCTION) -> Item:
    return Item(
        function=function,
        amount_fen=fen,
        payee_account="622200001111",
        payee_name="武汉文华办公用品有限公司",
        payee_bank="建设银行武汉江岸支行",
        purpose="办公用品采购",
    )


def entry(
    number: str,
    rows: tuple[Row, ...],
    *,
    original: tuple[str, str],
    about: str = "",
    day: str = DAY,
    **changed: FieldValue,
) -> Voucher:
    """Return an entry notice (2205).

    Args:
        number: Its number.
        rows: Its rows.
        original: Kind and number of what it is about.
        about: The application that its rows name.
        day: When it was paid.
        changed: Fields that are otherwise; `function` of the rows, `issuer`.
    """
    issuer = str(changed.pop("issuer", BANK))
    function = str(changed.pop("function", FUNCTION))
    kind, name = original
    fields: dict[str, FieldValue] = {
        "id": number,
        "agency_code": OFFICE.code,
        "ori_vt_code": kind,
        "ori_voucher_no": name,
        "pay_amt_fen": sum(fen for _, fen in rows),
        "x_pay_date": day,
        **changed,
    }
    stated: dict[str, FieldValue] = {"exp_func_code": function} if function else {}
    if about:
        stated["voucher_no"] = about
    return _voucher(
        ENTRY_NOTICE,
        number,
        fields,
        [{"id": row_id, **stated, "pay_amt_fen": fen} for row_id, fen in rows],
        issuer=issuer,
    )


def refund_notice(number: str, payment: str, fen: int) -> Voucher:
    """Return a notice of refund (2204); its amounts are negative."""
    fields: dict[str, FieldValue] = {
        "id": number,
        "ori_bill_no": payment,
        "pay_amt_fen": -fen,
        "pay_date": DAY,
    }
    row: dict[str, FieldValue] = {
        "id": "1",
        "voucher_no": payment,
        "pay_amt_fen": -fen,
    }
    return _voucher(REFUND_NOTICE, number, fields, [row])


def match(
    number: str,
    payment: str,
    rows: tuple[Row, ...],
    *,
    kind: str = "8202",
    agency: str = OFFICE.code,
) -> Voucher:
    """Return a refund that the bank matched with a payment (102207)."""
    fields: dict[str, FieldValue] = {
        "id": number,
        "agency_code": agency,
        "ori_vt_code": kind,
        "ori_voucher_no": payment,
        "agent_business_no": number,
        "pay_amt_fen": -sum(fen for _, fen in rows),
        "remark": "收款人账号有误",
        "pay_date": DAY,
    }
    stated: list[dict[str, FieldValue]] = [
        {
            "id": str(place),
            **({"ori_vou_detail_no": row_id} if row_id else {}),
            "pay_amt_fen": -fen,
        }
        for place, (row_id, fen) in enumerate(rows, start=1)
    ]
    return _voucher(REFUND_MATCH, number, fields, stated)


def statement(
    number: str,
    rows: tuple[tuple[str, str, int, str], ...],
    *,
    pack: tuple[int, int] = (1, 1),
    check_no: str = "",
    agency: str = OFFICE.code,
    issuer: str = BANK,
) -> Voucher:
    """Return a statement of March (102531): kind, number, fen and day of each row."""
    fields: dict[str, FieldValue] = {
        "voucher_check_no": check_no or number,
        "child_pack_num": pack[1],
        "cur_pack_no": pack[0],
        "agency_code": agency,
        "acct_no": OFFICE.accounts[PaymentWay.AUTHORISED].number,
        "begin_date": "20260301",
        "end_date": "20260331",
        "all_num": len(rows),
        "all_amt_fen": sum(row[2] for row in rows),
    }
    stated: list[dict[str, FieldValue]] = [
        {
            "id": str(place),
            "e_voucher_type": kind,
            "voucher_no": name,
            "pay_amt_fen": fen,
            "pay_date": day,
        }
        for place, (kind, name, fen, day) in enumerate(rows, start=1)
    ]
    return _voucher(STATEMENT, number, fields, stated, issuer=issuer)


def _voucher(
    type_code: int,
    number: str,
    fields: dict[str, FieldValue],
    rows: list[dict[str, FieldValue]],
    *,
    issuer: str = BANK,
) -> Voucher:
    key = VoucherKey(
        issuer=issuer,
        adm_div="420000",
        fiscal_year=2026,
        type_code=type_code,
        number=number,
    )
    common: dict[str, FieldValue] = {
        "adm_div_code": "420000",
        "st_year": "2026",
        "vt_code": wire_code(type_code),
        "vou_date": DAY,
        "voucher_no": number,
    }
    form = Form({**common, **fields}, tuple(rows))
    return Voucher(key=key, recipients=(UNIT,), form=form)
