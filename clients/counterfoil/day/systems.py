"""The business systems of the day: which program each is, and its configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from counterfoil.bank.lines import TOP_LEVEL
from counterfoil.day.cast import (
    ADM_DIV,
    BANKS,
    FINANCE,
    PARTIES,
    PAYERS,
    SPECIAL_ACCOUNT,
    SPECIAL_BANK,
    TREASURY,
    UNITS,
    Institution,
    bank_number,
)
from counterfoil.day.material import Material
from counterfoil.day.phases import Start
from counterfoil.day.stage import Stage
from counterfoil.sample import words
from counterfoil.sample.vouchers import bank_of

MODULES: Final[Mapping[str, str]] = {
    "finance": "counterfoil.finance",
    "treasury": "counterfoil.treasury",
    "agent-bank": "counterfoil.bank",
    "special-account-bank": "counterfoil.bank",
    "budget-unit": "counterfoil.unit",
}
"""Which program is the business system of which kind of institution."""

OPENING_FEN: Final = 10_000_000_000_000
"""What the single account holds in the morning: a hundred billion yuan."""
SINGLE_ACCOUNT: Final = "42000000001"
SINGLE_ACCOUNT_NAME: Final = "湖北省财政国库单一账户"
SPECIAL_OPENING_FEN: Final = 50_000_000_000
"""What the special account (财政专户) holds in the morning."""
TREASURY_CODE: Final = "4200000000"
FINANCE_CODE: Final = "420000000"

_CALLERS: Final = {
    "system": ("system", "1"),
    "first_reviewer": ("person", "first"),
    "second_reviewer": ("person", "second"),
}
_TREASURY: Final = {
    "party": TREASURY.code,
    "code": TREASURY_CODE,
    "account": SINGLE_ACCOUNT,
    "account_name": SINGLE_ACCOUNT_NAME,
}

Table = Mapping[str, Any]


def write_systems(stage: Stage, material: Material, seed: int) -> None:
    """Write the configuration of every business system."""
    for one in PARTIES:
        tables = {
            "finance": _finance,
            "treasury": _treasury,
            "agent-bank": lambda bank: _bank(bank, material, seed),
            "special-account-bank": lambda bank: _special_bank(bank, material, seed),
            "budget-unit": _unit,
        }[one.kind](one)
        text = "\n".join(_toml({**_office(stage, one), **tables})) + "\n"
        stage.system(one.code).write_text(text, encoding="utf-8")


def _office(stage: Stage, one: Institution) -> dict[str, Any]:
    """Return how a system reaches its gateway, and where its books are."""
    pki = f"../../pki/{one.code}"
    tables: dict[str, Any] = {
        "office": {
            "party": one.code,
            "address": stage.addresses[one.carrier or one.code],
            "authorities": "../../pki/authorities.pem",
        }
    }
    for caller, (use, name) in _CALLERS.items():
        tables[f"office.caller.{caller}"] = {
            "certificate": f"{pki}/{use}-{name}.pem",
            "key": f"file:{pki}/{use}-{name}.key",
            "passphrase": f"file:{pki}/{use}-{name}.pass",
        }
    # Relative to the working directory, which is the system's own folder.
    tables["books"] = {"url": "sqlite:///books.sqlite"}
    tables["calendar"] = {"days": f"../../{stage.working_days.name}"}
    return tables


def _bank_list(banks: Sequence[Institution] = BANKS) -> list[Table]:
    return [
        {"number": bank_number(bank.code), "party": bank.code, "code": bank.short}
        for bank in banks
    ]


def _finance(_one: Institution) -> dict[str, Any]:
    return {
        "banks": {
            **{bank.short: bank.code for bank in BANKS},
            "default": BANKS[0].code,
        },
        "finance": {
            "treasury": TREASURY.code,
            "adm_div": ADM_DIV,
            "tre_code": TREASURY_CODE,
            "fin_org_code": FINANCE_CODE,
            "account": SINGLE_ACCOUNT,
            "account_name": SINGLE_ACCOUNT_NAME,
            "opening_fen": OPENING_FEN,
        },
        "bank": _bank_list(PAYERS),
        "special": {
            "number": SPECIAL_ACCOUNT,
            "name": f"{FINANCE.name}财政专户",
            "bank": bank_number(SPECIAL_BANK.code),
            "opening_fen": SPECIAL_OPENING_FEN,
        },
        "unit": [
            {
                "code": code,
                "party": f"{ADM_DIV}-{code}",
                "name": name,
                "top": top,
                "bank": bank_number(bank_of(top, [bank.code for bank in BANKS])),
            }
            for code, name, top, _ in words.UNITS
        ],
    }


def _treasury(_one: Institution) -> dict[str, Any]:
    return {
        "treasury": {
            "finance": FINANCE.code,
            "adm_div": ADM_DIV,
            "tre_code": TREASURY_CODE,
            "fin_org_code": FINANCE_CODE,
            "account": SINGLE_ACCOUNT,
            "opening_fen": OPENING_FEN,
        },
        "bank": _bank_list(),
    }


def _bank(bank: Institution, material: Material, seed: int) -> dict[str, Any]:
    return {
        "bank": {
            "number": bank_number(bank.code),
            "code": bank.short,
            "account": f"27{bank.short}0{ADM_DIV}0000001",
            "account_name": f"{bank.name}清算户",
        },
        "treasury": _TREASURY,
        "finance": {"party": FINANCE.code, "code": FINANCE_CODE},
        "units": {unit.short: unit.code for unit in UNITS},
        "core": {"url": "sqlite:///core.sqlite", "seed": seed},
        "core.fates": material.fates.get(bank.code, {}),
    }


def _special_bank(bank: Institution, material: Material, seed: int) -> dict[str, Any]:
    return {
        **_bank(bank, material, seed),
        "accounts": {SPECIAL_ACCOUNT: SPECIAL_OPENING_FEN},
    }


def _unit(unit: Institution) -> dict[str, Any]:
    bank = next(one for one in BANKS if one.code == unit.bank)
    branch = f"{bank.name}营业部"
    return {
        "unit": {
            "adm_div": ADM_DIV,
            "code": unit.short,
            "name": unit.name,
            "top": unit.short[:TOP_LEVEL],
            "finance": FINANCE.code,
            "bank": bank_number(unit.bank),
        },
        "unit.account": {
            "number": f"17{bank.short}0{unit.short}",
            "name": f"{unit.name}零余额账户",
            "bank": branch,
        },
        "unit.direct_account": {
            "number": f"17{bank.short}0{ADM_DIV}0000001",
            "name": f"{FINANCE.name}零余额账户",
            "bank": branch,
        },
        "bank": _bank_list(),
    }


def _toml(tables: Mapping[str, Table | Sequence[Table]]) -> Iterator[str]:
    """Yield the lines of a TOML file: tables, and lists of tables."""
    for name, content in tables.items():
        one, many = f"[{name}]", f"[[{name}]]"
        head, listed = (
            (one, [content]) if isinstance(content, Mapping) else (many, content)
        )
        for table in listed:
            yield head
            for key, value in table.items():
                yield f"{json.dumps(key)} = {json.dumps(value, ensure_ascii=False)}"


def run_line(start: Start) -> list[str]:
    """Return Python's arguments that run a business system for the day."""
    module = MODULES[start.whose.kind]
    return ["-m", module, "run", "--config", "system.toml", *start.options]
