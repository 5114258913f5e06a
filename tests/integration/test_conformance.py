"""The conformance suite: our own gateway passes, and each lie is found by its check."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from counterfoil.app import late as app_late
from counterfoil.app.late import JudgeLate
from counterfoil.conformance.suite import CHECKS, Finding, judged
from counterfoil.conformance.target import Target, read_target
from counterfoil.conformance.verdicts import Verdict
from counterfoil.daemon.clock import SystemClock
from counterfoil.daemon.gateway import Gateway
from counterfoil.domain import duties
from counterfoil.domain import registering as domain_registering
from counterfoil.domain.changes import filings as filing_changes
from counterfoil.domain.changes import parties as party_changes
from counterfoil.domain.changes import peers as peer_changes
from counterfoil.domain.register import Register
from tests.houses import BANK, FINANCE, Town, environment, free_port, running
from tests.integration.judged import documented, reviewed, with_a_stranger, written
from tests.integration.lies import GARBAGE, LIES, SM3, TAKES_STRIPPED, VERSIONS
from tests.integration.relay import Lie, relaying, speaking

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.clause("hubei-7"),
]

BY_NUMBER = {check.number: check for check in CHECKS}


@dataclass(frozen=True, slots=True)
class Judged:
    """Finance's gateway, running, and what judges it."""

    town: Town
    target: Target

    async def findings(self, port: int = 0, *numbers: int) -> list[Finding]:
        """Return what comes of some checks, or all, at a port, or at the gateway's."""
        # Its spare seals are used up by each run.
        target = read_target(written(self.town, documented(self.town)))
        if port:
            target = replace(target, address=f"127.0.0.1:{port}")
        checks = [BY_NUMBER[number] for number in numbers] or CHECKS
        return [finding async for finding in judged(target, checks)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Judged]:
    limits = "retry_s_min = 0.05\nretry_s_max = 0.2\nwitness_s = 0.1"
    settings = {"limits": limits}
    town = Town(directory=tmp_path_factory.mktemp("judged"), settings=settings)
    with_a_stranger(town)
    town.initialise(FINANCE)
    async with running(town, FINANCE):
        yield Judged(town, read_target(written(town, documented(town))))


def _failures(findings: list[Finding]) -> list[str]:
    return [
        f"{one.check.number} {one.verdict.value}: {one.why}"
        for one in findings
        # This log has no SM3 tree; of one that has, tests/tools/test_sm3_conformance.
        if one.verdict is not Verdict.PASSED and one.check.number not in SM3
    ]


async def test_our_own_gateway_passes_every_check(house: Judged) -> None:
    findings = await house.findings()

    assert _failures(findings) == []
    assert [one.check for one in findings] == list(CHECKS)
    absent = {one.check.number for one in findings if "sm3_heads" in one.why}
    assert absent == SM3


async def test_a_kind_that_persons_review_is_judged_with_all_its_seals(
    tmp_path: Path,
) -> None:
    town = Town(directory=tmp_path / "reviewed")
    town.initialise(BANK)
    target = read_target(written(town, reviewed(town)))
    async with running(town, BANK):
        findings = [finding async for finding in judged(target)]
        callers = [(FINANCE, "gateway", "1")]
        async with relaying(town, TAKES_STRIPPED, at=BANK, callers=callers) as port:
            lied_to = replace(target, address=f"localhost:{port}")
            stripped = [one async for one in judged(lied_to, [BY_NUMBER[403]])]

    assert [one.why for one in stripped] == [
        "the document was stored, not refused as SEAL_FORGED"
    ]
    # It has no receipt, the bank hosts nobody, and no person signs registrations.
    unnamed = [one for one in CHECKS if one.needs and "desk" not in one.needs]
    assert [one.check for one in findings if one.why] == unnamed
    assert {one.verdict for one in findings if one.why} == {Verdict.NOT_APPLICABLE}


async def test_a_relay_that_tells_the_truth_passes_every_check(house: Judged) -> None:
    # So it is the lie, and not the relay, that the checks below find.
    async with relaying(house.town, Lie()) as port:
        assert _failures(await house.findings(port)) == []


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (number, name)
        for number, lies in LIES.items()
        if number not in SM3
        for name in lies
    ],
)
async def test_a_lie_is_found_by_its_check(
    house: Judged, number: int, name: str
) -> None:
    async with relaying(house.town, LIES[number][name]) as port:
        (finding,) = await house.findings(port, number)

    assert finding.verdict is Verdict.FAILED, finding
    # It says what it saw: that the gateway is away would be no finding.
    assert finding.why
    assert "UNAVAILABLE" not in finding.why


async def test_what_is_no_message_fails_a_check_and_ends_no_run(house: Judged) -> None:
    async with relaying(house.town, GARBAGE) as port:
        findings = await house.findings(port)

    passed = [one.check.number for one in findings if one.verdict is Verdict.PASSED]
    # Of the connection, and of what is refused without an answer to read.
    assert passed == [101, 606]


@pytest.mark.parametrize("number", sorted(VERSIONS))
async def test_another_version_of_tls_is_found_by_its_check(
    house: Judged, number: int
) -> None:
    async with speaking(house.town, *VERSIONS[number]) as port:
        (finding,) = await house.findings(port, number)

    assert finding.verdict is Verdict.FAILED, finding


async def test_what_the_file_does_not_name_is_not_applicable(house: Judged) -> None:
    bare = replace(
        house.target,
        receipt=None,
        system=None,
        reviewer=None,
        register=None,
        log=None,
        voucher=replace(house.target.voucher, misdirected="", unagreed=""),
    )

    needy = [check for check in CHECKS if check.needs]
    findings = [finding async for finding in judged(bare, needy)]

    assert needy
    assert {one.verdict for one in findings} == {Verdict.NOT_APPLICABLE}
    for one in findings:
        table = one.check.needs
        assert (table if "register" not in table else "register") in one.why


async def test_persons_who_sign_are_enough_for_what_needs_no_more(
    house: Judged,
) -> None:
    target = read_target(written(house.town, documented(house.town)))
    assert target.register is not None
    alone = replace(target.register, counterpart=None, unfiled=None, spares=())
    checks = [check for check in CHECKS if check.needs.startswith("register")]

    findings = [
        finding async for finding in judged(replace(target, register=alone), checks)
    ]

    by_needs: dict[str, set[Verdict]] = {}
    for one in findings:
        by_needs.setdefault(one.check.needs, set()).add(one.verdict)
        if one.check.needs != "register":
            assert one.check.needs in one.why
    away = {Verdict.NOT_APPLICABLE}
    assert by_needs == {
        "register": {Verdict.PASSED},
        "register.counterpart": away,
        "register.unfiled": away,
        "register.spare": away,
    }


async def test_a_spare_seal_that_is_used_up_is_not_applicable(house: Judged) -> None:
    target = read_target(written(house.town, documented(house.town)))
    loss = [BY_NUMBER[1201]]

    verdicts = [
        finding.verdict for _ in range(4) async for finding in judged(target, loss)
    ]

    assert verdicts == [Verdict.PASSED] * 3 + [Verdict.NOT_APPLICABLE]


@dataclass(slots=True)
class Ahead(SystemClock):
    """The machine's clock, some time on."""

    ahead_us: int = 0

    def now_us(self) -> int:
        """Return the instant, so much later."""
        return SystemClock.now_us(self) + self.ahead_us


SWITCHED_OFF = {
    "require_agreed": (1001, 1002, 1003, 1004, 1005, 1007),
    "require_filed": (1101, 1102, 1103, 1104, 1105),
    "require_not_void": (1201, 1202, 1204),
}
"""What the register judges, and the checks that must miss it."""


@pytest.mark.clause("hubei-6", "hubei-14", "hubei-15b")
@pytest.mark.parametrize("rule", SWITCHED_OFF)
async def test_a_gateway_whose_register_does_not_judge_is_found(
    house: Judged, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Register, rule, lambda *_: None)
    # Nor does it ask for a proof because of what the register says.
    monkeypatch.setattr(JudgeLate, "_is_late", lambda *_: False)

    for number in SWITCHED_OFF[rule]:
        (one,) = await house.findings(0, number)

        assert one.verdict is Verdict.FAILED, one
        assert "the document was stored, not refused" in one.why


@pytest.mark.clause("hubei-14")
async def test_a_gateway_that_witnessed_our_log_may_ask_before_it_refuses(
    house: Judged,
) -> None:
    # By then the spare seals of the next runs were good, as far as it can tell.
    findings = await house.findings(0, 1205)

    for number in (1201, 1202, 1204):
        findings += await house.findings(0, number)

    assert _failures(findings) == []


@pytest.mark.clause("hubei-14")
async def test_a_gateway_that_looks_at_no_proof_is_found(
    house: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_late, "require_earlier", lambda *_, **__: None)

    findings = await house.findings(0, 1206, 1207)

    assert [one.verdict for one in findings] == [Verdict.PASSED, Verdict.FAILED]
    assert "the document was stored, not refused" in findings[1].why


@pytest.mark.clause("hubei-14")
async def test_a_gateway_that_knows_no_late_vouchers_is_found(
    house: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JudgeLate, "_is_late", lambda *_: False)

    findings = await house.findings(0, 1201, 1204, 1206, 1207)

    verdicts = {one.check.number: one.verdict for one in findings}
    assert verdicts == {
        1201: Verdict.PASSED,
        1204: Verdict.PASSED,
        1206: Verdict.FAILED,
        1207: Verdict.FAILED,
    }


async def test_what_no_gateway_witnesses_in_time_is_not_applicable(
    house: Judged,
) -> None:
    target = read_target(written(house.town, documented(house.town)))
    assert target.log is not None
    # Nobody calls there.
    away = replace(target.log, listen=f"127.0.0.1:{free_port()}", patience_s=0.5)
    late = [BY_NUMBER[number] for number in (1205, 1206, 1207)]

    found = [one async for one in judged(replace(target, log=away), late)]

    assert {one.verdict for one in found} == {Verdict.NOT_APPLICABLE}
    assert {one.why.partition(";")[0] for one in found} == {
        "the gateway witnessed no head of the peer's log in 0.5 s"
    }


async def test_a_gateway_as_it_is_by_default_is_judged_once_it_has_run_an_hour(
    tmp_path: Path,
) -> None:
    town = Town(directory=tmp_path / "default")
    town.initialise(FINANCE)
    gateway = Gateway(town.configuration(FINANCE), clock=(clock := Ahead()))
    await gateway.start()
    try:
        target = read_target(written(town, documented(town)))
        assert target.log is not None
        soon = replace(target, log=replace(target.log, patience_s=2.0))
        late = [BY_NUMBER[number] for number in (1205, 1206, 1207)]

        clock.ahead_us = 3_600_000_000
        found = [one async for one in judged(target, late)]
        again = [one async for one in judged(soon, late)]
    finally:
        await gateway.stop()

    assert _failures(found) == []
    # The next head is an hour away.
    assert {one.verdict for one in again} == {Verdict.NOT_APPLICABLE}


async def test_a_port_that_is_taken_is_told(house: Judged) -> None:
    target = read_target(written(house.town, documented(house.town)))
    assert target.log is not None
    taken = replace(target.log, listen=target.address)

    (one,) = [
        one async for one in judged(replace(target, log=taken), [BY_NUMBER[1205]])
    ]

    assert one.verdict is Verdict.NOT_APPLICABLE
    assert one.why == f"peer.log: nobody can listen at {target.address}"


async def test_a_log_that_begins_anew_is_told(house: Judged) -> None:
    target = read_target(written(house.town, documented(house.town)))
    assert target.log is not None
    leaves, aside = target.log.leaves, target.log.leaves.with_suffix(".aside")
    # By the second, the gateway has seen more than a new log has at first.
    seen = [await house.findings(0, 1205) for _ in range(2)]
    assert _failures([*seen[0], *seen[1]]) == []

    leaves.rename(aside)
    try:
        (one,) = await house.findings(0, 1205)
    finally:
        aside.replace(leaves)

    assert one.verdict is Verdict.NOT_APPLICABLE
    assert "a log never begins anew" in one.why
    assert _failures(await house.findings(0, 1205)) == []


@pytest.mark.clause("hubei-24", "hubei-36")
async def test_a_gateway_that_asks_not_who_signed_is_found(
    house: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain_registering, "require_signed", lambda *_: None)

    findings = await house.findings(0, 1006, 1107, 1202)

    assert {one.verdict for one in findings} == {Verdict.FAILED}


@pytest.mark.clause("hubei-14", "hubei-15b")
async def test_a_gateway_that_lets_anybody_register_for_anybody_is_found(
    house: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing_changes, "require_own_holder", lambda *_: None)

    findings = await house.findings(0, 1106)

    assert {one.verdict for one in findings} == {Verdict.FAILED}


@pytest.mark.clause("hubei-24")
async def test_a_gateway_that_lets_a_peer_say_who_takes_part_is_found(
    house: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duties, "TOLD", object)
    for module in (party_changes, peer_changes):
        monkeypatch.setattr(module, "require_home", lambda *_: None)

    findings = await house.findings(0, 1301, 1302)

    # What it says of them now is that they do not fit what is registered.
    assert [one.why for one in findings] == [
        "refused as NOT_REGISTERED, not as MATTER_FOREIGN"
    ] * 2


async def test_a_check_that_fails_leaves_the_agreements_as_they_were(
    house: Judged,
) -> None:
    async with relaying(house.town, LIES[1001]["accepts it"]) as port:
        (finding,) = await house.findings(port, 1001)
    assert finding.verdict is Verdict.FAILED

    assert _failures(await house.findings(0, 301, 1001)) == []


async def _command(*arguments: object) -> tuple[int, str, str]:
    """Run the command; return its exit status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "counterfoil.conformance",
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
    )
    printed, said = await process.communicate()
    return process.returncode or 0, printed.decode(), said.decode()


async def test_the_command_tells_people_and_programs(
    house: Judged, tmp_path: Path
) -> None:
    file, report = written(house.town, documented(house.town)), tmp_path / "report.json"

    status, printed, _ = await _command("--config", file, "--json", report)

    assert status == 0, printed
    passed, absent = len(CHECKS) - len(SM3), len(SM3)
    told_last = f"{passed} passed, 0 failed, {absent} not applicable\n"
    assert printed.endswith(told_last)
    told = json.loads(report.read_text(encoding="utf-8"))
    assert told["conforms"] is True
    assert told["gateway"]["party"] == FINANCE
    assert [one["number"] for one in told["checks"]] == [one.number for one in CHECKS]
    assert {
        one["number"] for one in told["checks"] if one["verdict"] != "passed"
    } == SM3


async def test_the_command_says_what_a_gateway_does_wrong(
    house: Judged, tmp_path: Path
) -> None:
    text, report = documented(house.town), tmp_path / "report.json"
    async with relaying(house.town, LIES[402]["accepts it"]) as port:
        file = written(
            house.town, text.replace(str(house.town.ports[FINANCE]), str(port))
        )
        status, printed, _ = await _command(
            "--config", file, "--only", 402, "--only", 301, "--json", report
        )

    assert status == 1
    assert "402  failed" in printed
    assert "the document was stored, not refused as SEAL_FORGED" in printed
    assert "301  passed" in printed
    told = json.loads(report.read_text(encoding="utf-8"))
    assert told["conforms"] is False
    assert [one["verdict"] for one in told["checks"]] == ["failed", "passed"]


async def test_the_command_tells_nobody_there_from_a_bad_gateway(
    house: Judged,
) -> None:
    text = documented(house.town)
    away = text.replace(str(house.town.ports[FINANCE]), str(free_port()))

    status, printed, said = await _command("--config", written(house.town, away))

    assert status == 3
    assert printed == ""
    assert "nobody answers as a gateway" in said
