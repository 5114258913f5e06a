from pathlib import Path

import pytest

from tools.mutants import files_naming, guarded_reasons, read_equivalent, run
from tools.raise_sites import all_raise_sites, raise_sites, refusal_reasons

REFUSALS = b"""
from typing import ClassVar

class CounterfoilError(Exception):
    reason: ClassVar[str]

class Refused(CounterfoilError): ...

class Full(Refused):
    reason = "VAULT_FULL"

class VeryFull(Full): ...

class Reused(Refused):
    reason: ClassVar[str] = "KEY_REUSED"

class NotOurs(ValueError):
    reason = "NOT_OURS"
"""
VAULT = """
from refusals import Full, Reused

def put(keys: set[str], key: str, room: int) -> None:
    if room < 0: raise Reused("存根", key)
    if room == 0:
        raise Full(
            "no room",
        ) from None
    if key in keys:
        raise Reused(key)
    raise ValueError
""".encode()


def test_a_reason_is_stated_or_inherited_by_refusals_only() -> None:
    assert refusal_reasons([REFUSALS]) == {
        "Full": "VAULT_FULL",
        "VeryFull": "VAULT_FULL",
        "Reused": "KEY_REUSED",
    }


def test_a_refusal_of_another_module_is_found() -> None:
    other = b"class Late(refusals.Refused):\n    reason = 'LATE'\n"

    assert refusal_reasons([other, REFUSALS])["Late"] == "LATE"


def test_a_class_of_the_same_name_elsewhere_hides_no_refusal() -> None:
    other = b"class Refused:\n    reason: str\n"

    assert refusal_reasons([REFUSALS, other]) == refusal_reasons([REFUSALS])


def test_a_reason_is_inherited_over_several_classes() -> None:
    other = b"class A(B): ...\nclass B(C): ...\nclass C(VeryFull): ...\n"

    assert refusal_reasons([other, REFUSALS])["A"] == "VAULT_FULL"


def test_a_function_that_makes_a_refusal_counts_like_its_class() -> None:
    vault = b"def _full() -> Full: ...\ndef put():\n    raise _full()\n"

    sites = raise_sites("v.py", vault, refusal_reasons([REFUSALS, vault]))

    assert [site.name for site in sites] == ["v.py::put VAULT_FULL 1"]


def test_a_function_of_the_module_comes_before_one_of_its_name_elsewhere() -> None:
    full = b"def _no() -> Full: ...\ndef put():\n    raise _no()\n"
    reused = b"def _no() -> Reused: ...\ndef put():\n    raise _no()\n"
    other = b"def _no() -> ValueError: ...\ndef put():\n    raise _no()\n"
    reasons = refusal_reasons([REFUSALS, full, reused, other])

    found = [
        [site.reason for site in raise_sites("vault.py", source, reasons)]
        for source in (full, reused, other)
    ]

    assert found == [["VAULT_FULL"], ["KEY_REUSED"], []]


def test_each_raise_of_a_refusal_is_a_site_with_a_name() -> None:
    sites = list(raise_sites("vault.py", VAULT, refusal_reasons([REFUSALS])))

    assert [site.name for site in sites] == [
        "vault.py::put KEY_REUSED 1",
        "vault.py::put VAULT_FULL 1",
        "vault.py::put KEY_REUSED 2",
    ]


def test_switching_a_site_off_leaves_all_else() -> None:
    first, second, _ = raise_sites("v.py", VAULT, refusal_reasons([REFUSALS]))

    assert first.switched_off(VAULT) == VAULT.replace(
        'raise Reused("存根", key)'.encode(), b"pass"
    )
    assert second.switched_off(VAULT) == VAULT.replace(
        b'raise Full(\n            "no room",\n        ) from None', b"pass"
    )


def test_only_test_modules_that_name_the_reason_are_run(tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_one.py").write_text('refusal("FULL")')
    (tests / "test_two.py").write_text('refusal("VAULT_FULL")')

    assert files_naming(tmp_path, "FULL") == ["tests/test_one.py"]


def test_tests_of_a_shared_module_stand_where_it_is_imported(tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "full_contract.py").write_text('mark("FULL")')
    (tests / "test_one.py").write_text("from tests.full_contract import Contract")
    (tests / "test_two.py").write_text("from tests.other_contract import Contract")

    assert files_naming(tmp_path, "FULL") == ["tests/test_one.py"]


def test_a_reason_is_guarded_when_all_its_tests_pass() -> None:
    report = {
        "tests": {
            "one": {"outcome": "passed", "refusals": ["A", "B"]},
            "two": {"outcome": "failed", "refusals": ["B"]},
        }
    }

    assert guarded_reasons(report) == {"A"}


def test_an_equivalent_mutant_needs_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "equivalent.txt"
    path.write_text("# reviewed\na.py::f A 1\tthe same bytes are written\n")
    assert read_equivalent(path) == {"a.py::f A 1": "the same bytes are written"}

    path.write_text("a.py::f A 1\n")
    with pytest.raises(ValueError, match="no reason"):
        read_equivalent(path)


SUITE = """
import pytest
from refusals import Full, Reused
from vault import put

@pytest.mark.refusal("VAULT_FULL")
def test_full():
    with pytest.raises(Full):
        put(set(), "a", 0)

@pytest.mark.refusal("KEY_REUSED")
def test_reused():
    with pytest.raises(Reused):
        put(set(), "a", -1)
"""
CONFTEST = """
import json
from pathlib import Path

def pytest_addoption(parser):
    parser.addoption("--refusal")
    parser.addoption("--report", type=Path)

def pytest_configure(config):
    config.addinivalue_line("markers", "refusal: of one check")
    config.addinivalue_line("markers", "tools: none here")

def reasons(item):
    return [reason for mark in item.iter_markers("refusal") for reason in mark.args]

def pytest_collection_modifyitems(config, items):
    if config.option.refusal:
        items[:] = [i for i in items if config.option.refusal in reasons(i)]

def pytest_sessionfinish(session):
    if session.config.option.report:
        tests = {
            item.nodeid: {"outcome": "passed", "refusals": reasons(item)}
            for item in session.items
        }
        session.config.option.report.parent.mkdir(exist_ok=True)
        session.config.option.report.write_text(json.dumps({"tests": tests}))
"""


def test_an_unnoticed_mutant_survives_and_a_noticed_one_is_killed(
    tmp_path: Path,
) -> None:
    for name, content in {
        "gateway/refusals.py": REFUSALS,
        "gateway/vault.py": VAULT,
        "tests/conftest.py": CONFTEST.encode(),
        "tests/test_vault.py": SUITE.encode(),
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    modules = [tmp_path / "gateway/refusals.py", tmp_path / "gateway/vault.py"]

    outcomes = run(tmp_path, all_raise_sites(tmp_path, modules), processes=2)

    assert [(outcome.site.name, outcome.word) for outcome in outcomes] == [
        ("gateway/vault.py::put KEY_REUSED 1", "killed"),
        ("gateway/vault.py::put VAULT_FULL 1", "killed"),
        ("gateway/vault.py::put KEY_REUSED 2", "SURVIVED"),
    ]
    assert modules[1].read_bytes() == VAULT
