"""Makes direct payment vouchers (5201) out of a seeded source of chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from counterfoil.sample import words

TYPE_CODE: Final = "5201"

SMALL_ROWS_MAX: Final = 12
LARGE_ROWS: Final = (100, 500)
LARGE_SHARE: Final = 0.01
"""One voucher in a hundred is a batch of 100 to 500 rows."""

ROUND_FROM_FEN: Final = 1_000_000
ROUND_SHARE: Final = 0.5
"""From ten thousand yuan on, every second amount is in whole hundreds of yuan."""


@dataclass(slots=True, kw_only=True)
class Voucher:
    """A voucher as texts, in the order of the document's elements.

    Attributes:
        bank: Code of the agent bank's party, such as `420000-102`.
        main: Texts of the main row by element.
        rows: Texts of each row by element.
    """

    bank: str
    main: dict[str, str]
    rows: list[dict[str, str]]

    @property
    def number(self) -> str:
        """The voucher's number."""
        return self.main["VoucherNo"]


def yuan(fen: int) -> str:
    """Print an amount as documents do."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02}"


def bank_of(above: str, banks: Sequence[str]) -> str:
    """Return the bank of a top-level unit: it has its clearing quota at one.

    Args:
        above: The unit's code.
        banks: Codes of the agent banks' parties.
    """
    return banks[int(above) // 2 % len(banks)]


class VoucherMaker:
    """Makes vouchers with rising numbers.

    Attributes:
        chance: The only source of chance, so that a seed fixes every byte.
    """

    def __init__(self, chance: Random, *, year: int, banks: list[str]) -> None:
        self.chance = chance
        self._year = year
        self._banks = banks
        self._made = 0

    def make(self, *, rows_min: int = 1) -> Voucher:
        """Make the next voucher, addressed to one of the banks."""
        self._made += 1
        count = self._row_count(rows_min)
        amounts = [self._amount() for _ in range(count)]
        unit = self.chance.choice(words.UNITS)
        bank = bank_of(unit[2], self._banks)
        main = self._main(bank, unit, sum(amounts))
        rows = [
            self._row(main, number, fen) for number, fen in enumerate(amounts, start=1)
        ]
        # The main row names the payee only where there is one.
        main |= {each: rows[0][each] for each in _PAYEE} if len(rows) == 1 else {}
        return Voucher(bank=bank, main=_in_order(main, MAIN), rows=rows)

    def _row_count(self, rows_min: int) -> int:
        if self.chance.random() < LARGE_SHARE:
            return self.chance.randint(*LARGE_ROWS)
        # Few rows are more common than many.
        few = min(self.chance.randint(1, SMALL_ROWS_MAX) for _ in range(2))
        return max(few, rows_min)

    def _amount(self) -> int:
        """Return fen: from tens of yuan to millions, often round."""
        fen = int(self.chance.lognormvariate(13.5, 1.6)) + 1_000
        is_round = fen > ROUND_FROM_FEN and self.chance.random() < ROUND_SHARE
        return fen - fen % 10_000 if is_round else fen

    def _main(
        self, bank: str, unit_of: tuple[str, str, str, str], fen: int
    ) -> dict[str, str]:
        division, _, bank_class = bank.partition("-")
        number = f"{self._year % 100:02}{division}{self._made:08}"
        # A voucher is not dated in the future: the year has just begun.
        month, day = self.chance.randint(1, 12) % 3 + 1, self.chance.randint(1, 28)
        unit_code, unit, above_code, above = unit_of
        code, item, of_class, section = self.chance.choice(words.FUNCTIONS)
        economic, economic_name, economic_class = self.chance.choice(words.ECONOMIC)
        bank_name = words.AGENT_BANKS.get(bank_class, "代理银行")
        return self._key(division, number) | {
            "VouDate": f"{self._year}{month:02}{day:02}",
            "FundTypeCode": "111",
            "FundTypeName": "一般公共预算资金",
            "BgtTypeCode": "1",
            "BgtTypeName": "预算内",
            "PayTypeCode": "11",
            "PayTypeName": "财政直接支付",
            "MOFDepCode": f"{self.chance.randint(1, 12):03}",
            "MOFDepName": "国库处",
            "FileNoName": f"鄂财预发〔{self._year}〕{self.chance.randint(1, 99)}号",
            "SupDepCode": above_code,
            "SupDepName": above,
            "AgencyCode": unit_code,
            "AgencyName": unit,
            "ExpFuncCode": code,
            "ExpFuncName": item,
            "ExpFuncCode1": code[:3],
            "ExpFuncName1": of_class,
            "ExpFuncCode2": code[:5],
            "ExpFuncName2": section,
            "ExpFuncCode3": code,
            "ExpFuncName3": item,
            "ExpEcoCode": economic,
            "ExpEcoName": economic_name,
            "ExpEcoCode1": economic[:3],
            "ExpEcoName1": economic_class,
            "ExpEcoCode2": economic,
            "ExpEcoName2": economic_name,
            "DepProCode": f"{division}{self._year % 100:02}{above_code}000010001",
            "DepProName": self.chance.choice(words.PROJECTS),
            "SetModeCode": "1",
            "SetModeName": "转账",
            "PayBankCode": bank_class,
            "PayBankName": bank_name,
            "ClearBankCode": bank_class,
            "ClearBankName": f"{bank_name}湖北省分行营业部",
            "PayAcctNo": f"17{bank_class}0{division}0000001",
            "PayAcctName": "湖北省财政厅零余额账户",
            "PayAcctBankName": f"{bank_name}湖北省分行营业部",
            "PaySummaryName": self._purpose(month, economic_name),
            "PayAmt": yuan(fen),
            "BusinessTypeCode": "1",
            "BusinessTypeName": "单笔业务",
        }

    def _key(self, division: str, number: str) -> dict[str, str]:
        return {
            "Id": f"{{{self.chance.getrandbits(128):032X}}}",
            "AdmDivCode": division,
            "StYear": str(self._year),
            "VtCode": TYPE_CODE,
            "VoucherNo": number,
        }

    def _row(self, main: dict[str, str], number: int, fen: int) -> dict[str, str]:
        bank_class, bank, branches = self.chance.choice(words.PAYEE_BANKS)
        branch = self.chance.choice(branches)
        row = {element: main.get(element, "") for element in ROW}
        row |= {
            "Id": f"{main['VoucherNo']}-{number:04}",
            "VoucherBillId": main["Id"],
            "VoucherBillNo": main["VoucherNo"],
            "VoucherNo": f"SQ{main['VoucherNo']}{number:04}",
            "PayKindCode": "2",
            "PayKindName": "项目支出",
            "PayeeAcctNo": f"{self.chance.randrange(10**15, 10**19)}",
            "PayeeAcctName": self._payee(),
            "PayeeAcctBankName": f"{bank}武汉{branch}",
            "PayeeAcctBankNo": f"{bank_class}521{self.chance.randrange(10**6):06}",
            "PayAmt": yuan(fen),
            "Remark": main["PaySummaryName"],
        }
        return row

    def _payee(self) -> str:
        if self.chance.random() < 0.25:  # noqa: PLR2004 -- a person, not a company
            surname = self.chance.choice(words.SURNAMES)
            return surname + self.chance.choice(words.GIVEN)
        return "".join(
            (
                self.chance.choice(words.CITIES),
                self.chance.choice(words.BRANDS),
                self.chance.choice(words.TRADES),
                self.chance.choice(("有限公司", "有限责任公司", "股份有限公司")),
            )
        )

    def _purpose(self, month: int, what: str) -> str:
        return self.chance.choice(words.PURPOSES).format(month=month, what=what)


def _in_order(texts: dict[str, str], elements: tuple[str, ...]) -> dict[str, str]:
    """Return every element in document order: empty ones are sent, not omitted."""
    return {element: texts.get(element, "") for element in elements}


def _pairs(*stems: str) -> tuple[str, ...]:
    """Return the code and the name of each stem; a digit goes last."""
    return tuple(
        stem.rstrip("123") + part + stem[len(stem.rstrip("123")) :]
        for stem in stems
        for part in ("Code", "Name")
    )


_KEY: Final = ("Id", "AdmDivCode", "StYear", "VtCode", "VouDate", "VoucherNo")
_BOXES: Final = (
    "XPayDate",
    "XAgentBusinessNo",
    "XCheckNo",
    "XPayAmt",
    "XPayeeAcctBankName",
    "XPayeeAcctNo",
    "XPayeeAcctName",
)
_PAYEE: Final = (
    "PayeeAcctNo",
    "PayeeAcctName",
    "PayeeAcctBankName",
    "PayeeAcctBankNo",
)

MAIN: Final = (
    *_KEY,
    *_pairs("FundType", "BgtType", "PayType", "ProCat", "MOFDep", "FileNo"),
    *_pairs("SupDep", "Agency", "ExpFunc", "ExpFunc1", "ExpFunc2", "ExpFunc3"),
    *_pairs("ExpEco", "ExpEco1", "ExpEco2", "DepPro", "SetMode"),
    *_pairs("PayBank", "ClearBank"),
    *_PAYEE,
    *("PayAcctNo", "PayAcctName", "PayAcctBankName"),
    *_pairs("PaySummary"),
    "PayAmt",
    *_pairs("BusinessType"),
    "CheckNo",
    *_BOXES,
    *("Hold1", "Hold2"),
)
"""Elements of the main row, in the order of the national template."""

ROW: Final = (
    *("Id", "VoucherBillId", "VoucherBillNo", "VoucherNo"),
    *_pairs("FundType", "BgtType", "ProCat", "PayKind", "MOFDep", "FileNo"),
    *_pairs("SupDep", "Agency", "ExpFunc", "ExpEco", "DepPro"),
    *_PAYEE,
    *("PayAmt", "Remark"),
    *_BOXES,
    "XAddWord",
    *("Hold1", "Hold2", "Hold3", "Hold4"),
)
"""Elements of a row, in the order of the national template."""
