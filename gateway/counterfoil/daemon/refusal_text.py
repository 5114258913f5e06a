"""Refusals as the command line prints them: for people, in both languages."""

from __future__ import annotations

from collections.abc import Iterable

from counterfoil.domain.refusals import CounterfoilError
from counterfoil.domain.violation import Violation


def refusal_text(refusal: CounterfoilError) -> str:
    """Return what was refused and why, and each field at fault on its own line."""
    told = f"{refusal.reason}: {refusal} ({refusal.zh})"
    return "\n  ".join((told, *fields_at_fault(refusal.violations)))


def fields_at_fault(violations: Iterable[Violation]) -> list[str]:
    """Return of each field where it stands and what is wrong with it."""
    return [f"{one.path}: {one.text} ({one.text_zh})" for one in violations]
