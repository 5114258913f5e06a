"""`counterfoil catalogue` lists what the contract carries."""

from __future__ import annotations

import pytest

from counterfoil.daemon.cli import DONE, USAGE, main
from counterfoil.wire.catalogue import CATALOGUE


def test_every_kind_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalogue"]) == DONE

    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [int(line[0]) for line in lines] == [
        row.code for row in sorted(CATALOGUE.rows.values(), key=lambda r: r.wire_code)
    ]
    assert {len(line) for line in lines} == {7}


@pytest.mark.parametrize("code", ["5301", "105301"])
def test_a_kind_is_found_by_either_code(
    code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["catalogue", "--type", code]) == DONE

    assert capsys.readouterr().out.split("\t") == [
        "105301",
        "5301",
        "清算划款凭证",
        "finance>treasury",
        "same number",
        "jbqm(person)+fhqm(person)+gz",
        "30 years\n",
    ]


def test_a_reply_is_named_by_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalogue", "--type", "3501"]) == DONE

    assert capsys.readouterr().out.split("\t")[4] == "5502"


def test_a_kind_that_there_is_not_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["catalogue", "--type", "9999"]) == USAGE

    told = capsys.readouterr()
    assert not told.out
    assert "no kind 9999" in told.err
