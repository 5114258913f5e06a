"""What is late: what the systems tell against what is meant, and who could not tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from counterfoil.day import alarms
from counterfoil.day.alarms import alarms_of, unmeant
from counterfoil.day.cast import ABC, FINANCE, PARTIES, TREASURY
from counterfoil.day.commands import Answer
from counterfoil.day.phases import Late
from counterfoil.day.programs import DayFailed
from counterfoil.day.stage import Stage

MEANT = (Late(ABC, ("对账单", "未按期发送")), Late(TREASURY, (ABC.code, "尚未收到")))
TOLD = {
    FINANCE.code: [],
    TREASURY.code: [f"{ABC.code}的2026年10月对账单应于20261103前发送，尚未收到"],
    ABC.code: ["对账单ED202610未按期发送", "对账单DZ202610-115001未按期发送"],
}
QUIET: dict[str, list[str]] = {party: [] for party in TOLD}


def test_nothing_is_found_where_nothing_is_late_and_nothing_is_meant_to_be() -> None:
    assert list(unmeant(QUIET, ())) == []


def test_what_is_meant_may_be_told_by_more_lines_than_one() -> None:
    assert list(unmeant(TOLD, MEANT)) == []


def test_what_is_late_and_not_meant_is_found_line_by_line() -> None:
    assert list(unmeant(TOLD, MEANT[1:])) == [
        f"alerts of {ABC.code}: 对账单ED202610未按期发送",
        f"alerts of {ABC.code}: 对账单DZ202610-115001未按期发送",
    ]


def test_what_another_system_tells_is_not_what_is_meant() -> None:
    told = {**TOLD, FINANCE.code: TOLD[ABC.code]}

    assert [one.partition(":")[0] for one in unmeant(told, MEANT)] == [
        f"alerts of {FINANCE.code}"
    ] * 2


def test_what_is_meant_and_nobody_tells_is_found() -> None:
    assert list(unmeant(QUIET, MEANT)) == [
        f"alerts of {ABC.code} do not tell: 对账单 未按期发送",
        f"alerts of {TREASURY.code} do not tell: {ABC.code} 尚未收到",
    ]


def asked(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> alarms.Alarms:
    monkeypatch.setattr(alarms, "answer", lambda *_: answer)
    return alarms_of(Stage(Path()))


def test_every_system_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    told = asked(monkeypatch, Answer(1, "迟\n晚\n", ""))

    assert told == {one.code: ["迟", "晚"] for one in PARTIES}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(1, "", "books.url is missing"),
        Answer(0, "迟\n", ""),
        Answer(3, "迟\n", ""),
    ],
)
def test_a_system_that_cannot_tell_ends_the_day(
    monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    with pytest.raises(DayFailed, match=f"ended with {answer.status}"):
        asked(monkeypatch, answer)
