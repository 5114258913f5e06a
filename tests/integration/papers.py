"""Content for vouchers: what business systems hand over in these tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from random import Random

from counterfoil.office import (
    Form,
    NationalDraft,
    Receipt,
    Reference,
    Voucher,
    VoucherKey,
)
from counterfoil.office.vouchers import FieldValue
from counterfoil.sample.documents import KEY, envelope, file_of, inner_document
from counterfoil.sample.vouchers import MAIN, ROW, VoucherMaker
from counterfoil.sample.vouchers import Voucher as Sample
from tests.houses import BANK, UNIT

YEAR = 2026
DIRECT_PAYMENT = 5201
AUTHORISED_PAYMENT = 8202
ENTRY_NOTICE = 2205

_NOT_IN_8202_MAIN = frozenset({"FileNoCode", "FileNoName"})
_NOT_IN_8202_ROW = _NOT_IN_8202_MAIN | {"MOFDepCode", "MOFDepName"}
_PAYEE = ("payee_acct_bank_name", "payee_acct_no", "payee_acct_name")


@dataclass(slots=True)
class Papers:
    """Makes documents whose numbers rise and never come again."""

    bank: str = BANK
    _maker: VoucherMaker = field(init=False)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        # Chance needs no secrecy here; the seed is there to be repeated.
        chance = Random(7)  # noqa: S311
        self._maker = VoucherMaker(chance, year=YEAR, banks=[self.bank])

    def sample(self) -> Sample:
        """Return a direct payment with few rows."""
        while len((made := self._maker.make()).rows) > 12:
            pass
        return made

    def direct_payment(self) -> NationalDraft:
        """Return a 5201 as a national document in GBK."""
        return NationalDraft(document=file_of(self.sample()), recipients=(self.bank,))

    def authorised_payment(self) -> NationalDraft:
        """Return an 8202 of the hosted unit, national."""
        made = self.sample()
        agency = {"AgencyCode": UNIT.partition("-")[2], "AgencyName": "湖北省教育厅"}
        changed = {
            "VtCode": "8202",
            "PayTypeCode": "12",
            "PayTypeName": "财政授权支付",
            "PayAcctName": "湖北省教育厅零余额账户",
        }
        made.main = {
            name: text
            for name in MAIN
            if name not in _NOT_IN_8202_MAIN
            for text in [(made.main | agency | changed)[name]]
        }
        made.rows = [
            {
                name: (row | agency)[name]
                for name in ROW
                if name in row and name not in _NOT_IN_8202_ROW
            }
            for row in made.rows
        ]
        key = {name: made.main[name] for name in KEY}
        return NationalDraft(
            document=envelope(key, inner_document(made)), recipients=(self.bank,)
        )

    def notice(self, recipient: str = UNIT, *, amount_fen: int = 0) -> Voucher:
        """Return a 2205 of the bank, typed; it needs no personal seal."""
        return notice(
            next(self._numbers), self.bank, recipient, amount_fen=amount_fen or 125_00
        )


def notice(
    number: int, issuer: str, recipient: str, *, amount_fen: int = 125_00
) -> Voucher:
    """Return the 2205 with this number."""
    text = f"RZ{number:012}"
    fields: dict[str, FieldValue] = {
        "id": text,
        "adm_div_code": "420000",
        "st_year": str(YEAR),
        "vt_code": str(ENTRY_NOTICE),
        "vou_date": f"{YEAR}0305",
        "voucher_no": text,
        "agency_code": "101001",
        "agency_name": "湖北省教育厅",
        "ori_vt_code": str(AUTHORISED_PAYMENT),
        "ori_voucher_no": f"26420000{number:08}",
        "pay_amt_fen": amount_fen,
        "x_pay_date": f"{YEAR}0305",
        "x_agent_business_no": text,
    }
    row: dict[str, FieldValue] = {
        "id": f"{text}-1",
        "fund_type_code": "111",
        "fund_type_name": "一般公共预算资金",
        "agency_code": "101001",
        "agency_name": "湖北省教育厅",
        "exp_func_code": "2050101",
        "exp_func_name": "行政运行",
        "payee_acct_no": "6222021234567890123",
        "payee_acct_name": "武汉光明印务有限公司",
        "payee_acct_bank_name": "中国工商银行武汉东湖支行",
        "pay_amt_fen": amount_fen,
        "x_pay_date": f"{YEAR}0305",
        "x_agent_business_no": text,
        "x_pay_amt_fen": amount_fen,
    }
    key = VoucherKey(
        issuer=issuer,
        adm_div="420000",
        fiscal_year=YEAR,
        type_code=ENTRY_NOTICE,
        number=text,
    )
    return Voucher(key=key, recipients=(recipient,), form=Form(fields, (row,)))


def receipt_of(reference: Reference, voucher: Voucher, by: str = BANK) -> Receipt:
    """Return the receipt of a voucher that was paid in full."""
    rows = tuple({"id": row["id"], **_paid(Form(row))} for row in voucher.form.rows)
    return Receipt(voucher=reference, by=by, form=Form(_paid(voucher.form), rows))


def short_receipt_of(reference: Reference, voucher: Voucher, by: str = BANK) -> Receipt:
    """Return a receipt that says one fen less was paid than was ordered."""
    full = receipt_of(reference, voucher, by)
    rows = [dict(row) for row in full.form.rows]
    rows[0]["x_pay_amt_fen"] = int(rows[0]["x_pay_amt_fen"]) - 1
    fields = {**full.form.fields, "x_pay_amt_fen": full.form.fen("x_pay_amt_fen") - 1}
    return Receipt(voucher=reference, by=by, form=Form(fields, tuple(rows)))


def _paid(form: Form) -> dict[str, FieldValue]:
    filled: dict[str, FieldValue] = {
        "x_pay_date": f"{YEAR}0306",
        "x_agent_business_no": "B0001",
        "x_pay_amt_fen": form.fen("pay_amt_fen"),
    }
    for name in _PAYEE:
        if form.text(name):
            filled[f"x_{name}"] = form.text(name)
    return filled
