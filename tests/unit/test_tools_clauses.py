from pathlib import Path

import pytest

from tools.clauses import judge, read_clauses


def report(**tests: tuple[str, list[str]]) -> dict[str, object]:
    return {
        "tests": {
            name: {"outcome": outcome, "clauses": clauses, "refusals": []}
            for name, (outcome, clauses) in tests.items()
        }
    }


def test_a_clause_without_a_test_is_missing() -> None:
    verdicts = judge(["a-1"], [report()])

    assert verdicts["a-1"].word == "missing"


def test_a_clause_passes_when_all_its_tests_pass() -> None:
    run = report(two=("passed", ["a-1"]), one=("passed", ["a-1", "a-2"]))

    verdicts = judge(["a-1", "a-2"], [run])

    assert verdicts["a-1"].word == "passed"
    assert verdicts["a-1"].tests == ("one", "two")
    assert verdicts["a-2"].tests == ("one",)


@pytest.mark.parametrize("outcome", ["failed", "skipped", "missing"])
def test_a_test_that_did_not_pass_proves_nothing(outcome: str) -> None:
    run = report(one=("passed", ["a-1"]), two=(outcome, ["a-1"]))

    assert judge(["a-1"], [run])["a-1"].word == "failed"


def test_the_worse_of_two_reports_counts() -> None:
    runs = [report(one=("passed", ["a-1"])), report(one=("failed", ["a-1"]))]

    assert judge(["a-1"], runs)["a-1"].word == "failed"


def test_clauses_are_read_with_their_text(tmp_path: Path) -> None:
    path = tmp_path / "clauses.txt"
    path.write_text("# a comment\na-1\tdoes a thing\n", "utf-8")

    assert read_clauses(path) == {"a-1": "does a thing"}


@pytest.mark.parametrize("line", ["a-2", "a-2\t", "a-1\tsomething else"])
def test_a_clause_needs_a_text_and_an_id_of_its_own(tmp_path: Path, line: str) -> None:
    path = tmp_path / "clauses.txt"
    path.write_text(f"a-1\tdoes a thing\n{line}\n", "utf-8")

    with pytest.raises(ValueError, match=r"clauses\.txt:2"):
        read_clauses(path)
