"""Finance's national files: sound ones, broken ones, a few with a fate of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from counterfoil.bank.core import Fate
from counterfoil.business.codes import PaymentWay
from counterfoil.business.days import written
from counterfoil.day.cast import BANKS, UNITS
from counterfoil.day.plan import SPECIAL, Plan
from counterfoil.day.stage import Stage
from counterfoil.sample import words
from counterfoil.sample.documents import file_of
from counterfoil.sample.faults import FAULTS, ROWS_MIN
from counterfoil.sample.vouchers import Voucher, VoucherMaker

ALLOTMENTS: Final = "allotments.toml"
APPROPRIATIONS: Final = ("appropriation-1.toml", "appropriation-2.toml")
"""What finance enters by hand, below the day's directory."""
SPECIAL_PAYMENTS: Final = ("special-1.toml", "special-2.toml", "special-3.toml")
"""The same for the special account (财政专户)."""
_GRANT_YUAN: Final = 10_000_000_000
"""What a unit may spend for one function: more than any day needs."""
_BATCH_ROWS: Final = 300
_SHORT_ACCOUNT: Final = "123"
"""Well formed for the gateway, but no account of any bank."""


@dataclass(slots=True)
class Material:
    """What the day's files are.

    Attributes:
        numbers: Voucher numbers by their special fate.
        broken: Names of the broken files.
        sound: How many sound files finance has.
        fates: What the banks' cores do to single vouchers, by bank.
    """

    numbers: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    sound: int = 0
    fates: dict[str, dict[str, Fate]] = field(
        default_factory=lambda: {bank.code: {} for bank in BANKS}
    )


def write_orders(stage: Stage, year: int) -> None:
    """Write what finance enters by hand: allotments, and orders to pay."""
    lines = [f'number = "YK{year}-001"']
    grants = [(code, PaymentWay.DIRECT) for code, *_ in words.UNITS]
    grants += [(unit.short, PaymentWay.AUTHORISED) for unit in UNITS]
    for unit, way in grants:
        for function, name, *_ in words.FUNCTIONS:
            lines += [
                "[[allotment]]",
                f'unit = "{unit}"',
                f'function = "{function}"',
                f'function_name = "{name}"',
                f'way = "{way}"',
                f'amount = "{_GRANT_YUAN}.00"',
            ]
    _write_lines(stage.directory / ALLOTMENTS, lines)
    for file, place, number, purpose in (
        *_orders(APPROPRIATIONS, f"BK{year}", "校舍维修"),
        *_orders(SPECIAL_PAYMENTS, f"ZK{year}", "社会保险基金支出"),
    ):
        unit, *_ = words.UNITS[place]
        function, name, *_ = words.FUNCTIONS[place]
        lines = [
            f'number = "{number}"',
            f'unit = "{unit}"',
            f'function = "{function}"',
            f'function_name = "{name}"',
            f'amount = "{place}20000.50"',
            f'purpose = "{purpose}"',
            "[payee]",
            f'account = "62220000111{place}"',
            'name = "湖北建设公司"',
            'bank_no = "105521000000"',
        ]
        _write_lines(stage.directory / file, lines)


def _orders(
    files: Sequence[str], prefix: str, purpose: str
) -> Iterator[tuple[str, int, str, str]]:
    """Yield file, place, number and purpose of each order."""
    for place, file in enumerate(files, start=1):
        yield file, place, f"{prefix}-{place:03}", purpose


def _write_lines(file: Path, lines: Iterable[str]) -> None:
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write(stage: Stage, plan: Plan) -> Material:
    """Write all files; the same plan gives the same bytes."""
    # Nothing here is a secret; the seed is there to be repeated.
    maker = VoucherMaker(
        Random(plan.seed),  # noqa: S311
        year=plan.day.year,
        banks=[bank.code for bank in BANKS],
    )
    material = Material(sound=plan.files)
    for index in range(plan.files):
        voucher = _of_day(maker.make(rows_min=_rows_of(index)), plan)
        if index < len(SPECIAL):
            _make_special(stage, material, voucher, SPECIAL[index])
        _save(stage, voucher, file_of(voucher))
    for number in range(plan.broken):
        voucher = _of_day(maker.make(rows_min=ROWS_MIN), plan)
        body = FAULTS[number % len(FAULTS)].apply(voucher)
        material.broken.append(_save(stage, voucher, body))
    return material


def _rows_of(index: int) -> int:
    """Return the fewest rows of a file: the first after the special ones is a salary's.

    A batch (批量业务) pays hundreds of persons by one voucher.
    """
    return _BATCH_ROWS if index == len(SPECIAL) else 1


def _of_day(voucher: Voucher, plan: Plan) -> Voucher:
    """Date a voucher: nobody issues one of another day."""
    voucher.main["VouDate"] = written(plan.day)
    return voucher


def _make_special(
    stage: Stage, material: Material, voucher: Voucher, fate: str
) -> None:
    """Arrange that a voucher meets its fate."""
    material.numbers[fate] = voucher.number
    match fate:
        case "reject":
            _set_account(voucher, _SHORT_ACCOUNT)
        case "return":
            material.fates[voucher.bank][voucher.number] = Fate.REFUSED
        case "unknown":
            material.fates[voucher.bank][voucher.number] = Fate.LOST_AFTER
        case "correct":
            right = voucher.rows[0]["PayeeAcctNo"]
            (stage.corrections / _name(voucher)).write_bytes(file_of(voucher))
            _set_account(voucher, right[::-1])
        case _:
            pass  # the issuer discards it by its number


def _set_account(voucher: Voucher, account: str) -> None:
    voucher.rows[0]["PayeeAcctNo"] = account
    if voucher.main["PayeeAcctNo"]:
        voucher.main["PayeeAcctNo"] = account


def _save(stage: Stage, voucher: Voucher, body: bytes) -> str:
    name = _name(voucher)
    (stage.files / name).write_bytes(body)
    return name


def _name(voucher: Voucher) -> str:
    return f"{voucher.main['VtCode']}-{voucher.bank}-{voucher.number}.xml"
