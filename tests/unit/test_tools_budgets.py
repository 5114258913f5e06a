import ast
from pathlib import Path

import pytest

from tools.budgets import (
    Length,
    comment_share,
    lines_of_code,
    measure,
    percentile,
    public_objects,
)


def write(tree: Path, name: str, text: str) -> Path:
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(("share", "expected"), [(0.5, 6), (0.9, 10), (1.0, 10)])
def test_a_percentile_is_one_of_the_lengths(share: float, expected: int) -> None:
    lengths = [Length(lines, "") for lines in range(1, 11)]

    assert percentile(lengths, share) == expected


def test_private_magic_and_overriding_objects_need_no_docstring() -> None:
    module = ast.parse(
        "class A:\n"
        "  def seen(self): ...\n"
        "  def _hidden(self): ...\n"
        "  def __eq__(self, other): ...\n"
        "  @override\n"
        "  def told_above(self): ...\n"
        "class _B:\n"
        "  def unseen(self): ...\n"
    )

    assert [name for name, _ in public_objects(module)] == ["", "A", "A.seen"]


def test_comments_are_counted_among_lines_that_are_not_empty(tmp_path: Path) -> None:
    proto = write(tmp_path, "a.proto", "// One.\n\n  // Two.\nmessage A {}\n\nx\n")

    assert comment_share([proto]) == 50


def test_what_is_over_its_budget_is_named(tmp_path: Path) -> None:
    long = '"""A module."""\n\ndef f():\n    """Long."""\n' + "    pass\n" * 60
    write(tmp_path, "gateway/counterfoil/domain/long.py", long)
    write(tmp_path, "gateway/counterfoil/domain/__init__.py", '"""A package."""\n')
    write(tmp_path, "proto/counterfoil/x_pb2.py", "x = 1\n" * 1000)

    budgets = {budget.name: budget for budget in measure(tmp_path)}

    longest = budgets["function lines, max"]
    assert (longest.measured, longest.kept) == (62, False)
    assert longest.worst == "gateway/counterfoil/domain/long.py:3 f"
    assert budgets["module lines, max"].measured == 64
    assert budgets["module lines, median"].measured == 64
    assert budgets["public objects documented, %"].kept
    assert not budgets["test lines per code line"].kept


def test_a_line_of_code_holds_more_than_words_about_it() -> None:
    source = b'''"""A module."""

# A comment.
LIMIT = 3  # counted
"""Documented."""


def f(a: int) -> int:
    """Return it.

    At length.
    """
    return max(
        a,
        LIMIT,
    )
'''

    assert lines_of_code(source) == 6
