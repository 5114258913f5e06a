"""Measures the size budgets over what people wrote; exit 1 when one is broken.

A function's lines run from `def` to its end, docstring included; a module that
holds nothing but a docstring is not counted. For the share of tests, a line of code
or of a test is one that holds code: with docstrings counted, the budget would ask for
less documentation.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from statistics import median
from typing import Final

from tools.tree import HAND_WRITTEN_ROOTS, ROOT, files_below, modules_below

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Budget:
    """One measure and its bound.

    Attributes:
        name: What is measured.
        measured: The value.
        bound: The worst value that keeps the budget.
        at_least: Whether the bound is the lowest value, not the highest.
        worst: Where to look when it is broken.
    """

    name: str
    measured: float
    bound: float
    _: KW_ONLY
    at_least: bool = False
    worst: str = ""

    @property
    def kept(self) -> bool:
        """Whether the measure is within its bound."""
        if self.at_least:
            return self.measured >= self.bound
        return self.measured <= self.bound


@dataclass(frozen=True, slots=True)
class Length:
    """How many lines something has, and its name."""

    lines: int
    name: str


def percentile(lengths: list[Length], share: float) -> int:
    """Return the length that `share` (0 to 1) of `lengths` do not exceed."""
    if not lengths:
        return 0
    ordered = sorted(length.lines for length in lengths)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def longest(lengths: list[Length]) -> Length:
    """Return the longest of `lengths`."""
    return max(lengths, key=lambda length: length.lines, default=Length(0, ""))


def public_objects(module: ast.Module) -> Iterator[tuple[str, Documented]]:
    """Yield the module and its public classes, functions and methods."""
    yield "", module
    yield from _public_below(module, "")


def _public_below(
    parent: ast.Module | ast.ClassDef, prefix: str
) -> Iterator[tuple[str, Documented]]:
    for node in parent.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        # What starts with an underscore is private; a magic method is
        # documented by its class; an override and an overload by another.
        decorators = {_name(decorator) for decorator in node.decorator_list}
        if node.name.startswith("_") or decorators & {"override", "overload"}:
            continue
        yield prefix + node.name, node
        if isinstance(node, ast.ClassDef):
            yield from _public_below(node, f"{prefix}{node.name}.")


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def comment_share(protos: list[Path]) -> float:
    """Return the percentage of non-empty lines that are comments."""
    lines = [line.strip() for path in protos for line in _lines(path) if line.strip()]
    comments = sum(line.startswith("//") for line in lines)
    return 100 * comments / len(lines) if lines else 100.0


TEST_SHARE_FLOOR: Final = 1.0
"""Where the share of tests stands and may not fall below; the goal is 1.3."""

_NO_CODE: Final = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
    }
)


def lines_of_code(source: bytes) -> int:
    """Return how many lines hold code: no blank one, comment or docstring."""
    texts = {
        node.value.lineno: node.value.end_lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }
    held: set[int] = set()
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type in _NO_CODE or texts.get(token.start[0]) == token.end[0]:
            continue
        held.update(range(token.start[0], token.end[0] + 1))
    return len(held)


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


@dataclass(frozen=True, slots=True)
class Code:
    """What the modules of the product and of the tools hold.

    Attributes:
        lines: Lines that hold code.
        modules: How long each module is.
        functions: How long each function is.
        documented: How many public objects have a docstring.
        undocumented: Those that have none.
    """

    lines: int
    modules: list[Length]
    functions: list[Length]
    documented: int
    undocumented: list[str]


def read_code(tree: Path) -> Code:
    """Read every module of `tree` that people wrote, tests aside."""
    lines = documented = 0
    modules: list[Length] = []
    functions: list[Length] = []
    undocumented: list[str] = []
    for root in (*HAND_WRITTEN_ROOTS, "tools"):
        for path in modules_below(tree / root):
            where = path.relative_to(tree).as_posix()
            parsed = ast.parse(path.read_bytes())
            lines += lines_of_code(path.read_bytes())
            if len(parsed.body) > 1:
                modules.append(Length(len(_lines(path)), where))
            functions += _functions(parsed, where)
            for name, found in public_objects(parsed) if parsed.body else ():
                if ast.get_docstring(found) is None:
                    undocumented.append(f"{where} {name}")
                else:
                    documented += 1
    return Code(lines, modules, functions, documented, undocumented)


def _functions(module: ast.Module, where: str) -> Iterator[Length]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            size = node.end_lineno - node.lineno + 1
            yield Length(size, f"{where}:{node.lineno} {node.name}")


def measure(tree: Path) -> list[Budget]:
    """Measure every budget in `tree`."""
    code = read_code(tree)
    sizes = [module.lines for module in code.modules]
    module, function = longest(code.modules), longest(code.functions)
    public = code.documented + len(code.undocumented)
    tests = sum(
        lines_of_code(path.read_bytes()) for path in modules_below(tree / "tests")
    )
    comments = comment_share(list(files_below(tree / "proto", ".proto")))
    gaps = ", ".join(code.undocumented[:5])
    return [
        Budget("module lines, median", median(sizes or [0]), 120),
        Budget("module lines, max", module.lines, 400, worst=module.name),
        Budget("function lines, p90", percentile(code.functions, 0.9), 30),
        Budget("function lines, max", function.lines, 60, worst=function.name),
        Budget(
            "public objects documented, %",
            100 * code.documented / max(public, 1),
            100,
            at_least=True,
            worst=gaps,
        ),
        Budget("proto comment lines, %", comments, 50, at_least=True),
        Budget(
            "test lines per code line",
            tests / max(code.lines, 1),
            TEST_SHARE_FLOOR,
            at_least=True,
        ),
    ]


def main() -> int:
    """Print the table."""
    budgets = measure(ROOT)
    for budget in budgets:
        sign = "≥" if budget.at_least else "≤"
        word = "kept" if budget.kept else "BROKEN"
        row = f"{budget.name:29}{budget.measured:8.1f}  {sign} {budget.bound:<6g}{word}"
        print(f"{row}  {budget.worst if not budget.kept else ''}".rstrip())
    return 0 if all(budget.kept for budget in budgets) else 1


if __name__ == "__main__":
    sys.exit(main())
