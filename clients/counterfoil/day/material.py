"""The day's vouchers: sound ones, broken ones, and a few with a fate of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from counterfoil.bank.core import Fate
from counterfoil.day.stage import BANKS, FINANCE, UNIT, Stage
from counterfoil.sample.documents import KEY, envelope, file_of, inner_document
from counterfoil.sample.faults import FAULTS, ROWS_MIN
from counterfoil.sample.vouchers import MAIN, ROW, Voucher, VoucherMaker

YEAR: Final = 2026
AUTHORISED: Final = 2
"""Authorised payments that the hosted unit issues."""
SPECIAL: Final = ("reject", "return", "discard", "correct", "unknown")
"""What happens to the first vouchers of the day, in this order."""

_NOT_IN_8202_MAIN: Final = frozenset({"FileNoCode", "FileNoName"})
_NOT_IN_8202_ROW: Final = _NOT_IN_8202_MAIN | {"MOFDepCode", "MOFDepName"}
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


def write(stage: Stage, *, files: int, broken: int, seed: int) -> Material:
    """Write all files; the same arguments give the same bytes."""
    # Nothing here is a secret; the seed is there to be repeated.
    maker = VoucherMaker(
        Random(seed),  # noqa: S311
        year=YEAR,
        banks=[bank.code for bank in BANKS],
    )
    material = Material(sound=files)
    vouchers = (maker.make() for _ in range(files))
    for index, voucher in enumerate(vouchers):
        if index < len(SPECIAL):
            _make_special(stage, material, voucher, SPECIAL[index])
        _save(stage, FINANCE.code, voucher, file_of(voucher))
    for number in range(broken):
        voucher = maker.make(rows_min=ROWS_MIN)
        body = FAULTS[number % len(FAULTS)].apply(voucher)
        material.broken.append(_save(stage, FINANCE.code, voucher, body))
    for _ in range(AUTHORISED):
        voucher = maker.make()
        _save(stage, UNIT.code, voucher, _authorised(voucher))
    return material


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
            folder = stage.corrections(FINANCE.code)
            (folder / _name(voucher)).write_bytes(file_of(voucher))
            _set_account(voucher, right[::-1])
        case _:
            pass  # the issuer discards it by its number


def _set_account(voucher: Voucher, account: str) -> None:
    voucher.rows[0]["PayeeAcctNo"] = account
    if voucher.main["PayeeAcctNo"]:
        voucher.main["PayeeAcctNo"] = account


def _authorised(voucher: Voucher) -> bytes:
    """Return a direct payment's content as an authorised payment (8202)."""
    code = UNIT.code.partition("-")[2]
    agency = {"AgencyCode": code, "AgencyName": UNIT.name}
    main = voucher.main | agency
    main |= {
        "VtCode": "8202",
        "PayTypeCode": "12",
        "PayTypeName": "财政授权支付",
        "PayAcctName": f"{UNIT.name}零余额账户",
    }
    voucher.main = _without(main, MAIN, _NOT_IN_8202_MAIN)
    voucher.rows = [
        _without(row | agency, ROW, _NOT_IN_8202_ROW) for row in voucher.rows
    ]
    key = {name: voucher.main[name] for name in KEY}
    return envelope(key, inner_document(voucher))


def _without(
    texts: dict[str, str], order: Iterable[str], left_out: frozenset[str]
) -> dict[str, str]:
    return {
        name: texts[name] for name in order if name in texts and name not in left_out
    }


def _save(stage: Stage, issuer: str, voucher: Voucher, body: bytes) -> str:
    name = _name(voucher)
    (stage.files(issuer) / name).write_bytes(body)
    return name


def _name(voucher: Voucher) -> str:
    return f"{voucher.main['VtCode']}-{voucher.bank}-{voucher.number}.xml"
