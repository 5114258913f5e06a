"""What came of a run, for people and for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from counterfoil.conformance.checks import Check
from counterfoil.conformance.suite import Finding
from counterfoil.conformance.target import Target
from counterfoil.conformance.verdicts import Verdict


def line(finding: Finding) -> str:
    """Return one finding as a person reads it."""
    check = finding.check
    text = f"{check.number}  {finding.verdict.value:<14}  {check.title}"
    text += f" {check.title_zh}  [{check.clause}; {check.contract}]"
    return f"{text}\n     {finding.why}" if finding.why else text


def summary(findings: Sequence[Finding]) -> str:
    """Return how many checks ended how."""
    counts = Counter(one.verdict for one in findings)
    return ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict)


def conforms(findings: Iterable[Finding]) -> bool:
    """Tell whether no check failed."""
    return all(one.verdict is not Verdict.FAILED for one in findings)


def as_json(target: Target, findings: Sequence[Finding], at: datetime) -> str:
    """Return the report as JSON.

    Args:
        target: The gateway that was judged.
        findings: What came of every check.
        at: When the run began, UTC.
    """
    report = {
        "format": 1,
        "gateway": {"party": target.party, "address": target.address},
        "peer": target.peer,
        "began": at.isoformat(timespec="seconds"),
        "conforms": conforms(findings),
        "checks": [
            {
                "number": one.check.number,
                "title": one.check.title,
                "title_zh": one.check.title_zh,
                "clause": one.check.clause,
                "contract": one.check.contract,
                "verdict": one.verdict.value,
                "why": one.why,
            }
            for one in findings
        ],
    }
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def table(checks: Iterable[Check]) -> str:
    """Return all checks as docs/conformance.md shows them."""
    rows = [
        f"| {one.number} | {one.title} {one.title_zh} | {one.clause} | {one.contract} "
        f"| {f'`{one.needs}`' if one.needs else ''} |"
        for one in checks
    ]
    head = [
        "| no. | what must hold | clause | contract | needs |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"
