"""The shape of the tree that the packaging and the contract rely on."""

import re
from pathlib import Path
from typing import Final

import pytest

from tools.tree import ROOT, SOURCE_ROOTS, files_below

PROTO_PACKAGES: Final = frozenset(
    {
        "carry",
        "catalogue",
        "continuity",
        "desk",
        "exchange",
        "form",
        "keeping",
        "reconciliation",
        "registry",
        "sealed",
    }
)
# Written so that this file does not match them.
FOREIGN: Final = re.compile(
    rb"[.][.]/shared|(?<![\w.])/(?:work|Users)/\w|(?<![\w.])/[r]oot/|/home/\w+/"
)
PROSE: Final = {".md"}


def packages_of(root: str) -> set[Path]:
    namespace = ROOT / root / "counterfoil"
    return {path.parent for path in namespace.glob("*/*") if path.suffix == ".py"} | {
        path.parents[1] for path in namespace.glob("*/v*/*.py")
    }


def test_no_root_breaks_the_namespace() -> None:
    found = [ROOT / root / "counterfoil/__init__.py" for root in SOURCE_ROOTS]

    assert [path for path in found if path.exists()] == []


@pytest.mark.parametrize("root", SOURCE_ROOTS)
def test_no_root_is_a_package_itself(root: str) -> None:
    assert not (ROOT / root / "__init__.py").exists()


def test_no_package_lies_in_two_roots() -> None:
    names = [package.name for root in SOURCE_ROOTS for package in packages_of(root)]

    assert sorted(names) == sorted(set(names))


def test_no_package_outside_proto_is_named_like_one_of_the_contract() -> None:
    theirs = {path.name for path in (ROOT / "proto/counterfoil").iterdir()}
    ours = {
        path.name
        for root in SOURCE_ROOTS
        if root != "proto"
        for path in (ROOT / root / "counterfoil").iterdir()
        if path.is_dir()
    }

    assert ours & (theirs | PROTO_PACKAGES) == set()


def test_the_contract_holds_no_package_that_the_layers_do_not_know() -> None:
    theirs = {p.name for p in (ROOT / "proto/counterfoil").iterdir() if p.is_dir()}

    assert theirs - {"__pycache__"} <= PROTO_PACKAGES


def test_every_package_says_that_it_is_typed() -> None:
    untyped = [
        package.relative_to(ROOT).as_posix()
        for root in SOURCE_ROOTS
        for package in packages_of(root)
        if not (package / "py.typed").exists()
    ]

    assert untyped == []


def test_no_file_names_a_place_outside_the_repository() -> None:
    found = [
        path.relative_to(ROOT).as_posix()
        for path in files_below(ROOT, "")
        if path.suffix not in PROSE and FOREIGN.search(path.read_bytes())
    ]

    assert found == []
