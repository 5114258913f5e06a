"""The conformance suite judges a log that has an SM3 tree."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from counterfoil.conformance import sm3_tree
from counterfoil.conformance.suite import CHECKS, Finding, judged
from counterfoil.conformance.target import Target, read_target
from counterfoil.conformance.verdicts import Verdict
from counterfoil.sm2.libcrypto import Sm2Unavailable
from tests.houses import FINANCE, Town, running
from tests.integration.judged import documented, written
from tests.integration.lies import LIES, SM3
from tests.integration.relay import Lie, relaying

pytestmark = [
    pytest.mark.tools,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.clause("hubei-7"),
]

JUDGED = [check for check in CHECKS if check.number in SM3]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(
    tmp_path_factory: pytest.TempPathFactory, program: Callable[[str], Path]
) -> AsyncIterator[Town]:
    """Run finance's gateway, whose log has the tree."""
    program("libcrypto")
    made = Town(directory=tmp_path_factory.mktemp("sm3"), sm3=(FINANCE,))
    made.initialise(FINANCE)
    async with running(made, FINANCE):
        yield made


@pytest.fixture
def target(town: Town) -> Target:
    return read_target(written(town, documented(town)))


async def found(target: Target, *numbers: int) -> list[Finding]:
    checks = [check for check in JUDGED if not numbers or check.number in numbers]
    return [finding async for finding in judged(target, checks)]


async def test_our_own_gateway_passes(target: Target) -> None:
    findings = await found(target)

    assert [one.check.number for one in findings] == sorted(SM3)
    assert [one for one in findings if one.verdict is not Verdict.PASSED] == []


async def test_a_relay_that_tells_the_truth_passes(town: Town, target: Target) -> None:
    async with relaying(town, Lie()) as port:
        findings = await found(replace(target, address=f"127.0.0.1:{port}"))

    assert {one.verdict for one in findings} == {Verdict.PASSED}


@pytest.mark.parametrize(
    ("number", "name"), [(number, name) for number in SM3 for name in LIES[number]]
)
async def test_a_lie_is_found_by_its_check(
    town: Town, target: Target, number: int, name: str
) -> None:
    async with relaying(town, LIES[number][name]) as port:
        address = f"127.0.0.1:{port}"
        (finding,) = await found(replace(target, address=address), number)

    assert finding.verdict is Verdict.FAILED, finding
    assert "UNAVAILABLE" not in finding.why


async def test_heads_of_the_first_tree_are_none_of_the_second(target: Target) -> None:
    findings = await found(replace(target, sm3_heads=target.heads))

    assert {one.verdict for one in findings} == {Verdict.FAILED}


async def test_a_machine_without_sm2_judges_nothing_of_it(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object) -> None:
        raise Sm2Unavailable("no library")

    monkeypatch.setattr(sm3_tree, "head_of", unavailable)

    findings = await found(target)

    assert {one.verdict for one in findings} == {Verdict.NOT_APPLICABLE}
    assert {one.why for one in findings} == {"gateway.sm3_heads: no library"}
