"""The table for classified protection names tests and settings that exist."""

from __future__ import annotations

import ast
import dataclasses
import re
import typing
from functools import cache

import pytest

from counterfoil.daemon.config import Configuration
from tools.tree import ROOT

pytestmark = pytest.mark.clause("hubei-10")

PAGE = ROOT / "docs/classified-protection.md"
_ROW = re.compile(
    r"^\| (8\.1\.[0-9. a-g]+?) \| (.+?) \| (.*?) \| (.+) \|$", re.MULTILINE
)
_TEST = re.compile(r"`(tests/[a-z_/]+\.py)::(\w+)`")
_SETTING = re.compile(r"`([a-z]+)\.([a-z0-9_]+)`")

REQUIREMENTS = {
    "8.1.2.1": "",
    "8.1.2.2": "ab",
    "8.1.2.3": "",
    "8.1.3.1": "",
    "8.1.3.2": "abcde",
    "8.1.3.3": "",
    "8.1.3.4": "",
    "8.1.3.5": "",
    "8.1.3.6": "",
    "8.1.4.1": "abcd",
    "8.1.4.2": "abcdefg",
    "8.1.4.3": "abcd",
    "8.1.4.4": "abcdef",
    "8.1.4.5": "",
    "8.1.4.6": "",
    "8.1.4.7": "ab",
    "8.1.4.8": "ab",
    "8.1.4.9": "abc",
    "8.1.4.10": "",
    "8.1.4.11": "",
    "8.1.5.1": "",
    "8.1.5.2": "",
    "8.1.5.3": "",
    "8.1.5.4": "abcdef",
}
"""The requirements of GB/T 22239-2019, 8.1.2 to 8.1.5, by the letters told apart."""

ROWS: list[tuple[str, str, str, str]] = _ROW.findall(PAGE.read_text("utf-8"))


@cache
def functions_of(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def settings() -> set[tuple[str, str]]:
    found = set()
    for section, hint in typing.get_type_hints(Configuration).items():
        kind = typing.get_args(hint)[0] if typing.get_origin(hint) else hint
        if dataclasses.is_dataclass(kind):
            found |= {(section, each.name) for each in dataclasses.fields(kind)}
    return found


def test_every_requirement_has_its_row_in_order() -> None:
    due = [
        f"{number} {letter}".strip()
        for number, letters in REQUIREMENTS.items()
        for letter in letters or [""]
    ]

    assert [number for number, *_ in ROWS] == due


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_a_row_names_exists(row: tuple[str, str, str, str]) -> None:
    _, requirement, status, by = row

    missing = [
        f"{file}::{name}"
        for file, name in _TEST.findall(by)
        if not (ROOT / file).exists() or name not in functions_of(file)
    ]

    assert missing == []
    assert set(_SETTING.findall(by)) <= settings()
    assert requirement
    assert status in {"met", "part", "yours"}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_is_met_is_shown_by_a_test(row: tuple[str, str, str, str]) -> None:
    _, _, status, by = row

    assert status != "met" or _TEST.search(by), "a claim without a test"
    assert status != "yours" or not _TEST.search(by), "not ours, and yet tested?"


def test_all_that_is_named_so_is_found() -> None:
    text = PAGE.read_text("utf-8")
    named = {name for _, _, _, by in ROWS for name in _TEST.findall(by)}

    assert len(named) > 25
    assert text.count("tests/") == sum(len(_TEST.findall(row[3])) for row in ROWS) + 1
