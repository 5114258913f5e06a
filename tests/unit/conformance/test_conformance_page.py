"""What docs/conformance.md says of the suite is what the suite is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from counterfoil.conformance import report
from counterfoil.conformance.services import SERVICES
from counterfoil.conformance.suite import CHECKS
from counterfoil.rpc import services as rpc_services
from tests.integration.judged import PAGE
from tests.integration.lies import LIES, VERSIONS

CLAUSES = Path(__file__).parents[2] / "clauses.txt"


@pytest.mark.clause("hubei-7")
def test_the_page_lists_every_check() -> None:
    text = PAGE.read_text(encoding="utf-8")

    listed = re.findall(r"<!-- checks -->\n(.*?)<!-- /checks -->", text, re.DOTALL)

    assert listed == [report.table(CHECKS)], "run: counterfoil-conformance --list"


def test_every_service_of_a_gateway_is_asked_for() -> None:
    assert {service.full_name for service in SERVICES} == set(rpc_services.SERVICES)


def test_numbers_are_given_once_and_rise() -> None:
    numbers = [check.number for check in CHECKS]

    assert numbers == sorted(set(numbers))


@pytest.mark.clause("hubei-7")
def test_for_every_check_there_is_a_gateway_that_fails_it() -> None:
    assert sorted([*LIES, *VERSIONS]) == [check.number for check in CHECKS]


def test_every_check_stands_for_a_clause() -> None:
    ids = {line.partition("\t")[0] for line in CLAUSES.read_text().splitlines()}

    assert [check.number for check in CHECKS if check.clause not in ids] == []


def test_every_check_is_told_in_both_languages() -> None:
    chinese = re.compile("[\u4e00-\u9fff]")

    for check in CHECKS:
        assert check.title.endswith("."), check.number
        assert not chinese.search(check.title), check.number
        assert chinese.search(check.title_zh), check.number
        assert check.title_zh.endswith("。"), check.number
